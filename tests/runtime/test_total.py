"""Whatever anybody sends: a receipt comes out, and every record that it leaves can be read.

What no part of ours expected would come out as UNEXECUTABLE (`base.contained`): here that is a
failure too, for that word is a net and no plan.
"""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, RequestId
from keymoot.base.request import Request
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, Gas, UnixSeconds, Wei
from keymoot.committee.messages import NodeMessage
from keymoot.contracts.builtin.wallets.cells import log_key
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import MAX_OUTCOME_BYTES
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import request_digest, signing_hash
from keymoot.runtime import gas
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.execute import Execution, execute
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.transactions import open_transaction
from keymoot.store.journal import Journal
from keymoot.store.keys import Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from tests.examples import examples
from tests.runtime.anything import ON_SOLANA, PLAY, Ask, Call, Ruling, plays
from tests.runtime.people import AGENT, OWNER, STRANGER
from tests.runtime.people import calldata as calldata_of


def signed(step: Any, journal: Journal, at: int, chain: MemoryChain) -> bytes:
    """Give the transaction's bytes."""
    if isinstance(step, NodeMessage):
        return step.encode()
    if isinstance(step, Ask):
        name = RequestId(bytes((at,)) * 32)
        ends = UnixSeconds(chain.block.time + 100)
        request = Request(
            chain.block.network,
            step.wallet,
            name,
            ends,
            step.method,
            step.payload,
            Bytes32(bytes(32)),
        )
        return request.signed_bytes(sign(AGENT.key, request_digest(request)))
    if isinstance(step, Ruling):
        store = PublicStore(journal, Wallets.ADDRESS, FreeMeter())
        version = Wallets.wallets.get(store, Bytes32(PLAY.wallet)).policy_version
        data = calldata_of(Wallets, "setPolicy", PLAY.wallet, step.document, version)
        step = Call(Wallets.ADDRESS, data, 0, 30_000_000, owner=True)
    who = OWNER if step.owner else STRANGER
    nonce = journal.account(who.address).nonce
    call = EvmTransaction(
        DYNAMIC_FEE,
        LEDGER_CHAIN_ID,
        nonce,
        Wei(0),
        Wei(10**9),
        Gas(step.gas),
        step.to,
        Wei(step.value),
        step.data,
    )
    return call.signed_bytes(sign(who.key, signing_hash(call)))


def played(several: list[Any]) -> list[Receipt]:
    """Send all of them into one block, and look at what is there then."""
    chain = PLAY.chain
    journal, receipts = Journal(chain.state()), []
    keys, active = chain.keys.at(Version()), chain.contracts.at(chain.block.height)
    within = Execution(journal, chain.block, active, keys, lambda _: None)
    for at, step in enumerate(several):
        raw = signed(step, journal, at, chain)
        try:
            tx = open_transaction(raw, LEDGER_CHAIN_ID, chain.block.network)
        except Malformed:
            continue  # too long for a block, so in none
        receipts.append(execute(within, tx, at))
    for receipt in receipts:
        assert isinstance(receipt, Receipt)
        assert receipt.fault is None, receipt.fault
        assert receipt.gas_used <= gas.TRANSACTION_LIMIT
        assert Receipt.decode(receipt.encode()) == receipt
    store = PublicStore(journal, Wallets.ADDRESS, FreeMeter())
    for wallet in (PLAY.wallet, ON_SOLANA):
        book = Wallets.books.get(store, Bytes32(wallet))
        for index in range(book.log_length):
            record = Wallets.records.get(
                store, Wallets.log_index.get(store, log_key(wallet, index))
            )
            assert len(record.outcome) <= MAX_OUTCOME_BYTES
            json.loads(record.to_json())
    chain.state().updated(journal.changes())
    return receipts


SEARCH = settings(
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
)


@settings(SEARCH, max_examples=examples(150))
@given(plays)
def test_nothing_but_a_receipt_comes_out(several: list[Any]) -> None:
    played(several)


@pytest.mark.soak
@settings(SEARCH, max_examples=20_000)
@given(plays)
def test_nothing_but_a_receipt_comes_out_for_long(several: list[Any]) -> None:
    played(several)
