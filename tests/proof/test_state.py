"""Accounts and cells under a state root: exactly what was shown, and nothing beside it."""

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Height
from keymoot.committee.pages import HEAD
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.proof.build import prove, prove_cells
from keymoot.proof.committee import page_slot
from keymoot.proof.errors import NotProven
from keymoot.proof.state import AccountProof, SlotProof
from keymoot.store.entry import pack
from keymoot.store.history import HISTORY_ADDRESS, history_slot
from keymoot.store.journal import Journal
from keymoot.store.proof import BrokenProof
from keymoot.store.state import State
from keymoot.store.trie import EMPTY_ROOT
from tests.proof.altered import alterations, refusal
from tests.proof.world import World

WORLD = World()
WORLD.run(range(3))
LONG, SHORT, ABSENT = page_slot("seat/1"), page_slot("short"), page_slot("seat/9")
WORLD.change({"short": b"brief"})
ROOT = WORLD.state.root
PROOF = prove_cells(WORLD.state, Nodes.ADDRESS, [LONG, SHORT, ABSENT])


def test_what_was_shown_is_what_the_state_says() -> None:
    storage = AccountProof.from_json(PROOF.to_json()).check(ROOT)
    assert storage.account == WORLD.state.account(Nodes.ADDRESS)
    assert storage.cell(Nodes.pages.slot_key(b"seat/1")) == WORLD.seat(1).encode()
    assert storage.cell(Nodes.pages.slot_key(b"short")) == b"brief"
    assert storage.cell(Nodes.pages.slot_key(b"seat/9")) is None
    with pytest.raises(NotProven, match="not in the proof"):
        storage.cell(Nodes.pages.slot_key(HEAD.name.encode()))


@given(st.data())
def test_whatever_is_altered_is_refused_or_says_less(data: st.DataObject) -> None:
    changed = data.draw(alterations(PROOF.to_json()))
    assume(changed is not None)
    true = PROOF.check(ROOT)

    def check() -> None:
        storage = AccountProof.from_json(changed).check(ROOT)
        # Another absent slot on the same path, or fewer slots: less than was asked, but true.
        for slot, value in storage.slots.items():
            assert value == WORLD.state.slot(Nodes.ADDRESS, slot)
        for name in (b"seat/1", b"short", b"seat/9"):
            assert storage.cell(Nodes.pages.slot_key(name)) == true.cell(Nodes.pages.slot_key(name))

    assert refusal(check) in {"MALFORMED", "NOT_PROVEN", "BROKEN_PROOF"}


def test_superfluous_nodes_are_refused() -> None:
    node = PROOF.nodes[-1]
    with pytest.raises(BrokenProof, match="not needed"):
        replace(PROOF, nodes=(*PROOF.nodes, node)).check(ROOT)
    slot = PROOF.slots[0]
    with pytest.raises(BrokenProof, match="not needed"):
        replace(PROOF, slots=(replace(slot, nodes=(*slot.nodes, node)),)).check(ROOT)


def test_an_old_state_is_another_state() -> None:
    old = WORLD.branch(1)
    proof = prove_cells(old.state, Nodes.ADDRESS, [LONG])
    proof.check(old.state.root)
    with pytest.raises(BrokenProof):
        proof.check(ROOT)


def test_a_long_value_is_whole_and_its_slots_own() -> None:
    slot = PROOF.slots[0]
    assert slot.blob
    for blob in (slot.blob[:-1], slot.blob + b"\0", WORLD.seat(2).encode()):
        with pytest.raises(NotProven, match="not what it names"):
            replace(PROOF, slots=(replace(slot, blob=blob),)).check(ROOT)
    storage = replace(PROOF, slots=(replace(slot, blob=b""),)).check(ROOT)
    with pytest.raises(NotProven, match="is missing"):
        storage.cell(Nodes.pages.slot_key(b"seat/1"))


def test_a_short_value_has_nothing_beside_it() -> None:
    for slot, blob in ((PROOF.slots[1], b"brief"), (PROOF.slots[2], b"something")):
        with pytest.raises(NotProven, match="not what it names"):
            replace(PROOF, slots=(replace(slot, blob=blob),)).check(ROOT)


def test_a_slot_comes_once() -> None:
    with pytest.raises(NotProven, match="twice"):
        replace(PROOF, slots=(PROOF.slots[0], PROOF.slots[0])).check(ROOT)


def test_an_account_that_is_absent_has_nothing() -> None:
    nobody = Address(b"n" * 20)
    storage = prove(WORLD.state, nobody, [LONG]).check(ROOT)
    assert storage.account.storage_root == EMPTY_ROOT
    assert storage.slot(LONG) == b""
    forged = AccountProof(nobody, PROOF.nodes, ())
    with pytest.raises(BrokenProof):
        forged.check(ROOT)


def test_a_hash_that_looks_like_a_cell_is_still_a_hash() -> None:
    # Other contracts keep whole words; one in 256 begins as a slot of ours with a long value.
    world = World()
    journal = Journal(world.state)
    word = Bytes32(b"\x02" + b"h" * 31)
    journal.set_slot(HISTORY_ADDRESS, history_slot(Height(77)), word)
    root, batch = world.state.updated(journal.changes())
    world.table.apply(batch)
    state = State(world.table, root)
    proof = prove(state, HISTORY_ADDRESS, [history_slot(Height(77))])
    assert proof.check(root).slot(history_slot(Height(77))) == word


def test_the_slot_proves_the_first_31_bytes_of_its_hash() -> None:
    slot, blob = pack(WORLD.seat(1).encode())
    assert blob == PROOF.slots[0].blob
    assert PROOF.check(ROOT).slot(LONG) == slot


def test_a_proof_is_bounded() -> None:
    many = SlotProof(LONG, tuple(b"" for _ in range(66)))
    for proof in (
        AccountProof(Nodes.ADDRESS, PROOF.nodes, (many,)),
        AccountProof(Nodes.ADDRESS, tuple(b"" for _ in range(66)), ()),
        AccountProof(Nodes.ADDRESS, (b"n" * 1_025,), ()),
        AccountProof(Nodes.ADDRESS, PROOF.nodes, PROOF.slots * 100),
    ):
        assert refusal(lambda proof=proof: AccountProof.from_json(proof.to_json())) == "MALFORMED"
