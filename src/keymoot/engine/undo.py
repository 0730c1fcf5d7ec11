"""State of the newest blocks: what each of them wrote over, kept for a while.

The table holds the newest state only. Each block leaves the old values of the keys that it
wrote, as one entry; the state of an earlier height is the newest one under the entries of
all blocks since. Nodes of the trie and their keys are compressed; long values are ciphertexts,
and are not. Entries of more than `KEPT_BLOCKS` blocks ago are pruned.
"""

import zlib
from collections import OrderedDict

from keymoot.base import rlp
from keymoot.base.errors import BrokenStorage, Malformed, Refused
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.units import Height
from keymoot.store.table import Batch, Table, Writes

KEPT_BLOCKS = 128
"""So many states before the newest one stay readable, as many as Ethereum's nodes keep."""

CACHED_BYTES = 16_777_216
"""Entries that stay decoded: those of a few hundred usual blocks, or of a few full ones."""

LONG_BYTES = 4_096
"""Longer values are stored as they are."""

_UNDO = b"U"
_QUICKLY = 1

Entry = dict[bytes, bytes | None]
"""Old values by key; None where there was none."""


class StateNotKept(Refused, code="STATE_NOT_KEPT"):
    """The state of that height is not kept, or there is none yet."""

    def __init__(self, height: Height, oldest: Height, newest: Height) -> None:
        super().__init__(
            f"the state of block {height} is not kept: ask for one from {oldest} to {newest}"
        )


def old_values(table: Table, writes: Writes) -> Entry:
    """Give what stands in a table under the keys that a block is about to write."""
    return {key: table.get(key) for key in sorted(writes)}


def put_undo(batch: Batch, height: Height, entry: Entry) -> None:
    """Write a block's entry, and prune the one that leaves the window; blocks come in order."""
    short: list[rlp.Item] = []
    long: list[rlp.Item] = []
    for key, old in sorted(entry.items()):
        where = long if old is not None and len(old) > LONG_BYTES else short
        where.append([key, b"" if old is None else b"\x01" + old])
    batch[_key(height)] = rlp.encode([zlib.compress(rlp.encode(short), _QUICKLY), long])
    if height > KEPT_BLOCKS:
        batch[_key(Height(height - KEPT_BLOCKS))] = None


class PastViews:
    """Gives tables as of earlier heights; keeps the entries decoded that were used last."""

    def __init__(self, cached_bytes: int = CACHED_BYTES) -> None:
        self._bytes_left = cached_bytes
        self._entries: OrderedDict[Height, tuple[Entry, int]] = OrderedDict()

    def view(self, table: Table, newest: Height, height: Height) -> Table:
        """Give the table as of the state after a block, at most `KEPT_BLOCKS` below `newest`.

        The snapshot is as of `newest`; the view reads it for as long as it is used.
        """
        oldest = Height(max(0, newest - KEPT_BLOCKS))
        if not oldest <= height <= newest:
            raise StateNotKept(height, oldest, newest)
        return table if height == newest else _View(self, table, height, newest)

    def entry(self, table: Table, height: Height) -> Entry:
        undone = self._entries.get(height)
        if undone is not None:
            self._entries.move_to_end(height)
            return undone[0]
        raw = table.get(_key(height))
        if raw is None:
            raise _broken(height)
        try:
            entry = _decode(raw)
        except Malformed as error:
            raise _broken(height) from error
        self._entries[height] = entry, len(raw)
        self._bytes_left -= len(raw)
        while self._bytes_left < 0 and len(self._entries) > 1:
            _, (_, size) = self._entries.popitem(last=False)
            self._bytes_left += size
        return entry


class _View:
    """A table as of an earlier height: the entry of the first block that wrote a key tells."""

    def __init__(self, past: PastViews, table: Table, height: Height, newest: Height) -> None:
        self._past, self._table = past, table
        self._since = range(height + 1, newest + 1)

    def get(self, key: bytes) -> bytes | None:
        for height in self._since:
            entry = self._past.entry(self._table, Height(height))
            if key in entry:
                return entry[key]
        return self._table.get(key)


def _decode(raw: bytes) -> Entry:
    entry: Entry = {}
    packed, long = list_of(rlp.decode(raw, max_items=len(raw)), 2, "undo")
    try:
        plain = zlib.decompress(bytes_of(packed, "undo"))
    except zlib.error as error:
        raise Malformed("that was not compressed") from error
    short = list_of(rlp.decode(plain, max_items=len(plain)), None, "undo")
    for pair in (*short, *list_of(long, None, "undo")):
        key, old = list_of(pair, 2, "undo")
        value = bytes_of(old, "undo")
        entry[bytes_of(key, "undo")] = value[1:] if value else None
    return entry


def _broken(height: Height) -> BrokenStorage:
    return BrokenStorage(
        f"what block {height} wrote over is missing in the data folder or altered: restore it "
        "whole, or start a new one"
    )


def _key(height: Height) -> bytes:
    return _UNDO + height.to_bytes(8, "big")
