"""Reading a trie from afar: a path is one question, and nothing of the answer is believed."""

from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import BrokenStorage
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.crypto.keccak import keccak256
from keymoot.engine.reads import path_of
from keymoot.store.blobs import ENTRY_BYTES, BlobCache
from keymoot.store.journal import Journal
from keymoot.store.state import State
from keymoot.store.table import Batch, MemoryTable, PathTable
from keymoot.store.trie import EMPTY_ROOT, BrokenState, NodeCache, Trie

KEYS = [keccak256(bytes([index])) for index in range(200)]
PREFIX = b"t"


class Far(PathTable):
    """A table that counts its questions, and may answer one of them falsely."""

    def __init__(self, table: MemoryTable) -> None:
        self.table, self.questions = table, 0
        self.lie: Callable[[list[bytes]], list[bytes]] = lambda nodes: nodes

    def get(self, key: bytes) -> bytes | None:
        self.questions += 1
        return self.table.get(key)

    def path(self, prefix: bytes, nibbles: bytes, start: int) -> Sequence[bytes]:
        self.questions += 1
        return self.lie(path_of(self.table, prefix, nibbles, start))


def filled(count: int = 200) -> tuple[Far, Hash32]:
    table, batch = MemoryTable(), Batch()
    trie = Trie(table, PREFIX, EMPTY_ROOT, NodeCache())
    for key in KEYS[:count]:
        trie.set(key, b"value" * 8)
    root = trie.commit(batch)
    table.apply(batch)
    return Far(table), root


def test_a_cold_path_is_one_question() -> None:
    far, root = filled()
    assert len(path_of(far.table, PREFIX, bytes(64), 0)) >= 2
    for asked, key in enumerate(KEYS, 1):
        assert Trie(far, PREFIX, root, NodeCache()).get(key) == b"value" * 8
        assert far.questions == asked


def test_what_is_known_is_not_asked_for() -> None:
    far, root = filled()
    trie = Trie(far, PREFIX, root, NodeCache())
    for key in KEYS * 2:
        trie.get(key)
    assert far.questions <= len(KEYS)
    before = far.questions
    for key in KEYS:
        trie.get(key)
    assert far.questions == before


@given(st.lists(st.sampled_from(KEYS), unique=True, max_size=60), st.integers(1, 120))
def test_changes_from_afar_are_those_from_near(gone: list[Hash32], count: int) -> None:
    far, root = filled(count)
    batches, roots = [], []
    for table in (far.table, far):
        trie, batch = Trie(table, PREFIX, root, NodeCache(3)), Batch()
        for at, key in enumerate(gone):
            trie.set(key, b"" if at % 3 else b"other")
        roots.append(trie.commit(batch))
        batches.append(batch)
    assert roots[0] == roots[1]
    assert batches[0] == batches[1]


LIES = {
    "nothing": lambda nodes: [],
    "one too few": lambda nodes: nodes[:-1],
    "one too many": lambda nodes: [*nodes, nodes[-1]],
    "the same twice": lambda nodes: [nodes[0], *nodes],
    "another order": lambda nodes: nodes[::-1],
    "one in the middle left out": lambda nodes: [nodes[0], *nodes[2:]],
    "altered": lambda nodes: [*nodes[:-1], nodes[-1][:-1] + bytes((nodes[-1][-1] ^ 1,))],
    "no node": lambda nodes: [b"\x01", *nodes[1:]],
}


@pytest.mark.parametrize("name", LIES)
def test_a_path_has_no_fewer_nodes_and_no_more(name: str) -> None:
    far, root = filled()
    far.lie = LIES[name]
    with pytest.raises(BrokenState):
        Trie(far, PREFIX, root, NodeCache()).get(KEYS[7])


def test_a_path_of_an_older_trie_is_refused() -> None:
    far, root = filled()
    old, _ = filled(150)
    key = KEYS[7]
    far.lie = lambda _: path_of(old.table, PREFIX, key.hex().encode().translate(_DIGITS), 0)
    with pytest.raises(BrokenState):
        Trie(far, PREFIX, root, NodeCache()).get(key)


_DIGITS = bytes.maketrans(b"0123456789abcdef", bytes(range(16)))


def test_an_answer_that_fails_is_a_broken_storage() -> None:
    far, root = filled()

    def fail(_: list[bytes]) -> list[bytes]:
        raise KeyError

    far.lie = fail
    with pytest.raises(BrokenStorage):
        Trie(far, PREFIX, root, NodeCache()).get(KEYS[7])


def test_long_values_are_kept_within_bytes_and_asked_for_once() -> None:
    who, table = Address(b"w" * 20), MemoryTable()
    journal = Journal(State(table, EMPTY_ROOT))
    slots = [Bytes32(keccak256(bytes((n,)))) for n in range(20)]
    for at, slot in enumerate(slots):
        journal.set_entry(who, slot, bytes((at,)) * 1_000)
    root, batch = State(table, EMPTY_ROOT).updated(journal.changes())
    table.apply(batch)
    far, nodes, blobs = Far(table), NodeCache(), BlobCache(5 * (1_000 + ENTRY_BYTES))
    for slot in slots:
        State(far, root, nodes, blobs=blobs).entry(who, slot)
    before = far.questions
    for at, slot in enumerate(slots):
        if at >= 15:
            assert State(far, root, nodes, blobs=blobs).entry(who, slot) == bytes((at,)) * 1_000
    assert far.questions == before
    assert State(far, root, nodes, blobs=blobs).entry(who, slots[14]) == bytes((14,)) * 1_000
    assert far.questions == before + 1
