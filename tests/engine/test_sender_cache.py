"""Opened transactions: remembered, and bounded by their bytes, whoever sends them."""

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, Nonce, Wei
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.engine import sender_cache as module
from keymoot.engine.sender_cache import MAX_BYTES, SenderCache
from keymoot.runtime.transactions import LedgerTransaction
from tests.engine.parts import transfer
from tests.engine.test_mempool import opened
from tests.runtime.people import OWNER, STRANGER, VAULT


class Counted:
    """Opens transactions, and counts how often."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, raw: bytes) -> LedgerTransaction:
        self.count += 1
        return opened(raw)


def long(nonce: int) -> bytes:
    """A transaction of 64 kB by somebody who has nothing."""
    tx = EvmTransaction(
        DYNAMIC_FEE, 0x5AFD, Nonce(nonce), Wei(0), Wei(1), Gas(0), VAULT, Wei(0), bytes(65_000)
    )
    return tx.signed_bytes(sign(STRANGER.key, signing_hash(tx)))


def test_long_transactions_of_strangers_are_forgotten_again() -> None:
    fresh = Counted()
    remembered = SenderCache(fresh)
    most = MAX_BYTES // len(long(0))
    for nonce in range(most + 40):
        remembered.open(long(nonce))
        assert len(remembered) == min(nonce + 1, most)
    assert fresh.count == most + 40
    remembered.open(long(most + 39))
    assert fresh.count == most + 40
    remembered.open(long(0))
    assert fresh.count == most + 41


def test_what_is_asked_for_again_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COUNT", 2)
    fresh = Counted()
    remembered = SenderCache(fresh)
    first, second, third = (transfer(OWNER, nonce) for nonce in range(3))
    for raw in (first, second, first, third, first):
        assert remembered.open(raw) == opened(raw)
    assert (fresh.count, len(remembered)) == (3, 2)
    remembered.open(second)
    assert fresh.count == 4


def test_what_is_no_transaction_is_not_remembered() -> None:
    remembered = SenderCache(opened)
    for _ in range(2):
        with pytest.raises(Malformed):
            remembered.open(b"\x02")
    assert len(remembered) == 0
