"""What state is kept in: bytes by key, changed by whole batches.

`store` needs reads only and returns batches; who keeps the bytes (LMDB in `engine`,
a dict here) applies a batch atomically. A table is never believed: whoever reads
state checks each entry up to a root.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol, TypeAlias, TypeVar

from keymoot.base.errors import BrokenStorage, KeymootError

T = TypeVar("T")

Batch: TypeAlias = dict[bytes, bytes | None]
"""Entries to write; None deletes. Keys are at most 130 bytes."""

Writes: TypeAlias = Mapping[bytes, bytes | None]


class Table(Protocol):
    """Read access to entries by key."""

    def get(self, key: bytes) -> bytes | None: ...


class PathTable(ABC):
    """A table that is far away: asking it costs more than reading it, so a path is one question."""

    @abstractmethod
    def get(self, key: bytes) -> bytes | None:
        """Give the entry, or None."""

    @abstractmethod
    def path(self, prefix: bytes, nibbles: bytes, start: int) -> Sequence[bytes]:
        """Give the nodes of a trie from the one at `nibbles[:start]` on, as far as they lead.

        `prefix` is what the trie's entries start with; of nibbles there are at most 64.
        """


def read(table: Table, key: bytes) -> bytes | None:
    """Raise BrokenStorage alone, whatever the table raised: no transaction is to blame."""
    return _read(lambda: table.get(key))


def read_path(table: PathTable, prefix: bytes, nibbles: bytes, start: int) -> Sequence[bytes]:
    """As `read`, for the nodes of a path."""
    return _read(lambda: table.path(prefix, nibbles, start))


def _read(ask: Callable[[], T]) -> T:
    try:
        return ask()
    except (BrokenStorage, MemoryError):
        raise
    except KeymootError as error:
        raise BrokenStorage(str(error)) from error
    except Exception as error:
        raise BrokenStorage(
            "the ledger's file cannot be read: see to the disk, and start the node again"
        ) from error


class MemoryTable:
    """A table in memory: for tests, examples and witnesses."""

    def __init__(self, entries: dict[bytes, bytes] | None = None) -> None:
        self._entries = dict(entries or {})

    def get(self, key: bytes) -> bytes | None:
        return self._entries.get(key)

    def apply(self, batch: Batch) -> None:
        for key, value in batch.items():
            if value is None:
                self._entries.pop(key, None)
            else:
                self._entries[key] = value

    def items(self) -> Iterator[tuple[bytes, bytes]]:
        return iter(sorted(self._entries.items()))

    def __len__(self) -> int:
        return len(self._entries)


class RecordingTable:
    """Reads through to another table and remembers what was found: a witness."""

    def __init__(self, inner: Table) -> None:
        self._inner = inner
        self.seen: dict[bytes, bytes] = {}

    def get(self, key: bytes) -> bytes | None:
        value = self._inner.get(key)
        if value is not None:
            self.seen[key] = value
        return value


class OverlayTable:
    """A table with a batch laid over it: what will be there once it is written."""

    def __init__(self, inner: Table, batch: Batch) -> None:
        self._inner = inner
        self._batch = batch

    def get(self, key: bytes) -> bytes | None:
        return self._batch[key] if key in self._batch else self._inner.get(key)
