"""Root of an ordered list of byte strings, and the proof of one of them.

A block's transactions and receipts stand in a Merkle Patricia trie under the RLP of their index
(Yellow Paper, section 4.3.2). No such key is the beginning of another.
"""

from collections.abc import Sequence

from keymoot.base import rlp
from keymoot.base.errors import Defect, Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Hash32
from keymoot.store.proof import verify_proof
from keymoot.store.table import Batch, MemoryTable
from keymoot.store.trie import EMPTY_ROOT, NodeCache, Trie


def ordered_root(items: Sequence[bytes]) -> Hash32:
    """The root of a list; none of its items is empty."""
    return _build(items, {})


def ordered_proof(items: Sequence[bytes], index: int) -> list[bytes]:
    """The nodes (RLP, from the root down) that prove the item at `index`, or that none is."""
    batch: Batch = {}
    root = _build(items, batch)
    table = MemoryTable()
    table.apply(batch)
    return Trie(table, b"", root, NodeCache()).prove(_key(index))


def verify_ordered(root: Hash32, index: int, proof: Sequence[bytes]) -> bytes | None:
    """Give the item that `root` commits to at `index`, or None if the list is shorter."""
    return verify_proof(root, _key(index), proof)


def _build(items: Sequence[bytes], batch: Batch) -> Hash32:
    trie = Trie(MemoryTable(), b"", EMPTY_ROOT, NodeCache())
    for index, item in enumerate(items):
        if not item:
            raise Defect(f"item {index} of a list is empty, and has no place in its trie")
        trie.set(_key(index), item)
    return trie.commit(batch)


def _key(index: int) -> bytes:
    if index < 0:
        raise Malformed(f"a list is counted from 0, not from {index}")
    return rlp.encode(uint(index))
