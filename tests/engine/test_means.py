"""Nobody fills blocks with what he cannot pay for."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Bytes32, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, UnixSeconds, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, signing_hash
from keymoot.engine.ledger import Ledger
from keymoot.engine.mempool import AHEAD_SECONDS, MAX_PER_SENDER
from keymoot.runtime.admit import request_price
from keymoot.runtime.inadmissible import Inadmissible
from tests.engine.house import House, founded
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER, RECOVERY, Person, calldata, payment

pytestmark = pytest.mark.own_time


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with founded(tmp_path / "data") as made:
        yield made


async def owners_call(house: House, name: str, *arguments, value: int = 0) -> bytes:
    ledger: Ledger = house.ledger
    nonce = ledger.pending_nonce(OWNER.address)
    data = calldata(Wallets, name, *arguments)
    fee = house.genesis.base_fee
    transaction = EvmTransaction(
        DYNAMIC_FEE,
        house.genesis.chain_id,
        nonce,
        Wei(0),
        fee,
        Gas(2_000_000),
        Wallets.ADDRESS,
        Wei(value),
        data,
    )
    raw = transaction.signed_bytes(sign(OWNER.key, signing_hash(transaction)))
    hash_ = await ledger.submit(raw)
    await house.settle()
    receipt = ledger.transaction(hash_).receipt
    assert receipt.status == 1, receipt.error
    return receipt.output


def request(house: House, wallet: WalletId, number: int) -> bytes:
    wish = Request(
        house.ledger.network,
        wallet,
        RequestId(number.to_bytes(32, "big")),
        UnixSeconds(house.ledger.now() + 100),
        SIGN_TRANSACTION,
        payment(1, nonce=number).unsigned_bytes(),
        Bytes32(b"r" * 32),
    )
    return wish.signed_bytes(sign(AGENT.key, request_digest(wish)))


async def test_no_more_requests_wait_than_the_quota_pays_for(house: House) -> None:
    await house.settle()
    price = request_price(house.ledger.block_environment())
    made = await owners_call(house, "create", b"s" * 32, RECOVERY, value=2 * price)
    wallet = WalletId(decode(["bytes32", "address"], made)[0])
    until = house.ledger.now() + 1_000
    await owners_call(house, "grant", wallet, AGENT.address, until)
    for number in (1, 2):
        await house.ledger.submit(request(house, wallet, number))
    with pytest.raises(Inadmissible, match="2 requests of this wallet wait") as refused:
        await house.ledger.submit(request(house, wallet, 3))
    assert refused.value.code == "QUOTA_EMPTY"
    await house.settle()
    # What was decided cost less than the most it could: another one fits again.
    with pytest.raises(Inadmissible, match="quota"):
        for number in range(4, 100):
            await house.ledger.submit(request(house, wallet, number))
    assert len(house.sequencer.mempool) == 1


async def test_what_is_ahead_of_its_turn_is_paid_for_too(house: House) -> None:
    await house.settle()
    ledger = house.ledger
    third = 10**24 // 3
    for nonce in (5, 9):
        await ledger.submit(transfer(OWNER, nonce, value=third))
    with pytest.raises(Inadmissible, match="insufficient funds for gas") as refused:
        await ledger.submit(transfer(OWNER, 7, value=third + 10**15))
    assert refused.value.code == "INSUFFICIENT_FUNDS"
    # One that is replaced counts once, by what the better one costs.
    await ledger.submit(transfer(OWNER, 9, value=2, fee=2 * 10**9))
    await ledger.submit(transfer(OWNER, 7, value=third + 10**15))
    assert ledger.pending_nonce(OWNER.address) == 0


async def test_nonces_wait_within_a_window_and_no_further(house: House) -> None:
    await house.settle()
    ledger = house.ledger
    for nonce in reversed(range(1, MAX_PER_SENDER)):
        await ledger.submit(transfer(OWNER, nonce))
    for nonce in (MAX_PER_SENDER, MAX_PER_SENDER + 1, 2**64 - 1):
        with pytest.raises(Inadmissible, match="nonce too high: next nonce 0") as refused:
            await ledger.submit(transfer(OWNER, nonce))
        assert refused.value.code == "NONCE_TOO_HIGH"
    assert ledger.pending_nonce(OWNER.address) == 0
    await ledger.submit(transfer(OWNER, 0))
    assert ledger.pending_nonce(OWNER.address) == MAX_PER_SENDER
    await house.settle()
    assert ledger.state().account(OWNER.address).nonce == MAX_PER_SENDER
    assert not len(house.sequencer.mempool)
    with pytest.raises(Inadmissible, match="nonce too low: next nonce 64, tx nonce 3"):
        await ledger.submit(transfer(OWNER, 3, value=9))


async def test_a_crowd_without_material_gets_nowhere(house: House) -> None:
    await house.settle()
    for number in range(300):
        with pytest.raises(Inadmissible, match="insufficient funds"):
            await house.ledger.submit(transfer(Person(f"poor {number}"), number % 60))
    assert not len(house.sequencer.mempool)


async def test_what_waits_too_long_is_gone_for_whoever_asks(house: House) -> None:
    await house.settle()
    name = await house.ledger.submit(transfer(OWNER, 1))
    assert house.ledger.waiting(name) is not None
    house.clock.sleep(AHEAD_SECONDS + 2)
    assert house.ledger.waiting(name) is None
    # The same bytes are taken again, as new.
    assert await house.ledger.submit(transfer(OWNER, 1)) == name
    assert house.ledger.waiting(name) is not None
