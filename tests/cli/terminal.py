"""A person at a real terminal, for tests of what asks for passwords."""

import os
import pty
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

from keymoot.cli.main import main
from tests.node.prepared import PREPARED

COMMAND = [str(Path(sys.executable).with_name("keymoot"))]
PATIENCE_SECONDS = 240


class Terminal:
    """The command as it is installed, in a terminal of its own."""

    def __init__(
        self, folder: Path, *arguments: str, variables: Mapping[str, str] | None = None
    ) -> None:
        self.ours, theirs = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
        environment |= variables or {}
        self._begin(theirs, folder, environment, arguments)
        os.close(theirs)
        self.shown = ""

    def _begin(
        self, theirs: int, folder: Path, environment: Mapping[str, str], arguments: Sequence[str]
    ) -> None:
        process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment,
            preexec_fn=_own_terminal,  # noqa: PLW1509  no threads here
        )
        self.pid = process.pid
        self._ended = lambda: process.wait(PATIENCE_SECONDS)

    def wait_for(self, words: str) -> "Terminal":
        """Read until the screen shows these words."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.shown:
            assert time.monotonic() < deadline, self.shown
            assert self._read(), self.shown
        return self

    def type(self, text: str) -> "Terminal":
        os.write(self.ours, text.encode())
        return self

    @property
    def echoes(self) -> bool:
        """Whether what is typed would be shown."""
        return bool(termios.tcgetattr(self.ours)[3] & termios.ECHO)

    def end(self) -> int:
        """Read the rest, and give the exit status."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._read():
            assert time.monotonic() < deadline, self.shown
        os.close(self.ours)
        status = self._ended()
        assert "Traceback" not in self.shown, self.shown
        return status

    def hang_up(self) -> int:
        """Close the terminal, as a window is closed; give the exit status."""
        os.close(self.ours)
        return self._ended()

    def _read(self) -> bool:
        with selectors.DefaultSelector() as waiting:
            waiting.register(self.ours, selectors.EVENT_READ)
            readable = waiting.select(1)
        if not readable:
            return True
        try:
            part = os.read(self.ours, 65_536)
        except OSError:
            return False
        self.shown += part.decode("utf-8", "replace")
        return bool(part)


class QuickTerminal(Terminal):
    """The command's entry in a process that has imported everything, in a terminal of its own."""

    def _begin(
        self, theirs: int, folder: Path, environment: Mapping[str, str], arguments: Sequence[str]
    ) -> None:
        seen, shown = PREPARED.Pipe(duplex=False)
        process = PREPARED.Process(
            target=_command, args=(os.ttyname(theirs), folder, environment, arguments, shown)
        )
        process.start()
        assert process.pid is not None
        self.pid = process.pid
        shown.close()
        # Before it has opened the terminal, nobody but us holds that end of it.
        assert seen.poll(PATIENCE_SECONDS)
        seen.close()

        def ended() -> int:
            process.join(PATIENCE_SECONDS)
            assert process.exitcode is not None
            return process.exitcode

        self._ended = ended


def _command(
    terminal: str,
    folder: Path,
    environment: Mapping[str, str],
    arguments: Sequence[str],
    shown: Connection,
) -> None:
    theirs = os.open(terminal, os.O_RDWR | os.O_NOCTTY)
    for each in range(3):
        os.dup2(theirs, each)
    os.close(theirs)
    _own_terminal()
    shown.send(None)
    shown.close()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["keymoot", *arguments]
    with open(0, closefd=False) as sys.stdin, open(1, "w", 1, closefd=False) as sys.stdout:
        main()


def _own_terminal() -> None:
    """Begin a session whose terminal is our stdin; before the command runs."""
    # Tests that run in the background ignore both; a person at a terminal does not.
    for each in (signal.SIGHUP, signal.SIGINT):
        signal.signal(each, signal.SIG_DFL)
    os.setsid()
    import fcntl

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def lines(text: str) -> Sequence[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]
