"""State keys whose secret comes later: nothing works before, the first one counts for ever."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Bytes32, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.store.keys import FIRST_NAME, WRAPPED_BYTES, Former, StateKeys, Version

FIRST = Version()
NETWORK, HERE, SEED = NetworkId(b"n" * 32), Address(b"a" * 20), Hash32(b"h" * 32)


def draws(held: StateKeys, version: Version = FIRST) -> tuple[bytes, ...]:
    keys = held.at(version)
    drawn, own = keys.random(SEED, 0, 1, 32).expose(), keys.contract_keys(HERE)
    return drawn, keys.mix(SEED), own.nonce(SEED, 0, 1), bytes(own.slot(b"cell"))


def test_late_keys_are_the_same_keys() -> None:
    late = StateKeys(None, NETWORK)
    assert not late.at(FIRST).held
    uses = (
        lambda: late.at(FIRST).contract_keys(HERE),
        lambda: late.at(FIRST).random(SEED, 0, 1, 32),
        lambda: late.at(FIRST).mix(SEED),
    )
    for use in uses:
        with pytest.raises(Defect, match="before it is here"):
            use()
    late.take(Secret(b"s" * 32))
    assert late.at(FIRST).held
    assert draws(late) == draws(StateKeys(Secret(b"s" * 32), NETWORK))


def test_the_first_secret_counts_and_another_is_a_defect() -> None:
    keys = StateKeys(None, NETWORK)
    keys.take(Secret(b"s" * 32))
    before = draws(keys)
    keys.take(Secret(b"s" * 32))
    with pytest.raises(Defect, match="two different state secrets"):
        keys.take(Secret(b"t" * 32))
    assert draws(keys) == before


def raised(times: int) -> tuple[Version, StateKeys]:
    """A version that was raised so often, and keys that have each secret on the way."""
    keys, version = StateKeys(Secret(b"0" * 32), NETWORK), FIRST
    for number in range(1, times + 1):
        name = Bytes32(bytes([number]) * 32)
        keys.take(Secret(b"%d" % number * 32), name)
        version = Version(name, (*version.former, Former(version.name, b"")))
        wrapped = keys.at(version).wrapped()
        assert wrapped is not None
        version = Version(name, wrapped)
    return version, keys


def test_who_has_the_newest_secret_opens_all_older_ones() -> None:
    version, all_keys = raised(3)
    assert [len(one.wrapped) for one in version.former] == [WRAPPED_BYTES] * 3
    newest = StateKeys(None, NETWORK)
    newest.take(Secret(b"3" * 32), version.name)
    assert newest.at(version).held
    for number in range(4):
        assert newest.secret(version, number).expose() == b"%d" % number * 32
    assert draws(newest, version) == draws(all_keys, version)


def test_an_older_secret_opens_none_that_comes_after() -> None:
    version, _ = raised(3)
    older = StateKeys(None, NETWORK)
    older.take(Secret(b"1" * 32), version.former[1].name)
    assert not older.at(version).held
    assert older.secret(version, 0).expose() == b"0" * 32
    for number in (2, 3):
        with pytest.raises(Defect, match="before it is here"):
            older.secret(version, number)


def test_slots_stay_and_what_is_drawn_changes() -> None:
    version, keys = raised(1)
    before, after = draws(keys, FIRST), draws(keys, version)
    assert before[3] == after[3]
    assert before[0] != after[0]
    assert before[1] != after[1]


def test_the_block_after_the_switch_needs_both_secrets() -> None:
    name = Bytes32(b"v" * 32)
    version, keys = Version(name, (Former(FIRST_NAME, b""),)), StateKeys(None, NETWORK)
    keys.take(Secret(b"1" * 32), name)
    assert not keys.at(version).held
    with pytest.raises(Defect, match="before it is here"):
        keys.at(version).wrapped()
    keys.take(Secret(b"0" * 32))
    assert keys.at(version).held


def test_an_altered_or_moved_wrapping_does_not_open() -> None:
    version, _ = raised(2)
    first, second = version.former
    for former in (
        (first, Former(second.name, bytes([second.wrapped[0] ^ 1]) + second.wrapped[1:])),
        (first, Former(second.name, first.wrapped)),
        (first, Former(Bytes32(b"x" * 32), second.wrapped)),
    ):
        keys = StateKeys(None, NETWORK)
        keys.take(Secret(b"2" * 32), version.name)
        with pytest.raises(Defect, match="does not open"):
            keys.secret(Version(version.name, former), 1)
