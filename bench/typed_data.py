"""Deciding typed data under a policy of fifty rules, as a replica does for each wish.

A policy has 320 values at most, so fifty rules on typed data are small ones, or few of them are
large. Both are here: fifty orders of as many venues, of one field each; and six payees (EIP-3009)
behind 44 contracts that are denied, or one spender of Permit2 and a batch of its tokens. The last
rule allows, so all are tried. A policy is parsed once and remembered; the document is read anew
each time, and hashed.
"""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bench.row import Row, median_seconds
from keymoot.base.fixed import Address
from keymoot.policy.chains.evm.typed.intent import TypedIntent, read_typed_data
from keymoot.policy.decide import decide
from keymoot.policy.document import Policy
from tests.policy.chains.evm.typed import payments
from tests.policy.chains.evm.typed.payments import NOW
from tests.policy.documents import WALLET

RULES, PAYEES, TOKENS, RUNS = 50, 6, 20, 500
GOAL_MICROSECONDS = 300
ORDER = "Order(uint256 amount)"


def measure() -> list[Row]:
    venues = payments.policy(*map(_venue, range(RULES)))
    payees = payments.policy(*_denied(RULES - PAYEES), *map(_payee, range(PAYEES)))
    spender = payments.policy(*_denied(RULES - 1), _spender())
    order = payments.document(ORDER, {"amount": "7"})
    order["domain"] = {"verifyingContract": _address(RULES - 1).hex0x}
    order["types"]["EIP712Domain"] = [{"name": "verifyingContract", "type": "address"}]
    paid, stranger = (payments.authorization(to=_address(at)) for at in (PAYEES - 1, PAYEES))
    permit = _permit()
    return [
        _floor("an order of one field", order),
        _floor("a payment", paid),
        _floor(f"a permit of {TOKENS} tokens", permit),
        _row("an order, the last of 50 venues", venues, order),
        _row("a payment, the last of 50 rules", payees, paid),
        _row("a payment, by none of 50 rules", payees, stranger, allowed=False),
        replace(_row(f"a permit of {TOKENS} tokens, the last of 50", spender, permit), goal=None),
    ]


def _floor(what: str, told: dict[str, Any]) -> Row:
    payload = _bytes(told)
    return Row(f"floor: reading and hashing {what}", _microseconds(lambda: _read(payload)), "µs")


def _row(what: str, policy: Policy, told: dict[str, Any], *, allowed: bool = True) -> Row:
    payload = _bytes(told)

    def work() -> bool:
        return decide(policy, _read(payload), {}, (), NOW).allowed

    assert len(policy.rules) == RULES
    assert work() is allowed
    return Row(f"typed data decided: {what}", _microseconds(work), "µs", GOAL_MICROSECONDS)


def _microseconds(work: Callable[[], object]) -> float:
    return median_seconds(work, RUNS, clock=time.process_time) * 1e6


def _read(payload: bytes) -> TypedIntent:
    return read_typed_data(payload, WALLET)


def _bytes(told: dict[str, Any]) -> bytes:
    return json.dumps(told).encode()


def _address(at: int) -> Address:
    return Address(b"\x0c" * 19 + bytes((at,)))


def _venue(at: int) -> dict[str, Any]:
    rule = _allow("venue", at) | {"type": ORDER}
    return rule | {"domain": {"verifyingContract": {"eq": _address(at).hex0x}}}


def _denied(count: int) -> list[dict[str, Any]]:
    """Contracts for which nothing is signed, whatever it is."""
    denied = [Address(b"\x0d" * 19 + bytes((at,))).hex0x for at in range(count)]
    return [
        _allow("denied", at)
        | {"action": "DENY", "domain": {"verifyingContract": {"eq": denied[at]}}}
        for at in range(count)
    ]


def _payee(at: int) -> dict[str, Any]:
    fields = {"from": {"eq": "$wallet"}, "to": {"eq": _address(at).hex0x}}
    return payments.payment_rule(id=f"payee-{at}", fields=fields)


def _spender() -> dict[str, Any]:
    """Of Permit2: one spender, of each token so much."""
    return payments.payment_rule(
        id="spender",
        type=payments.PERMIT_BATCH,
        fields={
            "spender": {"eq": _address(0).hex0x},
            "permitted[].token": {"all": {"in": [_address(at).hex0x for at in range(TOKENS)]}},
            "permitted[].amount": {"all": {"lte": "1000"}},
        },
        within={"deadline": "1h"},
        spend={},
    )


def _permit() -> dict[str, Any]:
    tokens = [{"token": _address(at).hex0x, "amount": "1000"} for at in range(TOKENS)]
    message = {"permitted": tokens, "spender": _address(0).hex0x, "nonce": "1"}
    return payments.document(payments.PERMIT_BATCH, message | {"deadline": NOW + 60})


def _allow(name: str, at: int) -> dict[str, Any]:
    return {"id": f"{name}-{at}", "action": "ALLOW", "method": "eth_signTypedData_v4"}
