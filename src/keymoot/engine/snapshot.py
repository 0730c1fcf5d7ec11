"""ABCI's snapshot: the whole state in chunks, believed only as far as its root goes.

A node that joins takes chunks from anybody, and a root from a header that it verified.
Sealed values stay sealed on the way.
"""

from collections.abc import Iterable, Iterator

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32
from keymoot.engine.kept_answers import ScanTable
from keymoot.store.state import STATE_PREFIXES, entries_of
from keymoot.store.table import Batch, MemoryTable

CHUNK_BYTES = 1_048_576
"""Entries are gathered until a chunk has this many bytes."""

MAX_CHUNK_BYTES = 16_777_216
"""Longest chunk that is read."""


def chunks(table: ScanTable) -> Iterator[bytes]:
    """Give a state's entries, in the order of keys, cut into chunks."""
    gathered: list[rlp.Item] = []
    size = 0
    for prefix in STATE_PREFIXES:
        for key, value in table.scan(prefix, prefix):
            gathered.append([key, value])
            size += len(key) + len(value)
            if size >= CHUNK_BYTES:
                yield rlp.encode(gathered)
                gathered, size = [], 0
    if gathered:
        yield rlp.encode(gathered)


def restore(received: Iterable[bytes], root: Hash32) -> Batch:
    """Give the entries to write, once all of them and nothing else lead up to `root`."""
    values: dict[bytes, bytes] = {}
    for chunk in received:
        if len(chunk) > MAX_CHUNK_BYTES:
            raise Malformed(f"a chunk has at most {MAX_CHUNK_BYTES} bytes, got {len(chunk)}")
        for pair in list_of(rlp.decode(chunk, max_items=len(chunk)), None, "chunk"):
            key, value = list_of(pair, 2, "chunk")
            values[bytes_of(key, "key")] = bytes_of(value, "value")
    wanted = entries_of(MemoryTable(values), root)
    extra = values.keys() - wanted
    if extra:
        raise Malformed(f"{len(extra)} entries of the snapshot are not part of the state")
    return dict(values)
