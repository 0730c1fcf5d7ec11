"""A person at a real terminal, for tests of what asks for passwords."""

import os
import pty
import selectors
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

COMMAND = [str(Path(sys.executable).with_name("keymoot"))]
PATIENCE_SECONDS = 120


class Terminal:
    """One command that runs in a terminal of its own."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.ours, theirs = pty.openpty()
        environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "TERM": "dumb"}
        self.process = subprocess.Popen(
            [*COMMAND, *arguments],
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            cwd=folder,
            env=environment,
            preexec_fn=_own_terminal,  # noqa: PLW1509  no threads here
        )
        os.close(theirs)
        self.shown = ""

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
        status = self.process.wait(PATIENCE_SECONDS)
        assert "Traceback" not in self.shown, self.shown
        return status

    def hang_up(self) -> int:
        """Close the terminal, as a window is closed; give the exit status."""
        os.close(self.ours)
        return self.process.wait(PATIENCE_SECONDS)

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
