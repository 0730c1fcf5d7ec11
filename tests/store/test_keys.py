"""State keys whose secret comes later: nothing works before, the first one counts for ever."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.store.keys import StateKeys

NETWORK, HERE, SEED = NetworkId(b"n" * 32), Address(b"a" * 20), Hash32(b"h" * 32)


def draws(keys: StateKeys) -> tuple[bytes, ...]:
    drawn, own = keys.random(SEED, 0, 1, 32).expose(), keys.contract_keys(HERE)
    return drawn, keys.mix(SEED), own.nonce(SEED, 0, 1), bytes(own.slot(b"cell"))


def test_late_keys_are_the_same_keys() -> None:
    late = StateKeys(None, NETWORK)
    assert not late.held
    uses = (
        lambda: late.contract_keys(HERE),
        lambda: late.random(SEED, 0, 1, 32),
        lambda: late.mix(SEED),
    )
    for use in uses:
        with pytest.raises(Defect, match="before it is here"):
            use()
    late.take(Secret(b"s" * 32))
    assert late.held
    assert draws(late) == draws(StateKeys(Secret(b"s" * 32), NETWORK))


def test_the_first_secret_counts_and_another_is_a_defect() -> None:
    keys = StateKeys(None, NETWORK)
    keys.take(Secret(b"s" * 32))
    before = draws(keys)
    keys.take(Secret(b"s" * 32))
    with pytest.raises(Defect, match="different state secrets"):
        keys.take(Secret(b"t" * 32))
    assert draws(keys) == before
