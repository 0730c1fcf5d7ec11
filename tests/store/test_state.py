"""State: entries of any length, witnesses, and changes in any order."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.units import Nonce, Wei
from keymoot.store.entry import MAX_BLOB_BYTES, pack, unpack
from keymoot.store.journal import Journal
from keymoot.store.proof import verify_account, verify_slot
from keymoot.store.state import State
from keymoot.store.table import MemoryTable, OverlayTable, RecordingTable
from keymoot.store.trie import EMPTY_ROOT, BrokenState

WHO = Address(b"w" * 20)


@given(st.binary(max_size=200))
def test_entries_of_any_length_come_back(value: bytes) -> None:
    slot, blob = pack(value)
    assert 1 <= len(slot) <= 32
    assert slot[0] != 0
    assert unpack(slot, blob) == value


@given(st.binary(min_size=32, max_size=64), st.binary(min_size=32, max_size=64))
def test_a_blob_opens_only_its_own_slot(value: bytes, other: bytes) -> None:
    slot, _ = pack(value)
    if other != value:
        with pytest.raises(Malformed):
            unpack(slot, other)


def test_a_cell_has_a_greatest_size() -> None:
    pack(bytes(MAX_BLOB_BYTES))
    with pytest.raises(Malformed, match="at most"):
        pack(bytes(MAX_BLOB_BYTES + 1))


def _filled() -> tuple[MemoryTable, State]:
    table = MemoryTable()
    journal = Journal(State(table, EMPTY_ROOT))
    for n in range(40):
        address = Address(bytes([n]) * 20)
        journal.set_balance(address, Wei(n + 1))
        for slot in range(6):
            journal.set_entry(address, Bytes32(bytes([slot]) * 32), bytes([n]) * (10 * slot))
    root, batch = State(table, EMPTY_ROOT).updated(journal.changes())
    table.apply(batch)
    return table, State(table, root)


def test_proofs_need_no_store() -> None:
    _, state = _filled()
    address, slot = Address(b"\x07" * 20), Bytes32(b"\x05" * 32)
    account = verify_account(state.root, address, state.prove_account(address))
    assert account == state.account(address)
    assert account.balance == 8
    proved = verify_slot(account.storage_root, slot, state.prove_slot(address, slot))
    assert proved == state.slot(address, slot) != b""
    nobody = Address(b"\xee" * 20)
    assert verify_account(state.root, nobody, state.prove_account(nobody)).balance == 0


def test_a_witness_is_enough_and_every_part_of_it_is_needed() -> None:
    table, state = _filled()
    slots = [Bytes32(bytes([n]) * 32) for n in range(6)]
    recording = RecordingTable(table)
    read = State(recording, state.root)
    wanted = [read.entry(Address(b"\x09" * 20), slot) for slot in slots]
    witness = recording.seen
    again = State(MemoryTable(witness), state.root)
    assert [again.entry(Address(b"\x09" * 20), slot) for slot in slots] == wanted
    for key in witness:
        less = {one: value for one, value in witness.items() if one != key}
        poor = State(MemoryTable(less), state.root)
        with pytest.raises(BrokenState):
            for slot in slots:
                poor.entry(Address(b"\x09" * 20), slot)


def test_a_blob_altered_on_disk_is_refused() -> None:
    table, state = _filled()
    blobs = [key for key, _ in table.items() if key[:1] == b"b"]
    assert blobs
    altered = dict(table.items())
    altered[blobs[0]] = altered[blobs[0]][:-1] + b"!"
    broken = State(MemoryTable(altered), state.root)
    with pytest.raises(BrokenState):
        for n in range(40):
            for slot in range(6):
                broken.entry(Address(bytes([n]) * 20), Bytes32(bytes([slot]) * 32))


def test_the_same_changes_in_any_order_give_the_same_root_and_batch() -> None:
    changes = [(Address(bytes([n % 7]) * 20), Bytes32(bytes([n]) * 32)) for n in range(50)]
    found = set()
    for seed in range(5):
        journal = Journal(State(MemoryTable(), EMPTY_ROOT))
        order = changes[:]
        random.Random(seed).shuffle(order)
        for address, slot in order:
            journal.set_entry(address, slot, bytes(slot) + address)
            journal.set_nonce(address, Nonce(3))
        root, batch = State(MemoryTable(), EMPTY_ROOT).updated(journal.changes())
        found.add((root, tuple(batch.items())))
    assert len(found) == 1


def test_an_overlay_shows_what_will_be_written() -> None:
    table = MemoryTable({b"a": b"1", b"b": b"2"})
    overlay = OverlayTable(table, {b"b": None, b"c": b"3"})
    assert [overlay.get(key) for key in (b"a", b"b", b"c", b"d")] == [b"1", None, b"3", None]
