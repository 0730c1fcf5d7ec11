"""Ethereum's Merkle Patricia trie, stored by path and checked on every read.

A node is kept under the path that leads to it, so a change overwrites it and leaves
no garbage. Nothing read is believed: its Keccak-256 must be the reference that its
parent (or the root) holds, so an altered or stale entry is refused.

A `Trie` is used for one block: read, change in memory, then `commit` hashes each
changed node once. A table that is far away (`PathTable`) is asked for a whole path at once.
"""

from collections import OrderedDict
from collections.abc import Iterator
from typing import cast

from keymoot.base.errors import BrokenStorage
from keymoot.base.fixed import Hash32
from keymoot.crypto.keccak import keccak256_raw
from keymoot.store.nodes import (
    BRANCH,
    EXTENSION,
    HASH_BYTES,
    LEAF,
    WIDTH,
    Node,
    decode_node,
    encode_node,
    next_on_path,
    nibbles_of,
)
from keymoot.store.table import Batch, PathTable, Table, read, read_path

EMPTY_ROOT = Hash32(keccak256_raw(b"\x80"))

CACHED_NODES = 200_000
"""Decoded nodes that a `NodeCache` keeps; about 200 MB when all are full branches."""


class BrokenState(BrokenStorage, code="BROKEN_STATE"):
    """The table gave something other than what was committed."""

    def __init__(self, what: str) -> None:
        super().__init__(
            f"{what} is missing or is not what was committed: the data folder was altered "
            "or damaged; restore it whole, or start a new one",
            certainty="suspected",
        )


class NodeCache:
    """Nodes by their hash, checked once; oldest out first. Right under any root."""

    def __init__(self, size: int = CACHED_NODES) -> None:
        self._size = size
        # An ordered dict gives its oldest at once; a plain one searches past all that it dropped.
        self._nodes: OrderedDict[bytes, Node] = OrderedDict()

    def get(self, reference: bytes) -> Node | None:
        return self._nodes.get(reference)

    def put(self, reference: bytes, node: Node) -> None:
        if len(self._nodes) >= self._size:
            self._nodes.popitem(last=False)
        self._nodes[reference] = node


class Trie:
    """One trie at one root; keys are 32 bytes, values are not empty."""

    def __init__(
        self,
        table: Table,
        prefix: bytes,
        root: Hash32,
        cache: NodeCache,
        visited: set[bytes] | None = None,
    ) -> None:
        """`visited` gets the table's key of every node that is used, cached or not."""
        self._visited = visited
        self._table = table
        self._far = table if isinstance(table, PathTable) else None
        self._prefix = prefix
        self._cache = cache
        self._root: Node = None if root == EMPTY_ROOT else bytes(root)
        self._gone: set[bytes] = set()

    def get(self, key: bytes) -> bytes | None:
        nibbles = nibbles_of(key)
        at, node = 0, self._root
        while node is not None:
            if type(node) is bytes:
                node = self._load(node, nibbles, at)
            kind = node[0]
            if kind == BRANCH:
                node = node[1][nibbles[at]]
                at += 1
            elif kind == LEAF:
                return cast("bytes", node[2]) if node[1] == nibbles[at:] else None
            else:
                end = at + len(node[1])
                if node[1] != nibbles[at:end]:
                    return None
                node, at = node[2], end
        return None

    def prove(self, key: bytes) -> list[bytes]:
        """The nodes (RLP) from the root towards `key`, for presence or absence.

        Only on a trie without changes.
        """
        proof: list[bytes] = []
        nibbles = nibbles_of(key)
        at, node = 0, self._root
        while node is not None:
            if type(node) is bytes:
                node = self._load(node, nibbles, at)
                proof.append(encode_node(node))
            if node[0] == BRANCH:
                node = node[1][nibbles[at]]
                at += 1
            else:
                end = at + len(node[1])
                if node[0] == LEAF or node[1] != nibbles[at:end]:
                    break
                node, at = node[2], end
        return proof

    def walk(self, visited: set[bytes]) -> Iterator[tuple[bytes, bytes]]:
        """Give every key (32 bytes) and value; add the table's keys that were read to `visited`.

        Only on a trie without changes.
        """
        waiting: list[tuple[Node, bytes]] = [(self._root, b"")]
        while waiting:
            node, path = waiting.pop()
            if type(node) is bytes:
                visited.add(self._prefix + path)
                node = self._load(node, path, len(path))
            if node is None:
                continue
            if node[0] == BRANCH:
                waiting += [(child, path + bytes((at,))) for at, child in enumerate(node[1])]
            elif node[0] == EXTENSION:
                waiting.append((node[2], path + node[1]))
            else:
                digits = (path + node[1]).hex()[1::2]
                yield bytes.fromhex(digits), cast("bytes", node[2])

    def set(self, key: bytes, value: bytes) -> None:
        """Empty bytes delete."""
        nibbles = nibbles_of(key)
        if value:
            self._root = self._insert(self._root, nibbles, 0, value)
        else:
            self._root = self._delete(self._root, nibbles, 0)

    def commit(self, batch: Batch) -> Hash32:
        """Hash what changed, add the entries to `batch`, and give the new root."""
        for path in sorted(self._gone):
            batch[self._prefix + path] = None
        self._gone.clear()
        if self._root is None:
            batch[self._prefix] = None
            return EMPTY_ROOT
        if type(self._root) is list:
            self._root = self._hash(self._root, b"", batch)
        return Hash32(self._root)

    def _load(self, reference: bytes, nibbles: bytes, at: int) -> Node:
        """Give the node at `nibbles[:at]`; from afar, all that follow on the path come with it."""
        key = self._prefix + nibbles[:at]
        if self._visited is not None:
            self._visited.add(key)
        node = self._cache.get(reference)
        if node is not None:
            return node
        if self._far is not None:
            return self._load_path(self._far, reference, nibbles, at)
        raw = read(self._table, key)
        if raw is None or keccak256_raw(raw) != reference:
            raise BrokenState("a node of the state trie")
        node = decode_node(raw)
        self._cache.put(reference, node)
        return node

    def _load_path(self, far: PathTable, reference: bytes, nibbles: bytes, at: int) -> Node:
        """Check a path's nodes, each by what the one before it says: no fewer, and no more."""
        first: Node = None
        wanted: bytes | None = reference
        for raw in read_path(far, self._prefix, nibbles, at):
            if wanted is None:
                raise BrokenState("what follows the end of a path")
            if keccak256_raw(raw) != wanted:
                raise BrokenState("a node of the state trie")
            node = decode_node(raw)
            self._cache.put(wanted, node)
            if first is None:
                first = node
            wanted, at = next_on_path(node, nibbles, at)
        if wanted is not None:
            raise BrokenState("a node of the state trie")
        return first

    def _open(self, node: Node, nibbles: bytes, at: int) -> Node:
        """Give a changeable copy of a node, or the node where it is one already."""
        if type(node) is bytes:
            node = self._load(node, nibbles, at)
        if type(node) is list:
            return node
        return [BRANCH, list(node[1])] if node[0] == BRANCH else list(node)

    def _insert(self, node: Node, nibbles: bytes, at: int, value: bytes) -> Node:
        if node is None:
            return [LEAF, nibbles[at:], value]
        node = self._open(node, nibbles, at)
        if node[0] == BRANCH:
            index = nibbles[at]
            node[1][index] = self._insert(node[1][index], nibbles, at + 1, value)
            return node
        own, rest = node[1], nibbles[at:]
        common = _common_length(own, rest)
        if common == len(own):
            if node[0] == LEAF:
                node[2] = value
            else:
                node[2] = self._insert(node[2], nibbles, at + common, value)
            return node
        branch: Node = [BRANCH, [None] * WIDTH]
        tail = own[common + 1 :]
        if node[0] == EXTENSION and not tail:
            branch[1][own[common]] = node[2]
        else:
            branch[1][own[common]] = [node[0], tail, node[2]]
        branch[1][rest[common]] = [LEAF, rest[common + 1 :], value]
        return [EXTENSION, own[:common], branch] if common else branch

    def _delete(self, node: Node, nibbles: bytes, at: int) -> Node:
        if node is None:
            return None
        original = node
        node = self._open(node, nibbles, at)
        if node[0] == LEAF:
            if node[1] != nibbles[at:]:
                return original
            self._gone.add(nibbles[:at])
            return None
        if node[0] == EXTENSION:
            end = at + len(node[1])
            if node[1] != nibbles[at:end]:
                return original
            child = self._delete(node[2], nibbles, end)
            if child is node[2]:
                return original
            return self._join(node[1], child, nibbles[:end])
        index = nibbles[at]
        child = self._delete(node[1][index], nibbles, at + 1)
        if child is node[1][index]:
            return original
        node[1][index] = child
        left = [i for i in range(WIDTH) if node[1][i] is not None]
        if len(left) > 1:
            return node
        path = nibbles[:at] + bytes((left[0],))
        return self._join(bytes((left[0],)), node[1][left[0]], path)

    def _join(self, nibbles: bytes, child: Node, path: bytes) -> Node:
        """Put `nibbles` before a child at `path`: one node where two would not be canonical."""
        loaded = self._load(child, path, len(path)) if type(child) is bytes else child
        if loaded[0] == BRANCH:
            return [EXTENSION, nibbles, child]
        self._gone.add(path)
        return [loaded[0], nibbles + loaded[1], loaded[2]]

    def _hash(self, node: Node, path: bytes, batch: Batch) -> Node:
        """Give what a parent holds for a changed node: its hash, or itself if short."""
        if node[0] == BRANCH:
            children = node[1]
            for index in range(WIDTH):
                if type(children[index]) is list:
                    children[index] = self._hash(children[index], path + bytes((index,)), batch)
            clean: Node = (BRANCH, tuple(children))
        elif node[0] == EXTENSION:
            child = node[2]
            if type(child) is list:
                child = self._hash(child, path + node[1], batch)
            clean = (EXTENSION, node[1], child)
        else:
            clean = tuple(node)
        raw = encode_node(clean)
        if len(raw) < HASH_BYTES and path:
            batch[self._prefix + path] = None
            return clean
        reference = keccak256_raw(raw)
        batch[self._prefix + path] = raw
        self._cache.put(reference, clean)
        return reference


def _common_length(first: bytes, second: bytes) -> int:
    length = min(len(first), len(second))
    for index in range(length):
        if first[index] != second[index]:
            return index
    return length
