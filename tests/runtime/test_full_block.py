"""Real blocks at their bounds: what they did fits into what leaves an enclave, many times."""

from dataclasses import replace

import pytest
from eth_abi.abi import encode

from keymoot.base.request import MAX_PAYLOAD_BYTES
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import LEDGER_CHAIN_ID, Nonce, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.secp256k1 import sign
from keymoot.crypto.transactions import signing_hash
from keymoot.runtime.block import BadBlock, Executed
from keymoot.runtime.gas import BLOCK_LIMIT
from keymoot.runtime.outcome import MAX_OUTCOME_BYTES, Outcome
from keymoot.runtime.receipt import MAX_OUTPUT_BYTES
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from tests.runtime.people import OWNER, Scenario, calldata, payment, policy

ENVELOPE = 256
"""What a transaction to be signed has besides its data, at most."""


def outcome_bytes(scenario: Scenario) -> int:
    """Give the size of what the newest block did; it comes back as it was."""
    done: Executed = scenario.chain.blocks[-1]
    made = Outcome.of(done)
    raw = made.encode()
    assert Outcome.decode(raw) == made
    return len(raw)


def test_a_block_full_of_the_longest_requests() -> None:
    note = "note(bytes text)"
    document = policy(10**6)
    document["rules"][0] |= {"function": note, "args": {}}
    scenario = Scenario()
    assert scenario.rule(document).status == scenario.grant().status == 1
    selector = keccak256(note.replace(" text", "").encode())[:4]
    data = selector + encode(["bytes"], [b"n" * (MAX_PAYLOAD_BYTES - ENVELOPE)])
    raws: list[bytes] = []
    while True:
        raw, _ = scenario.request(replace(payment(1, len(raws)), data=data).unsigned_bytes())
        if sum(map(len, raws)) + len(raw) > MAX_BLOCK_BYTES:
            break
        raws.append(raw)
    with pytest.raises(BadBlock):
        scenario.chain.send_together([*raws, raw])
    assert {one.status for one in scenario.chain.send_together(raws)} == {1}
    assert MAX_BLOCK_BYTES // 2 < outcome_bytes(scenario) < MAX_OUTCOME_BYTES // 8


def test_a_block_full_of_the_longest_results() -> None:
    scenario = Scenario().ready(10**6)
    for nonce in range(40):
        assert scenario.ask(payment(1, nonce))[0].status == 1

    def page(count: int) -> bytes:
        return calldata(Wallets, "log", scenario.wallet, 0, count)

    longest = max(
        count
        for count in range(1, 41)
        if len(scenario.chain.ask(Wallets.ADDRESS, page(count))) <= MAX_OUTPUT_BYTES
    )
    (alone,) = scenario.chain.send_together([scenario.raw(OWNER, Wallets.ADDRESS, page(longest))])
    assert alone.status == 1
    many = min(MAX_BLOCK_TRANSACTIONS, BLOCK_LIMIT // alone.gas_used)
    raws = []
    nonce = scenario.chain.state().account(OWNER.address).nonce
    for at in range(many):
        tx = EvmTransaction(
            DYNAMIC_FEE,
            LEDGER_CHAIN_ID,
            Nonce(nonce + at),
            Wei(0),
            Wei(10**9),
            alone.gas_used,
            Wallets.ADDRESS,
            Wei(0),
            page(longest),
        )
        raws.append(tx.signed_bytes(sign(OWNER.key, signing_hash(tx))))
    receipts = scenario.chain.send_together(raws)
    assert {(one.status, len(one.output) > MAX_OUTPUT_BYTES // 2) for one in receipts} == {
        (1, True)
    }
    size = outcome_bytes(scenario)
    assert many * MAX_OUTPUT_BYTES // 2 < size < MAX_OUTCOME_BYTES // 8
    with pytest.raises(BadBlock):
        scenario.chain.send_together(raws[:1] * (MAX_BLOCK_TRANSACTIONS + 1))
