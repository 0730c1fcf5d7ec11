"""A small file that is there whole, or is as it was before, whenever the power goes."""

import os
from contextlib import suppress
from pathlib import Path

from keymoot.base.storage import CannotWrite


def write_whole(path: Path, content: bytes) -> None:
    """Write a file anew, mode 0600, synced, and so is its name; the folder has to be there."""
    fresh = path.with_suffix(".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        with suppress(OSError):
            fresh.unlink()
        raise CannotWrite(str(path), error.errno) from error
