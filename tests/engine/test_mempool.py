"""The mempool, as a dialogue with senders."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.fixed import Bytes32, NetworkId, RequestId, WalletId
from keymoot.base.request import Request
from keymoot.base.units import LEDGER_CHAIN_ID, Nonce, UnixSeconds
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest
from keymoot.engine import mempool as module
from keymoot.engine.mempool import AlreadyKnown, Mempool, PoolFull, Underpriced
from keymoot.runtime.transactions import LedgerTransaction, open_transaction
from tests.engine.parts import transfer
from tests.examples import examples
from tests.runtime.people import AGENT, OWNER, STRANGER, Person

NETWORK = NetworkId(b"n" * 32)
NOW = UnixSeconds(0)


def opened(raw: bytes) -> LedgerTransaction:
    return open_transaction(raw, LEDGER_CHAIN_ID, NETWORK)


def request(number: int, expires: int = 100) -> LedgerTransaction:
    name = RequestId(number.to_bytes(32, "big"))
    made = Request(
        NETWORK, WalletId(bytes(32)), name, UnixSeconds(expires), "x", b"", Bytes32(bytes(32))
    )
    return opened(made.signed_bytes(sign(AGENT.key, request_digest(made))))


def nonces(pool: Mempool) -> list[int]:
    return [tx.ethereum.nonce for tx in pool.ready(100) if tx.ethereum]


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
    names = [tx.request.request_id[-1] for tx in pool.ready(10) if tx.request]
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
    pool.remove(request(0).hash, NOW)
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
    pool.remove(request(1).hash, NOW)
    pool.add(request(2))


def test_stale_transactions_and_expired_requests_are_forgotten() -> None:
    pool = Mempool()
    for nonce in range(3):
        pool.add(opened(transfer(OWNER, nonce)))
    pool.add(request(1, expires=50))
    pool.add(request(2, expires=90))
    pool.advance([OWNER.address], lambda _: Nonce(2), NOW)
    pool.forget_stale(UnixSeconds(60))
    assert len(pool) == 2
    assert nonces(pool) == [2]


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
    pool.remove(request(1).hash, NOW)
    pool.remove(request(2).hash, NOW)
    assert pool.requests_of(wallet) == 0


def person(number: int) -> Person:
    return Person(f"person {number}")


def test_what_is_ahead_of_its_turn_waits_ten_minutes() -> None:
    pool = Mempool()
    ahead = [opened(transfer(OWNER, nonce)) for nonce in (2, 3)]
    for tx in ahead:
        pool.add(tx, Nonce(0), UnixSeconds(1_000))
    pool.add(opened(transfer(AGENT, 0)), Nonce(0), UnixSeconds(1_000))
    pool.expire(UnixSeconds(1_000 + module.AHEAD_SECONDS))
    assert len(pool) == 3
    pool.expire(UnixSeconds(1_001 + module.AHEAD_SECONDS))
    assert [tx.hash in pool for tx in ahead] == [False, False]
    assert len(pool) == 1, "what is in its turn does not expire"
    assert pool.cost_before(OWNER.address, Nonce(0)) == 0


def test_what_was_ahead_and_comes_into_its_turn_stays() -> None:
    pool = Mempool()
    pool.add(opened(transfer(OWNER, 1)), Nonce(0), UnixSeconds(0))
    pool.add(opened(transfer(OWNER, 0)), Nonce(0), UnixSeconds(500))
    pool.expire(UnixSeconds(10_000))
    assert nonces(pool) == [0, 1]
    # The first one leaves without having entered a block: the second is ahead from now on.
    pool.remove(opened(transfer(OWNER, 0)).hash, UnixSeconds(10_000))
    assert nonces(pool) == []
    pool.expire(UnixSeconds(10_000 + module.AHEAD_SECONDS))
    assert len(pool) == 1
    pool.expire(UnixSeconds(10_001 + module.AHEAD_SECONDS))
    assert len(pool) == 0


def test_a_crowd_that_is_ahead_cannot_shut_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_COUNT", 20)
    monkeypatch.setattr(module, "MAX_AHEAD", 12)
    pool = Mempool()
    crowd = [person(1 + number) for number in range(30)]
    for one in crowd:
        pool.add(opened(transfer(one, 5)))
    assert len(pool) == 12, "the one that is ahead for longest gives way"
    # Another's gap is filled as always.
    pool.add(opened(transfer(OWNER, 1)))
    pool.add(opened(transfer(OWNER, 0)))
    assert nonces(pool) == [0, 1]
    # And whatever pays comes before whatever waits.
    for nonce in range(2, 20):
        pool.add(opened(transfer(OWNER, nonce)))
    assert nonces(pool) == list(range(20))
    with pytest.raises(PoolFull):
        pool.add(opened(transfer(crowd[0], 5)))
    with pytest.raises(PoolFull):
        pool.add(opened(transfer(crowd[0], 0)))


def test_a_replacement_counts_its_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    small, large = opened(transfer(OWNER, 0)), opened(transfer(OWNER, 0, fee=2**80, value=2**200))
    assert len(large.raw) > len(small.raw) + 20
    monkeypatch.setattr(module, "MAX_BYTES", len(small.raw) + 20)
    pool = Mempool()
    pool.add(small)
    with pytest.raises(PoolFull):
        pool.add(large)
    assert small.hash in pool
    assert nonces(pool) == [0]


def test_a_block_with_the_one_that_was_replaced_clears_the_replacement() -> None:
    pool = Mempool()
    pool.add(opened(transfer(OWNER, 0, fee=10**9)))
    better = opened(transfer(OWNER, 0, fee=2 * 10**9))
    pool.add(better)
    pool.advance([OWNER.address], lambda _: Nonce(1), NOW)
    assert len(pool) == 0


steps = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(0, 2), st.integers(0, 6), st.integers(1, 3)),
        st.tuples(st.just("block"), st.integers(0, 3), st.just(0), st.just(0)),
        st.tuples(st.just("remove"), st.integers(0, 2), st.integers(0, 6), st.just(0)),
        st.tuples(st.just("wait"), st.integers(0, 700), st.just(0), st.just(0)),
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=examples(150))
@given(steps)
def test_the_books_agree_with_what_waits(steps: list[tuple[str, int, int, int]]) -> None:
    """Whatever comes: sums are right, and who is ahead is who has a gap before him."""
    pool, now = Mempool(), 0
    people = [OWNER, AGENT, STRANGER]
    committed = dict.fromkeys((one.address for one in people), 0)
    for kind, first, second, third in steps:
        if kind == "add":
            who = people[first]
            tx = opened(transfer(who, second, fee=third * 10**9))
            if second >= committed[who.address]:
                with contextlib.suppress(AlreadyKnown, Underpriced, PoolFull):
                    pool.add(tx, Nonce(committed[who.address]), UnixSeconds(now))
        elif kind == "block":
            taken = pool.ready(first)
            for tx in taken:
                assert tx.ethereum.nonce == committed[tx.sender]
                committed[tx.sender] += 1
                pool.remove(tx.hash, UnixSeconds(now))
            pool.advance(
                [tx.sender for tx in taken], lambda who: Nonce(committed[who]), UnixSeconds(now)
            )
        elif kind == "remove":
            for fee in (1, 2, 3):
                raw = transfer(people[first], second, fee=fee * 10**9)
                pool.remove(opened(raw).hash, UnixSeconds(now))
        else:
            now += first
            pool.expire(UnixSeconds(now))
        waiting = list(pool._arrival.values())
        ready = {tx.hash for tx in pool.ready(1_000)}
        ahead = [tx for tx in waiting if tx.hash not in ready]
        assert pool._bytes == sum(len(tx.raw) for tx in waiting)
        assert set(pool._ahead) == {tx.hash for tx in ahead}
        assert pool._ahead_bytes == sum(len(tx.raw) for tx in ahead)
        for tx in waiting:
            start = committed[tx.sender]
            chain = pool.next_nonce(tx.sender, Nonce(start))
            assert (tx.hash in ready) == (start <= tx.ethereum.nonce < chain)
