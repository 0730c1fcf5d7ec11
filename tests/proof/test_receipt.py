"""Receipts: of this transaction, at this place of this block, and of no other."""

from dataclasses import replace

import pytest
from eth_hash.auto import keccak
from hypothesis import assume, given
from hypothesis import strategies as st
from rlp import encode
from trie import HexaryTrie

from keymoot.base.errors import KeymootError
from keymoot.proof.errors import NotProven
from keymoot.proof.receipt import ReceiptProof
from keymoot.store.proof import BrokenProof
from tests.proof.altered import alterations, refusal
from tests.proof.dossiers import TRANSACTIONS, busy_block, receipt_proof, receipts
from tests.proof.world import World

WORLD = World()
BLOCK = busy_block(WORLD)
SHOWN = WORLD.certify(BLOCK)


def read(proof: ReceiptProof):
    proof.shown.check(WORLD.anchor)
    return proof.check(proof.shown.header)


@pytest.mark.parametrize("index", range(3))
def test_a_transaction_and_its_receipt_are_proved(index: int) -> None:
    found = read(ReceiptProof.from_json(receipt_proof(SHOWN, index).to_json()))
    assert (found.header, found.index, found.transaction) == (BLOCK, index, TRANSACTIONS[index])
    assert found.hash == keccak(TRANSACTIONS[index])
    assert (found.status, found.cumulative_gas) == (index % 2, 21_000 * (index + 1))
    assert [log.data for log in found.logs] == [b"data"] * index


def test_other_code_agrees_on_roots_and_proofs() -> None:
    for items, root in (
        (TRANSACTIONS, BLOCK.transactions_root),
        (receipts(), BLOCK.receipts_root),
    ):
        other = HexaryTrie({})
        for at, item in enumerate(items):
            other[encode(at)] = item
        assert other.root_hash == root
    proof = receipt_proof(SHOWN, 1)
    from rlp import decode

    nodes = [decode(node) for node in proof.receipt]
    assert HexaryTrie.get_from_proof(BLOCK.receipts_root, encode(1), nodes) == receipts()[1]


def test_a_block_without_a_certificate_is_named_by_its_descendants() -> None:
    world = World()
    block = busy_block(world)
    # Its successors name it: the world makes them from the newest header.
    middle = world.block()
    newest = world.certify(world.block())
    proof = receipt_proof(newest, 1, (middle.encode(), block.encode()))
    newest.check(world.anchor)
    assert proof.check(newest.header).header == block
    for links in ((), (middle.encode(),), (block.encode(),), (block.encode(), middle.encode())):
        assert refusal(lambda links=links: replace(proof, links=links).check(newest.header)) in {
            "NOT_PROVEN",
            "BROKEN_PROOF",
        }


def test_receipts_of_other_blocks_places_and_lists_are_refused() -> None:
    proof, other = receipt_proof(SHOWN, 1), receipt_proof(SHOWN, 2)
    with pytest.raises(BrokenProof):
        replace(proof, index=2).check(BLOCK)
    with pytest.raises(BrokenProof):
        replace(proof, receipt=other.receipt).check(BLOCK)
    with pytest.raises(BrokenProof):
        replace(proof, receipt=proof.transaction).check(BLOCK)
    with pytest.raises(NotProven, match="another header"):
        proof.check(World("another").block())
    # A place beyond the last is proved to be empty: that is no transaction.
    with pytest.raises(NotProven, match="no transaction at index 3"):
        receipt_proof(SHOWN, 3).check(BLOCK)


@given(st.data())
def test_whatever_is_altered_is_refused(data: st.DataObject) -> None:
    changed = data.draw(alterations(receipt_proof(SHOWN, 1).to_json()))
    assume(changed is not None)
    said = refusal(lambda: read(ReceiptProof.from_json(changed)))
    assert said in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF", "NOT_CERTIFIED"}


@given(st.binary(max_size=600))
def test_what_is_no_receipt_is_refused_by_our_own_errors(raw: bytes) -> None:
    from keymoot.store.ordered import ordered_proof, ordered_root

    assume(raw and raw[0] >= 0xC0)
    items = (raw,)
    header = replace(
        BLOCK, transactions_root=ordered_root(items), receipts_root=ordered_root(items)
    )
    proof = ReceiptProof(
        replace(SHOWN, header=header),
        (),
        0,
        tuple(ordered_proof(items, 0)),
        tuple(ordered_proof(items, 0)),
    )
    try:
        proof.check(header)
    except KeymootError as error:
        assert str(error)
