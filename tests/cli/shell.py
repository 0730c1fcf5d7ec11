"""A person's shell, for tests: a folder of its own, and the command as it is installed."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

from tests.node.running import Running
from tests.runtime.people import policy

COMMAND = [str(Path(sys.executable).with_name("keymoot"))]


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
        }
        if node is not None:
            self.environment["KEYMOOT_URL"] = node.url

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
        )
        assert "Traceback" not in done.stderr, done.stderr
        return done

    def json(self, *arguments: str, status: int = 0) -> Any:
        done = self.run(*arguments, "--json")
        assert done.returncode == status, done.stderr
        return json.loads(done.stdout)

    def answer(self, text: str, *arguments: str) -> int:
        """Run a command at a terminal, type a line or the end of all input; give its status."""
        ours, theirs = pty.openpty()
        os.write(ours, text.encode() or b"\x04")
        done = subprocess.run(
            [*COMMAND, *arguments],
            capture_output=True,
            text=True,
            cwd=self.folder,
            env=self.environment,
            stdin=theirs,
        )
        os.close(theirs)
        os.close(ours)
        assert "Set this policy all the same? [y/N] " in done.stderr
        assert "Traceback" not in done.stderr, done.stderr
        return done.returncode

    def write(self, name: str, content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        (self.folder / name).write_text(text)
        return name
