"""Hashes of earlier blocks in state: where EIP-2935 puts them, and for how long."""

from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.crypto.keccak import EMPTY_CODE_HASH
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.history import ancestor_hash, remember_parent
from keymoot.store.history import HISTORY_ADDRESS, KEPT_HASHES, history_slot
from keymoot.store.journal import Journal
from keymoot.store.proof import verify_account, verify_slot
from keymoot.store.state import SlotValue, State, StateChanges, entries_of
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT


def test_a_state_knows_every_block_below_it_and_not_itself() -> None:
    chain = MemoryChain()
    for _ in range(5):
        chain.send_together([])
    state, hashes = chain.state(), [one.header.hash for one in chain.blocks]
    assert ancestor_hash(state, Height(0), Height(5)) == chain.chain.network
    for height in range(1, 5):
        assert ancestor_hash(state, Height(height), Height(5)) == hashes[height - 1]
    for height in (-1, 5, 6, 8191):
        assert ancestor_hash(state, Height(height), Height(5)) is None


def test_anyone_proves_a_parent_hash_from_a_header() -> None:
    chain = MemoryChain()
    for _ in range(3):
        chain.send_together([])
    state, slot = chain.state(), history_slot(Height(2))
    account = verify_account(
        chain.blocks[-1].header.state_root, HISTORY_ADDRESS, state.prove_account(HISTORY_ADDRESS)
    )
    value = verify_slot(account.storage_root, slot, state.prove_slot(HISTORY_ADDRESS, slot))
    assert value.rjust(32, b"\0") == chain.blocks[1].header.hash


def test_the_ring_forgets_and_a_later_hash_is_not_an_earlier_ones() -> None:
    journal = Journal(State(MemoryTable(), EMPTY_ROOT))

    def name(height: int) -> Hash32:
        return Hash32(height.to_bytes(32, "big"))

    newest = 2 * KEPT_HASHES + 10
    for height in range(1, newest + 1):
        remember_parent(journal, Height(height), name(height - 1))
    oldest = newest - KEPT_HASHES
    for height in (oldest, oldest + 1, newest - 1):
        assert ancestor_hash(journal, Height(height), Height(newest)) == name(height)
    for height in (oldest - 1, oldest - KEPT_HASHES, 0, newest):
        assert ancestor_hash(journal, Height(height), Height(newest)) is None


def test_a_hash_with_zeros_in_front_comes_back_whole() -> None:
    name = Hash32(bytes(3) + b"\x01" * 29)
    state = State(MemoryTable(), EMPTY_ROOT)
    journal = Journal(state)
    remember_parent(journal, Height(9), name)
    table = MemoryTable()
    root, batch = state.updated(journal.changes())
    table.apply(batch)
    for slots in (journal, State(table, root)):
        assert ancestor_hash(slots, Height(8), Height(9)) == name
    assert State(table, root).slot(HISTORY_ADDRESS, history_slot(Height(8))) == name.lstrip(b"\0")


def test_a_word_that_looks_like_a_cell_is_none() -> None:
    # The first bytes of cells are 1 and 2; the second names a blob beside the slot.
    table, account = MemoryTable(), Address(b"w" * 20)
    state = State(table, EMPTY_ROOT)
    words = {Bytes32(bytes([at]) * 32): SlotValue(bytes([at]) * 32) for at in range(1, 4)}
    root, batch = state.updated(StateChanges(slots={account: words}))
    table.apply(batch)
    assert State(table, root).account(account).code_hash == EMPTY_CODE_HASH
    assert entries_of(table, root) == {key for key, _ in table.items()}


def test_a_word_is_undone_with_its_transaction() -> None:
    journal, slot = Journal(State(MemoryTable(), EMPTY_ROOT)), history_slot(Height(1))
    journal.set_slot(HISTORY_ADDRESS, slot, Bytes32(b"a" * 32))
    mark = journal.checkpoint()
    journal.set_slot(HISTORY_ADDRESS, slot, Bytes32(bytes(32)))
    assert journal.slot(HISTORY_ADDRESS, slot) == b""
    journal.revert(mark)
    assert journal.slot(HISTORY_ADDRESS, slot) == b"a" * 32
