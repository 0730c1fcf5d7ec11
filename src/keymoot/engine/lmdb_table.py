"""LMDB under the ledger: one atomic, synced write a block; snapshots for readers."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from keymoot.base.errors import Refused
from keymoot.base.storage import CannotWrite
from keymoot.engine.lmdb_file import FILE_NAME, LedgerDamaged, check_file
from keymoot.store.table import Batch

MAP_BYTES = 1 << 38
"""Address space reserved for the file, 256 GiB or twice what the file has: LMDB cannot enlarge
it under open snapshots. The file itself grows with use only."""

MAX_READERS = 64

_LOCK_BYTES = 8_192
"""LMDB's lock file: it is mapped and written to, so its room on the disk is taken before."""

_DAMAGES = (
    # What a snapshot says for good, once it has met one of the others.
    lmdb.BadTxnError,
    lmdb.CorruptedError,
    lmdb.PageNotFoundError,
    lmdb.InvalidError,
    lmdb.VersionMismatchError,
)


class CannotOpen(Refused, code="CANNOT_OPEN"):
    """The data folder cannot be used."""


class SnapshotEnded(Refused, code="SNAPSHOT_ENDED"):
    message = "this state was read for too long: read the newest one"


class LmdbSnapshot:
    """The table as of one committed block, whatever is written meanwhile."""

    def __init__(self, env: lmdb.Environment) -> None:
        self._transaction: lmdb.Transaction | None = env.begin(write=False)

    def get(self, key: bytes) -> bytes | None:
        try:
            value = self._open().get(key)
        except _DAMAGES as error:
            raise LedgerDamaged(type(error).__name__) from error
        return None if value is None else bytes(value)

    def scan(self, start: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        try:
            with self._open().cursor() as cursor:
                entry = cursor.set_range(start)
                while entry and bytes(cursor.key()).startswith(prefix):
                    yield bytes(cursor.key()), bytes(cursor.value())
                    entry = cursor.next()
        except _DAMAGES as error:
            raise LedgerDamaged(type(error).__name__) from error

    def close(self) -> None:
        if self._transaction is not None:
            self._transaction.abort()
        # Its place among LMDB's readers is free only once nobody refers to it.
        self._transaction = None

    def _open(self) -> lmdb.Transaction:
        if self._transaction is None:
            raise SnapshotEnded
        return self._transaction

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class LmdbStore:
    """One LMDB file in the data folder; one writer, any number of snapshots."""

    def __init__(self, folder: Path, map_bytes: int = MAP_BYTES) -> None:
        """Open or create the file, readable by its owner only."""
        path = folder / FILE_NAME
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            check_file(path)
            size = path.stat().st_size if path.exists() else 0
            _take_room(folder / f"{FILE_NAME}-lock")
            self._env = lmdb.open(
                str(path),
                subdir=False,
                map_size=max(map_bytes, 2 * size),
                mode=0o600,
                max_readers=MAX_READERS,
                readahead=False,
                lock=True,
            )
            # Of our own: closing it takes no lock away, for LMDB locks another file.
            self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            path.chmod(0o600)
        except _DAMAGES as error:
            raise LedgerDamaged(type(error).__name__) from error
        except (lmdb.Error, OSError) as error:
            raise CannotOpen(
                f"the ledger in {folder} cannot be opened ({error}): check that the folder is "
                "yours and writable and its disk not full, or choose another with --data"
            ) from error
        self._size = os.fstat(self._file).st_size
        self.shortage: CannotWrite | None = None
        """Why the newest write failed; None since one succeeded."""

    def write(self, batch: Batch) -> None:
        """Write all of `batch` and sync it to disk, or none of it."""
        self._check_size()
        try:
            with self._env.begin(write=True) as transaction:
                for key, value in batch.items():
                    if value is None:
                        transaction.delete(key)
                    else:
                        transaction.put(key, value)
        except _DAMAGES as error:
            raise LedgerDamaged(type(error).__name__) from error
        except lmdb.PanicError as error:
            raise LedgerDamaged(
                "the disk refused its first pages: start the node again to see what is there; "
                "where it does not start"
            ) from error
        except lmdb.Error as error:
            self.shortage = _shortage(error)
            if self.shortage is None:
                raise
            raise self.shortage from error
        self.shortage = None

    def snapshot(self) -> LmdbSnapshot:
        self._check_size()
        return LmdbSnapshot(self._env)

    def close(self) -> None:
        self._env.close()
        os.close(self._file)

    def _check_size(self) -> None:
        """Raise if somebody cut or deleted the file: to read on would be a bus error."""
        stat = os.fstat(self._file)
        if stat.st_size < self._size:
            raise LedgerDamaged(
                f"it had {self._size} bytes and has {stat.st_size}: it was cut while the node ran"
            )
        if not stat.st_nlink:
            raise LedgerDamaged("it was deleted or replaced while the node ran")
        self._size = stat.st_size


def _take_room(path: Path) -> None:
    """Take the room of a file that is mapped and written to: without it, that is a bus error."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        os.posix_fallocate(descriptor, 0, _LOCK_BYTES)
    finally:
        os.close(descriptor)


def _shortage(error: lmdb.Error) -> CannotWrite | None:
    """Give the state of the disk for what LMDB says; None where it says something else."""
    what = f"the ledger's file {FILE_NAME}"
    if isinstance(error, lmdb.MapFullError):
        return CannotWrite(
            what,
            None,
            "it fills the address space that was reserved for it",
            "start the node again: it reserves twice as much as the file has",
        )
    # LMDB's own errors are negative, the system's are not.
    number = getattr(error, "code", 0)
    return CannotWrite(what, number) if number > 0 else None
