"""Nothing but a receipt comes out of a transaction, and what it says is bounded."""

import json
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from keymoot.base.errors import BrokenStorage, Defect
from keymoot.base.request import MAX_PAYLOAD_BYTES
from keymoot.committee.nonces.record import MAX_COMMITMENTS_BYTES
from keymoot.contracts.builtin.nodes import TAKE_GAS
from keymoot.contracts.builtin.wallets.cells import WalletCells
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.queue import KINDS, MAX_QUEUE
from keymoot.contracts.builtin.wallets.record import MAX_OUTCOME_BYTES
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.chains.solana.message import MAX_PACKET_BYTES
from keymoot.runtime import gas
from keymoot.runtime.block import CannotExecute
from keymoot.runtime.receipt import Receipt
from keymoot.store.table import MemoryTable
from keymoot.store.trie import NodeCache
from tests.runtime.people import OWNER, VAULT, Scenario, payment, policy

DELETE = "\x7f"
"""One byte of UTF-8; JSON writes it as it is, `repr` as four characters."""


def naming(value: str) -> dict:
    """A rule that allows f(string) where the string is `value`."""
    return {
        "id": "f",
        "action": "ALLOW",
        "method": "eth_signTransaction",
        "to": {"eq": VAULT.hex0x},
        "function": "f(string s)",
        "args": {"s": {"in": [value]}},
    }


def calling_f(text: str):
    body = encode(["string"], [text])
    return replace(payment(0), data=keccak256_raw(b"f(string)")[:4] + body, gas=1_000_000)


@pytest.mark.parametrize("count", [30_000, 60_000])
@pytest.mark.parametrize("char", [DELETE, '"', "\\", "é", "\U0001f600"])
def test_a_wish_held_against_a_long_value_leaves_its_record(count: int, char: str) -> None:
    scenario = Scenario().ready()
    size = len(json.dumps(char, ensure_ascii=False).encode()) - 2
    document = policy(rules=[naming(char * (count // size))], limits=[])
    assert scenario.rule(document).status == 1
    receipt, _ = scenario.ask(calling_f("x"))
    assert (receipt.status, receipt.error_code) == (0, "CONDITION_FAILED")
    assert receipt.gas_used > 21_000
    (entry,) = scenario.view("log", scenario.wallet, 0, 10)[0]
    refusal = json.loads(entry)["refusal"]
    assert refusal["message"] == receipt.error
    assert len(entry) < MAX_OUTCOME_BYTES // 16
    assert "args.s" in receipt.error


@pytest.mark.parametrize(
    "document",
    [b'{"\\ud800":1,"\\ud800":1}', b'{"a":{"\\udfff":1,"\\udfff":1}}', b'{"version":"\\ud800"}'],
)
def test_half_a_surrogate_pair_in_a_policy_is_refused(document: bytes) -> None:
    scenario = Scenario().ready()
    receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, document, 1)
    assert (receipt.status, receipt.error_code) == (0, "BAD_POLICY")
    receipt.error.encode()


def test_what_json_itself_says_reaches_no_receipt() -> None:
    scenario = Scenario().ready()
    receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, b'{"version":"1",}', 1)
    assert receipt.error == "the policy document is refused: not JSON"


# -- what nobody expected


class Odd(Exception):
    """An error of a library that nobody expected."""


@pytest.mark.parametrize("error", [Odd, ValueError, OverflowError, KeyError, UnicodeError])
def test_what_nobody_expected_is_undone_and_takes_all_the_gas(monkeypatch, error) -> None:
    scenario = Scenario().ready()
    before, log = scenario.show(), scenario.view("log", scenario.wallet, 0, 10)
    has = scenario.chain.state().account(OWNER.address)

    def fail(*_: object) -> None:
        raise error("what a library says, which differs between versions")

    monkeypatch.setattr(WalletCells, "append", fail)
    receipt, _ = scenario.ask(payment(1))
    assert (receipt.status, receipt.error_code) == (0, "UNEXECUTABLE")
    assert receipt.gas_used == gas.REQUEST_LIMIT
    assert receipt.logs == ()
    assert "library" not in receipt.error
    done = scenario.chain.blocks[-1]
    assert [(name, type(fault)) for name, fault in done.faults] == [
        (receipt.transaction_hash, error)
    ]
    assert receipt.fault is None
    assert Receipt.decode(receipt.encode()) == receipt
    assert scenario.view("log", scenario.wallet, 0, 10) == log
    assert before[4] - scenario.show()[4] == gas.REQUEST_LIMIT * receipt.price
    monkeypatch.setattr(Wallets, "_set_paused", fail)
    monkeypatch.setitem(
        Wallets.METHODS,
        Wallets.method("pause").selector,
        replace(Wallets.method("pause"), function=fail),
    )
    call = scenario.send(OWNER, "pause", scenario.wallet)
    assert (call.status, call.error_code, call.gas_used) == (0, "UNEXECUTABLE", 3_000_000)
    after = scenario.chain.state().account(OWNER.address)
    assert after.nonce == has.nonce + 1
    assert has.balance - after.balance == 3_000_000 * call.price
    assert not scenario.show()[3]


@pytest.mark.parametrize("error", [MemoryError, RecursionError, OSError, Defect])
def test_what_depends_on_the_machine_is_no_refusal(monkeypatch, error) -> None:
    scenario = Scenario().ready()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(WalletCells, "append", fail)
    newest = scenario.chain.tip
    with pytest.raises(CannotExecute) as stopped:
        scenario.ask(payment(1))
    assert type(stopped.value.__cause__) is error
    assert (stopped.value.height, stopped.value.position) == (newest.height + 1, 0)
    assert scenario.chain.tip == newest


def test_a_table_that_cannot_be_read_is_no_transactions_fault(monkeypatch) -> None:
    scenario = Scenario().ready()

    def fail(*_: object) -> None:
        raise Odd("the disk")

    monkeypatch.setattr(MemoryTable, "get", fail)
    scenario.chain.cache = NodeCache()
    with pytest.raises(BrokenStorage, match="cannot be read"):
        scenario.ask(payment(1))


def test_all_who_may_wait_fit_into_the_gas_of_one_message() -> None:
    """With the longest records, for both kinds of key, requests and withdrawals."""
    longest = MAX_PAYLOAD_BYTES + MAX_OUTCOME_BYTES + MAX_COMMITMENTS_BYTES + 1_024
    meter = gas.GasMeter(gas.MESSAGE_LIMIT)
    for _ in range(2 * len(KINDS) * MAX_QUEUE):
        meter.charge_read(longest, warm=False, confidential=False)
        meter.charge_write(longest, warm=True, confidential=False)
        meter.charge(TAKE_GAS + gas.CALL + gas.LOG + 4 * gas.LOG_TOPIC)
        meter.charge(gas.LOG_BYTE * (MAX_PACKET_BYTES + MAX_COMMITMENTS_BYTES + 1_024))
        # Wallet, credential, book, and pages of the stock.
        for _ in range(6):
            meter.charge_read(16_384, warm=False, confidential=False)
        meter.charge_write(16_384, warm=False, confidential=False)
