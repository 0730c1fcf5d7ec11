"""A new file that only its owner reads: there whole, or not at all."""

import os
from contextlib import suppress
from pathlib import Path

from keymoot.base.storage import CannotWrite

MODE = 0o600


def check_new(path: Path) -> None:
    """Raise CannotWrite unless a file could be made there, before anybody works for it."""
    if os.path.lexists(path):
        raise CannotWrite(
            str(path), None, "it exists, and is never overwritten", "choose another name"
        )
    folder = path.parent
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise CannotWrite(
            str(path),
            None,
            f"there is no folder {folder} that you may write to",
            "choose another folder, or make it",
        )


def write_new(path: Path, content: bytes) -> None:
    """Write a file that was not there, mode 0600, synced; never overwrites (CannotWrite)."""
    check_new(path)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise CannotWrite(str(path), error.errno) from error
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise CannotWrite(str(path), error.errno) from error
