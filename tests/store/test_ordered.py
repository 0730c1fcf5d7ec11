"""Roots of ordered lists: py-trie as oracle, each item proved, nothing believed."""

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie

from keymoot.base.errors import Defect, Malformed
from keymoot.store.ordered import ordered_proof, ordered_root, verify_ordered
from keymoot.store.proof import BrokenProof
from keymoot.store.trie import EMPTY_ROOT
from tests.examples import examples

items = st.lists(st.binary(min_size=1, max_size=60), max_size=20)


def oracle(listed: list[bytes]) -> HexaryTrie:
    trie = HexaryTrie({})
    for index, item in enumerate(listed):
        trie[rlp.encode(index)] = item
    return trie


@settings(max_examples=examples(60), deadline=None)
@given(items)
def test_agrees_with_py_trie(listed: list[bytes]) -> None:
    assert ordered_root(listed) == oracle(listed).root_hash


@pytest.mark.parametrize("length", [0, 1, 2, 16, 127, 128, 129, 256, 257, 300])
def test_every_item_is_proved_and_so_is_the_end(length: int) -> None:
    listed = [b"item %d" % index * (1 + index % 9) for index in range(length)]
    root, other = ordered_root(listed), oracle(listed)
    assert root == other.root_hash
    for index in {0, 1, 127, 128, 255, 256, length - 1, length} - {-1}:
        proof = ordered_proof(listed, index)
        known = listed[index] if index < length else None
        assert verify_ordered(root, index, proof) == known
        assert HexaryTrie.get_from_proof(
            root, rlp.encode(index), other.get_proof(rlp.encode(index))
        ) == (known or b"")


def test_no_items_have_ethereums_empty_root() -> None:
    assert ordered_root([]) == EMPTY_ROOT
    assert verify_ordered(EMPTY_ROOT, 0, []) is None


def test_a_proof_of_another_place_or_list_is_refused() -> None:
    listed = [bytes([index]) * 40 for index in range(20)]
    root, proof = ordered_root(listed), ordered_proof(listed, 3)
    for wrong_root, index, nodes in [
        (root, 3, proof[:-1]),
        (root, 3, [*proof, proof[-1]]),
        (root, 17, proof),
        (ordered_root(listed[:-1]), 3, proof),
        (root, 3, [*proof[:-1], proof[-1][:-1] + b"\x00"]),
    ]:
        with pytest.raises(BrokenProof):
            verify_ordered(wrong_root, index, nodes)


def test_an_empty_item_and_a_place_below_zero_are_refused() -> None:
    with pytest.raises(Defect, match="item 1 of a list is empty"):
        ordered_root([b"a", b""])
    with pytest.raises(Malformed, match="counted from 0"):
        ordered_proof([b"a"], -1)
