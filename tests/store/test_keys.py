"""State keys whose secret comes later: nothing works before, the first one counts for ever."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.fixed import Address, NetworkId
from keymoot.base.secret import Secret
from keymoot.store.keys import StateKeys

NETWORK, HERE = NetworkId(b"n" * 32), Address(b"a" * 20)


def draws(keys: StateKeys) -> tuple[bytes, bytes]:
    drawn = keys.random(b"h" * 32, 0, 1, 32).expose()
    return drawn, bytes(keys.contract_keys(HERE).slot(b"cell"))


def test_late_keys_are_the_same_keys() -> None:
    late = StateKeys(None, NETWORK, 0)
    assert not late.held
    for use in (lambda: late.contract_keys(HERE), lambda: late.random(b"h" * 32, 0, 1, 32)):
        with pytest.raises(Defect, match="before it is here"):
            use()
    late.take(Secret(b"s" * 32))
    assert late.held
    assert draws(late) == draws(StateKeys(Secret(b"s" * 32), NETWORK, 0))


def test_the_first_secret_counts_and_another_is_a_defect() -> None:
    keys = StateKeys(None, NETWORK, 0)
    keys.take(Secret(b"s" * 32))
    before = draws(keys)
    keys.take(Secret(b"s" * 32))
    with pytest.raises(Defect, match="different state secrets"):
        keys.take(Secret(b"t" * 32))
    assert draws(keys) == before
