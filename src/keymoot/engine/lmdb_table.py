"""LMDB under the ledger: one atomic, synced write a block; snapshots for readers."""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import lmdb

from keymoot.base.errors import BrokenStorage, Fault, Refused
from keymoot.store.table import Batch

MAP_BYTES = 1 << 38
"""Address space reserved for the file, 256 GiB: LMDB cannot enlarge it under open
snapshots. The file itself grows with use only."""

MAX_READERS = 64


class StoreFull(Fault):
    """The ledger file or its disk is full; nothing of the block was written."""

    code = "STORE_FULL"

    def __init__(self, why: str) -> None:
        """Say what to do."""
        super().__init__(
            f"the ledger cannot grow ({why}): free some disk space and start the node again, "
            "nothing is lost",
            blamed="host",
            certainty="known",
        )


class CannotOpen(Refused):
    """The data folder cannot be used."""

    code = "CANNOT_OPEN"


class LedgerDamaged(BrokenStorage):
    """The file is not what was written."""

    code = "LEDGER_DAMAGED"

    def __init__(self, why: str) -> None:
        """Say what to do."""
        super().__init__(
            f"the ledger's file ledger.mdb is damaged ({why}): put back a copy of the whole data "
            "folder, or start a new network with another --data"
        )


class LmdbSnapshot:
    """The table as of one committed block, whatever is written meanwhile."""

    def __init__(self, env: lmdb.Environment) -> None:
        """Begin to read."""
        self._transaction = env.begin(write=False)

    def get(self, key: bytes) -> bytes | None:
        """Give the entry, or None."""
        try:
            found = self._transaction.get(key)
        except lmdb.CorruptedError as error:
            raise LedgerDamaged(type(error).__name__) from error
        return None if found is None else bytes(found)

    def scan(self, start: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give entries with `prefix` from the key `start` on, in order."""
        with self._transaction.cursor() as cursor:
            found = cursor.set_range(start)
            while found and bytes(cursor.key()).startswith(prefix):
                yield bytes(cursor.key()), bytes(cursor.value())
                found = cursor.next()

    def close(self) -> None:
        """End the snapshot."""
        self._transaction.abort()

    def __enter__(self) -> Self:
        """Use it in a `with` block."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the snapshot."""
        self.close()


class LmdbStore:
    """One LMDB file in the data folder; one writer, any number of snapshots."""

    def __init__(self, folder: Path, map_bytes: int = MAP_BYTES) -> None:
        """Open or create the file, readable by its owner only.

        Raises:
            CannotOpen: the folder is not writable, or the file is not LMDB's.
        """
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            path = folder / "ledger.mdb"
            self._env = lmdb.open(
                str(path),
                subdir=False,
                map_size=map_bytes,
                mode=0o600,
                max_readers=MAX_READERS,
                readahead=False,
                lock=True,
            )
        except (lmdb.Error, OSError) as error:
            raise CannotOpen(
                f"the ledger in {folder} cannot be opened ({error}): check that the folder is "
                "yours and writable, or choose another with --data"
            ) from error
        path.chmod(0o600)

    def write(self, batch: Batch) -> None:
        """Write all of `batch` and sync it to disk, or none of it.

        Raises:
            StoreFull: there is no room.
        """
        try:
            with self._env.begin(write=True) as transaction:
                for key, value in batch.items():
                    if value is None:
                        transaction.delete(key)
                    else:
                        transaction.put(key, value)
        except (lmdb.MapFullError, lmdb.DiskError) as error:
            raise StoreFull(type(error).__name__) from error

    def snapshot(self) -> LmdbSnapshot:
        """Begin to read the newest committed state."""
        return LmdbSnapshot(self._env)

    def close(self) -> None:
        """Close the file."""
        self._env.close()
