"""A fresh environment with our wheel and somebody's package, resolved together."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
INSTALL_SECONDS = 900
RUN_SECONDS = 300

_UNANSWERED = (
    "error sending request",
    "Failed to fetch",
    "Could not connect",
    "dns error",
    "tcp connect error",
    "timed out",
)
"""What uv says when it cannot reach its registry."""


@dataclass(frozen=True)
class Fresh:
    """One environment."""

    python: Path

    def install(self, *what: str) -> None:
        """Install what uv's `pip install` is told to, wheels only.

        A registry that does not answer skips the test; what cannot be resolved fails it.
        """
        options = ("--quiet", "--python", str(self.python), "--only-binary", ":all:")
        _uv("pip", "install", *options, *what)

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run its Python from elsewhere, so that only what is installed is found."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return subprocess.run(
            [str(self.python), *command],
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
            cwd=self.python.parent,
            env=kept | environment,
        )


def wheel(folder: Path) -> Path:
    """Build our wheel, as it would be published."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def fresh(folder: Path) -> Fresh:
    """Make an empty environment."""
    _uv("venv", "--quiet", "--python", sys.executable, str(folder))
    return Fresh(folder / "bin" / "python")


def _uv(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "uv", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
    )
    if done.returncode and any(word in done.stderr for word in _UNANSWERED):
        pytest.skip(f"no package registry answers: {done.stderr.strip().splitlines()[0]}")
    assert done.returncode == 0, done.stderr
