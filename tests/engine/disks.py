"""Real file systems that are small, full or read-only, where this machine lets us mount them."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_STEPS_BYTES = (1 << 20, 1 << 12, 1)
"""A file grows by these, each until nothing of it is taken."""


@contextmanager
def small_disk(folder: Path, size_bytes: int) -> Iterator[Path]:
    """Mount a file system in memory; skip the test where we may not."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size_bytes},mode=700", "keymoot", str(folder)]
    try:
        done = subprocess.run(mount, capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if done.returncode:
        pytest.skip(f"mounting is refused here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@contextmanager
def read_only(disk: Path) -> Iterator[None]:
    """Mount a disk of ours read-only for a while."""
    subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
    try:
        yield
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)


def fill(disk: Path) -> Path:
    """Fill a disk of ours, whatever others write or free there meanwhile.

    Nothing is measured first: what was free then is no longer so when it is used.

    Returns:
        The file that fills it; there is room again when it is deleted.
    """
    path = disk / "filling"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL)
    try:
        for step in _STEPS_BYTES:
            while _takes(descriptor, step):
                pass
    finally:
        os.close(descriptor)
    return path


def _takes(descriptor: int, count: int) -> bool:
    """Write so many zeros, or some of them; tell whether there was room for any."""
    try:
        return os.write(descriptor, bytes(count)) > 0
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        return False
