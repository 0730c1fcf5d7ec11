"""A refusal names the rule that was meant (of that coin, payee, token), and what failed of it."""

from typing import Any

import pytest

from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import order, orders, perps, rule
from tests.policy.chains.evm.typed.payments import (
    AUTHORIZATION,
    PAYEE,
    PERMIT,
    RULED_DOMAIN,
    STRANGER,
    USDC,
    authorization,
    decided,
    document,
    payment_rule,
    policy,
)

BAND = {"price": {"gte": "6000000000000"}, "isBuy": {"eq": True}, "notional": {"lte": "9000000000"}}
BTC = rule("btc", "order", BAND | {"asset": {"eq": "0"}})
ETH = rule("eth", "order", {"asset": {"eq": "1"}} | BAND)
CLOSE = rule("close", "order", {"asset": {"eq": "1"}, "reduceOnly": {"eq": True}})


@pytest.mark.parametrize(
    ("sent", "name", "path"),
    [
        (order(a=1, p="1"), "eth", "price"),
        (order(a=0, p="1"), "btc", "price"),
        # It opens, so the rule that closes was not meant.
        (order(a=1, p="70000", s="9"), "eth", "notional"),
        (order(a=2), "btc", "asset"),
    ],
)
def test_of_orders_the_rule_for_that_coin(sent: Any, name: str, path: str) -> None:
    rules = documents.parsed(perps() | {"rules": [BTC, CLOSE, ETH], "limits": []})
    refusal = actions.judge(orders(sent), rules).refusal
    assert refusal is not None
    assert (refusal.rule, refusal.path) == (name, f"orders[0].{path}")
    assert f'rule "{name}" wants orders[0].{path}' in refusal.message


def test_an_action_without_a_rule_says_which_type_it_needs() -> None:
    rules = documents.parsed(perps() | {"rules": [CLOSE], "limits": []})
    told = actions.judge(
        {"type": "cancelByCloid", "cancels": [{"asset": 1, "cloid": "0x" + "0" * 32}]}, rules
    )
    assert told.refusal is not None
    assert told.refusal.reason == "NO_RULE"
    assert 'no rule has the type "cancel"' in told.refusal.message
    assert "cancelByCloid" in told.refusal.message


DAI = RULED_DOMAIN | {"verifyingContract": {"eq": STRANGER.hex0x}}
FIRST = payment_rule(
    id="first", fields={"value": {"lte": "100"}, "to": {"eq": PAYEE.hex0x}}, spend={}
)
SECOND = payment_rule(
    id="second", fields={"to": {"eq": STRANGER.hex0x}, "value": {"lte": "50"}}, spend={}
)
DAIS = SECOND | {"id": "dai", "domain": DAI}


@pytest.mark.parametrize(
    ("told", "name", "path"),
    [
        (authorization(80, STRANGER), "second", "message.value"),
        (authorization(101), "first", "message.value"),
        (authorization(1, STRANGER, validBefore=2**40), "second", "message.validBefore"),
        (authorization(1, USDC), "first", "message.to"),
    ],
)
def test_of_typed_data_the_rule_for_that_payee(told: Any, name: str, path: str) -> None:
    refusal = decided(policy(FIRST, DAIS, SECOND), told).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.rule, refusal.path) == ("CONDITION_FAILED", name, path)


def test_and_that_token() -> None:
    told = authorization(80, STRANGER)
    told["domain"]["verifyingContract"] = STRANGER.hex0x
    refusal = decided(policy(FIRST, DAIS, SECOND), told).refusal
    assert refusal is not None
    assert (refusal.rule, refusal.path) == ("dai", "message.value")
    told["domain"]["verifyingContract"] = PAYEE.hex0x
    refusal = decided(policy(FIRST, DAIS, SECOND), told).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.path) == ("NO_RULE", "domain.verifyingContract")


def test_a_type_of_the_same_name_is_shown_beside_the_rules() -> None:
    other = "Order(address to,uint256 amount)"
    rules = policy(
        payment_rule(
            id="order", type=other, fields={"to": {"eq": PAYEE.hex0x}}, within={}, spend={}
        )
    )
    turned = document("Order(uint256 amount,address to)", {"amount": 1, "to": PAYEE.hex0x})
    refusal = decided(rules, turned).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.rule, refusal.path) == ("NO_RULE", "order", "primaryType")
    assert other in refusal.message
    assert "Order(uint256 amount,address to)" in refusal.message


def test_a_known_hazard_keeps_its_word() -> None:
    permit = payment_rule(
        id="permit", type=PERMIT, fields={"spender": {"eq": PAYEE.hex0x}}, within={"deadline": "1h"}
    )
    dai = "Permit(address holder,address spender,uint256 nonce,uint256 expiry,bool allowed)"
    message = {
        "holder": PAYEE.hex0x,
        "spender": PAYEE.hex0x,
        "nonce": 0,
        "expiry": 0,
        "allowed": True,
    }
    refusal = decided(policy(permit), document(dai, message)).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.rule) == ("PERMIT", "permit")
    assert PERMIT in refusal.message
    none = decided(policy(payment_rule(type=AUTHORIZATION)), document(dai, message)).refusal
    assert none is not None
    assert (none.reason, none.rule) == ("PERMIT", None)
