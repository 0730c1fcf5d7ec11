"""The trie: py-trie as oracle, nothing left behind, nothing believed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from keymoot.base.fixed import Hash32
from keymoot.crypto.keccak import keccak256
from keymoot.store.proof import BrokenProof, verify_proof
from keymoot.store.table import Batch, MemoryTable
from keymoot.store.trie import EMPTY_ROOT, BrokenState, NodeCache, Trie
from tests.examples import examples

KEYS = [keccak256(bytes([index])) for index in range(48)]
PREFIX = b"t"

writes = st.lists(
    st.tuples(st.sampled_from(KEYS), st.one_of(st.just(b""), st.binary(min_size=1, max_size=40))),
    max_size=12,
)


def grow(table: MemoryTable, root: Hash32, changes: list[tuple[bytes, bytes]]) -> Hash32:
    trie = Trie(table, PREFIX, root, NodeCache(4))
    for key, value in changes:
        trie.set(key, value)
    batch: Batch = {}
    after = trie.commit(batch)
    table.apply(batch)
    return after


def fresh(table: MemoryTable, root: Hash32) -> Trie:
    return Trie(table, PREFIX, root, NodeCache(4))


@settings(max_examples=examples(80), deadline=None)
@given(st.lists(writes, max_size=8))
def test_agrees_with_py_trie_on_roots_values_and_proofs(blocks: list) -> None:
    table, root, oracle, model = MemoryTable(), EMPTY_ROOT, HexaryTrie({}), {}
    for block in blocks:
        root = grow(table, root, block)
        for key, value in block:
            if value:
                oracle[key] = value
                model[key] = value
            else:
                model.pop(key, None)
                if key in oracle:
                    del oracle[key]
        assert root == oracle.root_hash
    for key in KEYS:
        trie = fresh(table, root)
        proof = trie.prove(key)
        assert trie.get(key) == model.get(key)
        assert verify_proof(root, key, proof) == model.get(key)
        from_oracle = HexaryTrie.get_from_proof(root, key, oracle.get_proof(key))
        assert from_oracle == (model.get(key) or b"")
    # Nothing stays behind: deleting all of it empties the table.
    assert grow(table, root, [(key, b"") for key in model]) == EMPTY_ROOT
    assert len(table) == 0


@given(st.permutations([(key, b"v" + key[:3]) for key in KEYS[:10]]))
def test_the_order_of_changes_does_not_matter(changes: list) -> None:
    table, wanted = MemoryTable(), MemoryTable()
    assert grow(table, EMPTY_ROOT, changes) == grow(wanted, EMPTY_ROOT, sorted(changes))
    assert list(table.items()) == list(wanted.items())


def filled() -> tuple[MemoryTable, Hash32]:
    table = MemoryTable()
    return table, grow(table, EMPTY_ROOT, [(key, b"value" * 8) for key in KEYS])


def test_every_flipped_bit_on_disk_is_refused() -> None:
    table, root = filled()
    for entry, content in list(table.items()):
        for bit in range(0, 8 * len(content), 37):
            broken = bytearray(content)
            broken[bit // 8] ^= 1 << bit % 8
            altered = MemoryTable(dict(table.items()) | {entry: bytes(broken)})
            with pytest.raises(BrokenState):
                for key in KEYS:
                    fresh(altered, root).get(key)


def test_an_older_node_put_back_is_refused() -> None:
    table, root = filled()
    yesterday = dict(table.items())
    after = grow(table, root, [(KEYS[0], b"newer")])
    rolled_back = MemoryTable(dict(table.items()) | yesterday)
    with pytest.raises(BrokenState):
        fresh(rolled_back, after).get(KEYS[0])
    assert fresh(MemoryTable(yesterday), root).get(KEYS[0]) == b"value" * 8


def test_a_missing_node_is_refused_not_taken_for_absence() -> None:
    table, root = filled()
    for entry, _ in list(table.items()):
        less = dict(table.items())
        del less[entry]
        with pytest.raises(BrokenState):
            for key in KEYS:
                fresh(MemoryTable(less), root).get(key)


def test_proofs_refuse_flipped_bits_missing_and_extra_nodes() -> None:
    table, root = filled()
    for key in (KEYS[3], keccak256(b"absent")):
        proof = fresh(table, root).prove(key)
        assert len(proof) >= 2
        for at, node in enumerate(proof):
            for bit in range(0, 8 * len(node), 11):
                broken = bytearray(node)
                broken[bit // 8] ^= 1 << bit % 8
                with pytest.raises(BrokenProof):
                    verify_proof(root, key, [*proof[:at], bytes(broken), *proof[at + 1 :]])
        with pytest.raises(BrokenProof):
            verify_proof(root, key, proof[:-1])
        with pytest.raises(BrokenProof):
            verify_proof(root, key, [*proof, proof[-1]])


@given(st.lists(st.binary(max_size=80), max_size=4))
def test_proofs_from_strangers_raise_only_broken_proof(proof: list[bytes]) -> None:
    _, root = EMPTY_ROOT, keccak256(b"root")
    with pytest.raises(BrokenProof):
        verify_proof(root, KEYS[0], proof)
