"""A person's shell, for tests: a folder of its own, and the command's entry within this process.

What only a process shows (that the command is installed, and what a script sees of it) is seen in
`test_installed`.
"""

import contextlib
import io
import json
import os
import pty
import sys
from pathlib import Path
from typing import Any, NamedTuple, TextIO
from unittest import mock

from keymoot.cli.main import main
from tests.node.running import Running
from tests.runtime.people import policy

COLUMNS = "80"
"""How wide a terminal is where nobody says it; the one that runs the tests may say otherwise."""
BY = ("--owner", "owner.json", "--password-file", "password")
"""Options of whoever `Shell.become_owner` made."""


class Done(NamedTuple):
    """What a command left behind."""

    returncode: int
    stdout: str
    stderr: str


def tidy(limit: int) -> dict[str, Any]:
    """Give the policy of `people` without anything to warn of."""
    gas = {"id": "gas", "meter": "maxFee", "max": "1000000", "window": "24h", "kind": "rolling"}
    document = policy(limit, expires="2036-01-01T00:00:00Z")
    return document | {"limits": [*document["limits"], gas]}


class Shell:
    """A person's shell in a folder of its own."""

    def __init__(self, folder: Path, node: Running | None = None) -> None:
        self.folder = folder
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "XDG_CONFIG_HOME": str(folder / "config"),
            "COLUMNS": COLUMNS,
        }
        if node is not None:
            self.environment["KEYMOOT_URL"] = node.url

    def become_owner(self) -> None:
        """Make a keystore, and the file of its password."""
        self.write("password", "correct horse\n")
        self.json("key", "new", "owner.json", "--password-file", "password")

    def run(self, *arguments: str) -> Done:
        with Path(os.devnull).open() as nothing:
            return self._run(nothing, *arguments)

    def _run(self, stdin: TextIO, *arguments: str) -> Done:
        """Run a command as if it were a process; an error that it does not catch is the test's."""
        out, err, status = io.StringIO(), io.StringIO(), 0
        with (
            mock.patch.dict(os.environ, self.environment, clear=True),
            mock.patch.multiple(sys, argv=["keymoot", *arguments], stdin=stdin),
            contextlib.chdir(self.folder),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            try:
                main()
            except SystemExit as ended:
                assert isinstance(ended.code, int)
                status = ended.code
        return Done(status, out.getvalue(), err.getvalue())

    def json(self, *arguments: str, status: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    def answer(self, text: str, *arguments: str) -> int:
        """Run a command at a terminal, type a line or the end of all input; give its status."""
        ours, theirs = pty.openpty()
        os.write(ours, text.encode() or b"\x04")
        with open(theirs) as stdin:  # noqa: PTH123  a terminal that is open already
            done = self._run(stdin, *arguments)
        os.close(ours)
        assert "? [y/N] " in done.stderr
        return done.returncode

    def write(self, name: str, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text)
        return name
