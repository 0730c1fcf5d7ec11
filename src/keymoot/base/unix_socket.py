"""A UNIX socket that listens, with its mode and its owner, before anybody can find it."""

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

MODE: Final = 0o600


def listening_at(path: Path, backlog: int, owner: tuple[int, int] | None = None) -> socket.socket:
    """Give a socket at a path, for its owner (user, group) alone; one that is there is replaced.

    It is made beside, and moved to its place once it listens: whoever finds it may connect.
    Raise OSError, and leave nothing, where it can't be made.
    """
    channel = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 - MODE)
    try:
        with short_path(path.with_name(f".{path.name[:32]}.{os.getpid()}")) as beside:
            try:
                _bound(channel, beside, backlog, owner)
                beside.rename(beside.with_name(path.name))
            except OSError:
                with suppress(OSError):
                    beside.unlink()
                raise
    except OSError:
        channel.close()
        raise
    finally:
        os.umask(before)
    return channel


def _bound(
    channel: socket.socket, beside: Path, backlog: int, owner: tuple[int, int] | None
) -> None:
    beside.unlink(missing_ok=True)
    channel.bind(str(beside))  # with the mode that the umask leaves
    if owner is not None:
        _give(beside, *owner)
    channel.listen(backlog)


def _give(path: Path, user: int, group: int) -> None:
    """Give a socket of ours to a user, who may own its folder and be putting another file there.

    Raises:
        OSError: there is another file already; nothing was given.
    """
    handle = os.open(path, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        told = os.fstat(handle)
        if not stat.S_ISSOCK(told.st_mode) or told.st_uid != os.geteuid() or told.st_nlink != 1:
            raise OSError(errno.EEXIST, "another file took the socket's place", str(path))
        os.chown(f"/proc/self/fd/{handle}", user, group)
    finally:
        os.close(handle)


@contextmanager
def short_path(path: Path) -> Iterator[Path]:
    """Give a path to a socket that fits into its address (107 bytes, unix(7)), however deep."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield Path(f"/proc/self/fd/{folder}") / path.name
    finally:
        os.close(folder)
