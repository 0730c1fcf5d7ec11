"""The mempool, as a dialogue with senders."""

import pytest

from keymoot.base.fixed import Bytes32, NetworkId, RequestId, WalletId
from keymoot.base.request import Request
from keymoot.base.units import Nonce, UnixSeconds
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest
from keymoot.engine import mempool as module
from keymoot.engine.mempool import AlreadyKnown, Mempool, PoolFull, Underpriced
from keymoot.runtime.genesis import LOCAL_CHAIN_ID
from keymoot.runtime.transactions import LedgerTransaction, open_transaction
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER

NETWORK = NetworkId(b"n" * 32)


def opened(raw: bytes) -> LedgerTransaction:
    return open_transaction(raw, LOCAL_CHAIN_ID, NETWORK)


def request(number: int, expires: int = 100) -> LedgerTransaction:
    name = RequestId(number.to_bytes(32, "big"))
    made = Request(
        NETWORK, WalletId(bytes(32)), name, UnixSeconds(expires), "x", b"", Bytes32(bytes(32))
    )
    return opened(made.signed_bytes(sign(AGENT.key, request_digest(made))))


def nonces(pool: Mempool, start: int = 0) -> list[int]:
    ready = pool.ready(lambda _: Nonce(start), 100)
    return [tx.ethereum.nonce for tx in ready if tx.ethereum]


def test_nonces_go_in_order_and_gaps_wait() -> None:
    pool = Mempool()
    for nonce in (2, 0, 4, 1):
        pool.add(opened(transfer(OWNER, nonce)))
    assert nonces(pool) == [0, 1, 2]
    assert pool.next_nonce(OWNER.address, Nonce(0)) == 3
    pool.add(opened(transfer(OWNER, 3)))
    assert nonces(pool) == [0, 1, 2, 3, 4]


def test_a_replacement_bids_a_tenth_more() -> None:
    pool = Mempool()
    pool.add(opened(transfer(OWNER, 0, fee=10**9)))
    with pytest.raises(AlreadyKnown):
        pool.add(opened(transfer(OWNER, 0, fee=10**9)))
    with pytest.raises(Underpriced):
        pool.add(opened(transfer(OWNER, 0, fee=10**9, value=2)))
    with pytest.raises(Underpriced):
        pool.add(opened(transfer(OWNER, 0, fee=11 * 10**8 - 1, value=2)))
    better = opened(transfer(OWNER, 0, fee=11 * 10**8, value=3))
    pool.add(better)
    assert len(pool) == 1
    assert better.hash in pool


def test_requests_have_no_order_and_no_nonce() -> None:
    pool = Mempool()
    for number in (5, 1, 3):
        pool.add(request(number))
    names = [tx.request.request_id[-1] for tx in pool.ready(lambda _: Nonce(0), 10) if tx.request]
    assert names == [5, 1, 3]


def test_one_sender_cannot_fill_the_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_PER_SENDER", 3)
    monkeypatch.setattr(module, "MAX_PER_CREDENTIAL", 2)
    pool = Mempool()
    for nonce in range(3):
        pool.add(opened(transfer(OWNER, nonce)))
    with pytest.raises(PoolFull, match="this account"):
        pool.add(opened(transfer(OWNER, 3)))
    for number in range(2):
        pool.add(request(number))
    with pytest.raises(PoolFull, match="this credential"):
        pool.add(request(2))
    pool.remove(request(0).hash)
    pool.add(request(2))


def test_the_pool_is_bounded_by_count_and_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COUNT", 2)
    pool = Mempool()
    pool.add(request(0))
    pool.add(request(1))
    with pytest.raises(PoolFull):
        pool.add(request(2))
    monkeypatch.setattr(module, "MAX_COUNT", 100)
    monkeypatch.setattr(module, "MAX_BYTES", 3 * len(request(0).raw) - 1)
    with pytest.raises(PoolFull):
        pool.add(request(2))
    pool.remove(request(1).hash)
    pool.add(request(2))


def test_stale_transactions_and_expired_requests_are_forgotten() -> None:
    pool = Mempool()
    for nonce in range(3):
        pool.add(opened(transfer(OWNER, nonce)))
    pool.add(request(1, expires=50))
    pool.add(request(2, expires=90))
    gone = pool.forget_stale(lambda _: Nonce(2), UnixSeconds(60))
    assert len(gone) == 3
    assert len(pool) == 2
    assert nonces(pool, 2) == [2]


def test_what_waits_is_counted_by_cost_and_by_wallet() -> None:
    pool = Mempool()
    for nonce in range(3):
        pool.add(opened(transfer(OWNER, nonce, value=10)))
    each = opened(transfer(OWNER, 0, value=10)).ethereum.max_cost
    assert pool.cost_before(OWNER.address, Nonce(9)) == 3 * each
    assert pool.cost_before(OWNER.address, Nonce(1)) == 2 * each
    assert pool.cost_before(AGENT.address, Nonce(0)) == 0
    wallet = WalletId(bytes(32))
    pool.add(request(1))
    pool.add(request(2))
    assert pool.requests_of(wallet) == 2
    pool.remove(request(1).hash)
    pool.remove(request(2).hash)
    assert pool.requests_of(wallet) == 0
