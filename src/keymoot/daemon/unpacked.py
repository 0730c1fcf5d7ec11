"""A bundle on this machine's disk, for as long as its agent runs."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from keymoot.base.storage import CannotWrite
from keymoot.image.bundle import Bundle


@contextmanager
def unpacked(bundle: Bundle, user: int | None = None, group: int | None = None) -> Iterator[Path]:
    """Write the files of a bundle into a new folder, which is gone after; CannotWrite.

    What is measured is what runs: not the folder that somebody may go on to edit. It belongs to
    `user`, where that is another than us.
    """
    with tempfile.TemporaryDirectory(prefix="keymoot-agent-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        try:
            for path, file in bundle.files.items():
                target = folder / path
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(file.content)
                target.chmod(0o700 if file.executable else 0o600)
            if user is not None and group is not None:
                _give(folder, user, group)
        except OSError as error:
            raise CannotWrite(str(error.filename or folder), error.errno) from error
        yield folder


def _give(folder: Path, user: int, group: int) -> None:
    """Give it with all that is in it, the folder last: before, nobody else gets into it."""
    for each in (*folder.rglob("*"), folder):
        os.chown(each, user, group, follow_symlinks=False)
