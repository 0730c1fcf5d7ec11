"""Confidential cells: hidden, bound to their place, and never older than the root."""

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.store.confidential import ConfidentialStore, SealingPlace, TooManyWrites
from keymoot.store.errors import ReadOnly
from keymoot.store.journal import Journal
from keymoot.store.keys import FIRST_NAME, Former, StateKeys, Version, VersionKeys
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore, public_slot
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT, BrokenState
from tests.examples import examples

HERE, THERE = Address(b"h" * 20), Address(b"t" * 20)
KEYS = StateKeys(Secret(b"state secret" + bytes(20)), NetworkId(b"n" * 32)).at(Version())
VALUE = b"the wallet's key, which nobody may see"


def seed(number: int) -> Hash32:
    return Hash32(number.to_bytes(32, "big"))


def store(journal: Journal, where: Address = HERE, height: int = 5, keys: VersionKeys = KEYS):
    place = SealingPlace(seed(height), 0)
    return ConfidentialStore(journal, where, keys, place, FreeMeter())


class Chain:
    """A table that is committed block by block."""

    def __init__(self) -> None:
        self.table, self.root = MemoryTable(), EMPTY_ROOT

    def block(self, height: int, writes: dict[bytes, bytes | None], where: Address = HERE) -> None:
        journal = Journal(self.state())
        for key, value in writes.items():
            store(journal, where, height).set(key, value)
        self.root, batch = self.state().updated(journal.changes())
        self.table.apply(batch)

    def state(self, table: MemoryTable | None = None, root: Hash32 | None = None) -> State:
        return State(table or self.table, root or self.root)

    def get(self, key: bytes, where: Address = HERE, keys: VersionKeys = KEYS) -> bytes | None:
        return store(Journal(self.state()), where, keys=keys).get(key)


@settings(max_examples=examples(40), deadline=None)
@given(st.dictionaries(st.binary(max_size=40), st.binary(max_size=300), max_size=6))
def test_gives_back_what_was_set(writes: dict) -> None:
    chain = Chain()
    chain.block(1, writes)
    assert {key: chain.get(key) for key in writes} == writes
    assert chain.get(b"never set" * 9) is None


def test_nothing_in_the_table_shows_value_or_key() -> None:
    chain = Chain()
    chain.block(1, {b"cell": VALUE})
    everything = b"".join(key + value for key, value in chain.table.items())
    assert VALUE not in everything
    assert VALUE[:12] not in everything
    assert public_slot(b"cell") not in everything


def test_lengths_tell_little() -> None:
    sizes = set()
    for length in range(1, 28):
        chain = Chain()
        chain.block(1, {b"cell": bytes(length)})
        sizes.add(max(len(value) for key, value in chain.table.items() if key[:1] == b"b"))
    assert len(sizes) == 1


def _forged(chain: Chain, change) -> Chain:
    """Put an altered entry into the state, trie and all: a thief who can commit roots."""
    journal = Journal(chain.state())
    slot = KEYS.contract_keys(HERE).slot(b"cell")
    sealed = journal.entry(HERE, slot)
    assert sealed is not None
    change(journal, slot, sealed)
    chain.root, batch = chain.state().updated(journal.changes())
    chain.table.apply(batch)
    return chain


def test_a_sealed_value_does_not_open_under_another_contract_key_or_nonce() -> None:
    def made() -> Chain:
        chain = Chain()
        chain.block(1, {b"cell": VALUE})
        return chain

    other = KEYS.contract_keys(HERE).slot(b"other")
    chain = _forged(made(), lambda journal, _, sealed: journal.set_entry(HERE, other, sealed))
    with pytest.raises(BrokenState):
        chain.get(b"other")

    there = KEYS.contract_keys(THERE).slot(b"cell")
    chain = _forged(made(), lambda journal, _, sealed: journal.set_entry(THERE, there, sealed))
    with pytest.raises(BrokenState):
        chain.get(b"cell", THERE)

    def redrawn(journal: Journal, slot: Bytes32, sealed: bytes) -> None:
        nonce = KEYS.contract_keys(HERE).nonce(seed(9), 0, 1)
        journal.set_entry(HERE, slot, sealed[:4] + nonce + sealed[16:])

    with pytest.raises(BrokenState):
        _forged(made(), redrawn).get(b"cell")


def test_every_flipped_bit_of_a_sealed_value_is_refused() -> None:
    chain = Chain()
    chain.block(1, {b"cell": VALUE})
    slot = KEYS.contract_keys(HERE).slot(b"cell")
    sealed = chain.state().entry(HERE, slot)
    assert sealed is not None
    for bit in range(8 * len(sealed)):
        broken = bytearray(sealed)
        broken[bit // 8] ^= 1 << bit % 8
        journal = Journal(chain.state())
        journal.set_entry(HERE, slot, bytes(broken))
        with pytest.raises(BrokenState):
            store(journal).get(b"cell")


def test_a_value_of_an_older_state_put_back_on_disk_is_refused() -> None:
    chain = Chain()
    chain.block(1, {b"cell": b"one" * 20})
    yesterday = dict(chain.table.items())
    chain.block(2, {b"cell": b"two" * 20})
    for entry, old in yesterday.items():
        now = dict(chain.table.items())
        if now.get(entry) in (None, old):
            continue
        table = MemoryTable(now | {entry: old})
        with pytest.raises(BrokenState):
            store(Journal(chain.state(table))).get(b"cell")
    assert chain.get(b"cell") == b"two" * 20


def test_another_network_or_generation_opens_nothing() -> None:
    chain = Chain()
    chain.block(1, {b"cell": VALUE})
    for keys in (
        StateKeys(Secret(b"another" + bytes(25)), NetworkId(b"n" * 32)).at(Version()),
        StateKeys(Secret(b"state secret" + bytes(20)), NetworkId(b"m" * 32)).at(Version()),
    ):
        assert chain.get(b"cell", keys=keys) is None  # it does not even find the slot


def test_nonces_never_repeat_and_end() -> None:
    here, there = KEYS.contract_keys(HERE), KEYS.contract_keys(THERE)
    place = SealingPlace(seed(7), 3)
    seen = {place.next_nonce(here) for _ in range(0xFFFF)}
    assert len(seen) == 0xFFFF
    with pytest.raises(TooManyWrites):
        place.next_nonce(here)
    assert SealingPlace(seed(8), 3).next_nonce(here) not in seen
    assert SealingPlace(seed(7), 4).next_nonce(here) not in seen
    assert SealingPlace(seed(7), 3).next_nonce(there) not in seen
    assert SealingPlace(seed(7), 3).next_nonce(here) in seen


def test_a_nonce_is_twelve_bytes_of_an_hmac() -> None:
    keys = KEYS.contract_keys(HERE)
    message = b"nonce" + seed(7) + bytes([0, 0, 0, 3]) + bytes([0, 0, 1, 2])
    assert keys.nonce(seed(7), 3, 258) == hmac.digest(keys.blind.expose(), message, "sha256")[:12]


def test_a_view_cannot_write() -> None:
    journal = Journal(Chain().state())
    with pytest.raises(ReadOnly):
        ConfidentialStore(journal, HERE, KEYS, None, FreeMeter()).set(b"cell", b"x")
    with pytest.raises(ReadOnly):
        PublicStore(journal, HERE, FreeMeter(), writable=False).set(b"cell", b"x")


NAME = Bytes32(b"v" * 32)


def raised() -> tuple[VersionKeys, VersionKeys]:
    """Keys after the version was raised: of who stayed, and of who has left with the old secret."""
    stayed = StateKeys(Secret(b"state secret" + bytes(20)), KEYS.network)
    stayed.take(Secret(b"another state secret" + bytes(12)), NAME)
    bare = Version(NAME, (Former(FIRST_NAME, b""),))
    wrapped = stayed.at(bare).wrapped()
    assert wrapped is not None
    version = Version(NAME, wrapped)
    left = StateKeys(Secret(b"state secret" + bytes(20)), KEYS.network)
    return stayed.at(version), left.at(version)


def written(journal: Journal, keys: VersionKeys, key: bytes, value: bytes) -> bytes:
    store(journal, keys=keys).set(key, value)
    found = journal.entry(HERE, keys.contract_keys(HERE).slot(key))
    assert found is not None
    return found


def test_old_values_open_and_are_sealed_anew_when_they_are_written() -> None:
    stayed, left = raised()
    journal = Journal(Chain().state())
    assert written(journal, KEYS, b"cell", VALUE)[:4] == bytes(4)
    for keys in (stayed, left):
        assert store(journal, keys=keys).get(b"cell") == VALUE
    assert written(journal, stayed, b"cell", VALUE)[:4] == bytes([0, 0, 0, 1])
    assert store(journal, keys=stayed).get(b"cell") == VALUE


def test_who_has_left_does_not_open_what_is_written_later_nor_by_naming_its_own_version() -> None:
    stayed, left = raised()
    journal = Journal(Chain().state())
    sealed = written(journal, stayed, b"cell", VALUE)
    with pytest.raises(Defect, match="before it is here"):
        store(journal, keys=left).get(b"cell")
    # It finds the slot, and sees when it changes.
    slot = KEYS.contract_keys(HERE).slot(b"cell")
    assert journal.entry(HERE, slot) == sealed
    journal.set_entry(HERE, slot, bytes(4) + sealed[4:])
    for keys in (stayed, left, KEYS):
        with pytest.raises(BrokenState):
            store(journal, keys=keys).get(b"cell")


def test_a_value_of_a_version_that_has_not_come_is_no_value() -> None:
    stayed, _ = raised()
    journal = Journal(Chain().state())
    written(journal, stayed, b"cell", VALUE)
    with pytest.raises(BrokenState):
        store(journal).get(b"cell")
