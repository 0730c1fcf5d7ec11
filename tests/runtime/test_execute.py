"""Nothing but a receipt comes out of a transaction, and what it says is bounded."""

import json
from dataclasses import replace

import pytest
from eth_abi.abi import encode

from keymoot.contracts.record import MAX_OUTCOME_BYTES
from keymoot.crypto.keccak import keccak256_raw
from tests.runtime.people import OWNER, VAULT, Play, payment, policy

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
    play = Play().ready()
    size = len(json.dumps(char, ensure_ascii=False).encode()) - 2
    document = policy(rules=[naming(char * (count // size))], limits=[])
    assert play.rule(document).status == 1
    receipt, _ = play.ask(calling_f("x"))
    assert (receipt.status, receipt.error_code) == (0, "CONDITION_FAILED")
    assert receipt.gas_used > 21_000
    (entry,) = play.view("log", play.wallet, 0, 10)[0]
    refusal = json.loads(entry)["refusal"]
    assert refusal["message"] == receipt.error
    assert len(entry) < MAX_OUTCOME_BYTES // 16
    assert "args.s" in receipt.error


@pytest.mark.parametrize(
    "document",
    [b'{"\\ud800":1,"\\ud800":1}', b'{"a":{"\\udfff":1,"\\udfff":1}}', b'{"version":"\\ud800"}'],
)
def test_half_a_surrogate_pair_in_a_policy_is_refused(document: bytes) -> None:
    play = Play().ready()
    receipt = play.send(OWNER, "setPolicy", play.wallet, document, 1)
    assert (receipt.status, receipt.error_code) == (0, "BAD_POLICY")
    receipt.error.encode()


def test_what_json_itself_says_reaches_no_receipt() -> None:
    play = Play().ready()
    receipt = play.send(OWNER, "setPolicy", play.wallet, b'{"version":"1",}', 1)
    assert receipt.error == "the policy document is refused: not JSON"
