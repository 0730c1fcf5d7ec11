"""Run the embedded network for the demo, and stop and start it as a host would."""

import os
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from demo.checkout import ROOT, free_port
from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.network import Network
from keymoot.agent.transport import ConnectionLost
from keymoot.base.errors import Refused
from keymoot.enclave.harden import die_with_parent
from keymoot.node.config import FUSE_VARIABLE

START_SECONDS = 240.0
STOP_SECONDS = 60.0


@dataclass(slots=True)
class LocalNetwork:
    """One `keymoot up` as a child process.

    Attributes:
        data: Its data folder.
        fuse: The simulated CPU's fuse file, outside it.
        module: What to run; the demo's double runs another one.
        log: Where its output goes.
    """

    data: Path
    fuse: Path
    log: Path
    module: tuple[str, ...] = ("keymoot.cli", "up")
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The Keymoot RPC."""
        return f"http://127.0.0.1:{self.port}"

    def network(self) -> Network:
        """Give a client."""
        return Network(self.url)

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            Refused: it ended, or does not answer.
        """
        self.begin()
        self.wait()

    def begin(self) -> None:
        """Start it; it needs a while until it answers."""
        command = [sys.executable, "-m", *self.module]
        command += ["--data", str(self.data), "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603  our own command
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, FUSE_VARIABLE: str(self.fuse)},
                cwd=ROOT,
                preexec_fn=die_with_parent,  # noqa: PLW1509  no threads run yet
            )

    def wait(self) -> None:
        """Wait until it answers.

        Raises:
            Refused: it ended, or does not answer.
        """
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self._process is None or self._process.poll() is not None:
                raise Refused(f"the network did not start, see {self.log}: {self._last_line()}")
            try:
                self.network().identity()
            except (NetworkUnreachable, ConnectionLost):
                time.sleep(0.05)
            else:
                return
        raise Refused(f"the network does not answer, see {self.log}")

    def stop(self) -> None:
        """Stop it as Ctrl-C does; nothing where it does not run.

        Raises:
            Refused: it had to be killed.
        """
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.wait()
            raise Refused(f"the network did not stop, see {self.log}") from error

    def __enter__(self) -> Self:
        """Stop it at the end of a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _last_line(self) -> str:
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        return lines[-1] if lines else "no output"
