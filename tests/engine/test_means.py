"""Nobody fills blocks with what he cannot pay for."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import Bytes32, RequestId, WalletId
from keymoot.base.request import SIGN_TRANSACTION, Request
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import Gas, UnixSeconds, Wei
from keymoot.contracts.wallets import Wallets
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, signing_hash
from keymoot.engine.ledger import Ledger
from keymoot.runtime.admit import Inadmissible, request_price
from tests.engine.parts import Machine
from tests.runtime.people import AGENT, OWNER, RECOVERY, calldata, payment


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    made = Machine(tmp_path / "data")
    yield made
    made.close()


async def owners_call(machine: Machine, name: str, *arguments, value: int = 0) -> bytes:
    ledger: Ledger = machine.ledger
    nonce = ledger.pending_nonce(OWNER.address)
    data = calldata(Wallets, name, *arguments)
    fee = machine.genesis.base_fee
    transaction = EvmTransaction(
        DYNAMIC_FEE,
        machine.genesis.chain_id,
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
    await machine.settle()
    receipt = ledger.transaction(hash_).receipt
    assert receipt.status == 1, receipt.error
    return receipt.output


def request(machine: Machine, wallet: WalletId, number: int) -> bytes:
    wish = Request(
        machine.ledger.network,
        wallet,
        RequestId(number.to_bytes(32, "big")),
        UnixSeconds(machine.ledger.now() + 100),
        SIGN_TRANSACTION,
        payment(1, nonce=number).unsigned_bytes(),
        Bytes32(b"r" * 32),
    )
    return wish.signed_bytes(sign(AGENT.key, request_digest(wish)))


async def test_no_more_requests_wait_than_the_quota_pays_for(machine: Machine) -> None:
    await machine.settle()
    price = request_price(machine.ledger.block_environment())
    made = await owners_call(machine, "create", b"s" * 32, RECOVERY, value=2 * price)
    wallet = WalletId(decode(["bytes32", "address"], made)[0])
    until = machine.ledger.now() + 1_000
    await owners_call(machine, "grant", wallet, AGENT.address, until)
    for number in (1, 2):
        await machine.ledger.submit(request(machine, wallet, number))
    with pytest.raises(Inadmissible, match="2 requests of this wallet wait") as refused:
        await machine.ledger.submit(request(machine, wallet, 3))
    assert refused.value.code == "QUOTA_EMPTY"
    await machine.settle()
    # What was decided cost less than the most it could: another one fits again.
    with pytest.raises(Inadmissible, match="quota"):
        for number in range(4, 100):
            await machine.ledger.submit(request(machine, wallet, number))
    assert len(machine.engine.mempool) == 1
