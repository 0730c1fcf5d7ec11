"""Make an environment for every Python here that Keymoot supports, for tests that compare them.

    python -m tools.pythons [FOLDER]

Interpreters are looked for on PATH and among pyenv's; each gets locked wheels in FOLDER
(build/pythons), once. What cannot be made is said, and is no failure: the test that
compares skips that version by name.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

MINORS = (11, 12, 13, 14)
"""Versions 3.x that are looked for."""

FOLDER = Path("build/pythons")
CLIENT = Path(__file__).resolve().parent.parent / "requirements" / "client.lock"

DONE = "complete"


def interpreter(minor: int) -> Path | None:
    """Give a Python 3.`minor` that runs, or None."""
    name = f"python3.{minor}"
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = [path for path in [shutil.which(name)] if path]
    found += sorted(map(str, pyenv.glob(f"3.{minor}.*/bin/{name}")), reverse=True)
    for path in found:
        asked = [path, "-c", "import sys, venv; print(*sys.version_info[:2])"]
        done = subprocess.run(asked, capture_output=True, text=True, check=False)
        if done.stdout.split() == ["3", str(minor)]:
            return Path(path)
    return None


def environment(minor: int, folder: Path = FOLDER) -> Path | None:
    """Give the Python of the environment that was made for 3.`minor` of today's lock, or None."""
    made = folder / f"3.{minor}"
    done = made / DONE
    current = done.is_file() and done.read_text() == name_of(requirements())
    return made / "bin" / "python" if current else None


def requirements() -> str:
    """Give the locked packages, with their hashes, that executing blocks needs: the client's."""
    return CLIENT.read_text()


def name_of(lock: str) -> str:
    """Name a lock by its hash."""
    return hashlib.sha256(lock.encode()).hexdigest()


def make(minor: int, folder: Path = FOLDER) -> str:
    """Make an environment, if it is not there; say what became of it."""
    if environment(minor, folder) is not None:
        return "is there"
    found = interpreter(minor)
    if found is None:
        return "no such Python here"
    made = folder / f"3.{minor}"
    shutil.rmtree(made, ignore_errors=True)
    folder.mkdir(parents=True, exist_ok=True)
    lock = folder / "requirements.txt"
    lock.write_text(requirements())
    pip = [str(made / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", "install"]
    wheels = ["--quiet", "--require-hashes", "--only-binary", ":all:", "-r", str(lock)]
    for command in ([str(found), "-m", "venv", str(made)], [*pip, *wheels]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            return f"cannot be made: {(done.stderr.strip() or 'no words').splitlines()[-1]}"
    (made / DONE).write_text(name_of(requirements()))
    return "made"


def main() -> int:
    """Make all of them."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for minor in MINORS:
        print(f"Python 3.{minor}: {make(minor, folder)}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
