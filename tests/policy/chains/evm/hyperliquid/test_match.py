"""Actions held against rules: what passes, what does not and why, and what it spends."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.request import SIGN_HYPERLIQUID
from keymoot.policy.decide import decide
from keymoot.policy.intent import read_intent
from keymoot.policy.refusal import NeverSigned
from keymoot.policy.work import MAX_COMPARISONS, comparisons
from tests.examples import examples
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import (
    CLOID,
    MILLION,
    PAYEE,
    POLICY,
    VAULT,
    order,
    orders,
    perps,
    reason,
    sent,
)

SELL = order(b=False, p="60000", s="0.001")
MARKET = {"trigger": {"isMarket": True, "triggerPx": "65000", "tpsl": "sl"}}
LEVERAGE = {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3}
MARGIN = {"type": "updateIsolatedMargin", "asset": 0, "isBuy": True, "ntli": 9}

ALLOWED: list[Any] = [
    orders(),
    orders(SELL),
    orders(order(s="0.001"), SELL, order(p="1", s="500", r=True)),
    orders(order(s="0", r=True), grouping="positionTpsl"),
    {"type": "modify", "oid": 5, "order": order()},
    {"type": "batchModify", "modifies": [{"oid": CLOID, "order": order()}]},
    {"type": "cancel", "cancels": [{"a": 7, "o": 1}, {"a": 8, "o": 1}]},
    {"type": "cancelByCloid", "cancels": [{"asset": 7, "cloid": CLOID}]},
    {"type": "scheduleCancel"},
    LEVERAGE,
    MARGIN,
    sent("999.999999"),
    actions.user_signed("withdraw3", amount="0.000009", destination=documents.WALLET.hex0x),
    actions.user_signed("usdClassTransfer", amount="0.000009", toPerp=False),
]


@pytest.mark.parametrize("action", ALLOWED, ids=lambda action: action["type"])
def test_what_the_rules_name_is_allowed(action: Any) -> None:
    assert reason(action) == ("", None)


REFUSED: list[tuple[Any, str, str]] = [
    (orders(order(a=1)), "CONDITION_FAILED", "orders[0].asset"),
    (orders(order(s="0.001"), order(a=1)), "CONDITION_FAILED", "orders[1].asset"),
    (orders(order(s="0.02")), "LIMIT_EXCEEDED", "orders[0].notional"),
    (orders(order(), order()), "LIMIT_EXCEEDED", "orders[0].notional"),
    (orders(order(t=MARKET)), "CONDITION_FAILED", "orders[0].isMarket"),
    (orders(order(t=MARKET, r=True)), "CONDITION_FAILED", "orders[0].isMarket"),
    (orders(builder={"b": PAYEE, "f": 1}), "CONDITION_FAILED", "orders[0].builder"),
    ({"type": "modify", "oid": 5, "order": order(a=1)}, "CONDITION_FAILED", "order.asset"),
    (LEVERAGE | {"leverage": 4}, "CONDITION_FAILED", "action.leverage"),
    (MARGIN | {"ntli": 10}, "CONDITION_FAILED", "action.amount"),
    (sent(destination=VAULT), "CONDITION_FAILED", "action.destination"),
    (sent("1000.000001"), "LIMIT_EXCEEDED", "action.amount"),
    (
        actions.user_signed("withdraw3", amount="0.000009", destination=PAYEE),
        "CONDITION_FAILED",
        "action.destination",
    ),
]


@pytest.mark.parametrize(("action", "word", "path"), REFUSED)
def test_what_they_do_not_is_refused_with_its_place(action: Any, word: str, path: str) -> None:
    assert reason(action) == (word, path)


def test_what_is_sold_has_a_floor() -> None:
    trade = documents.parsed(documents.changed(perps(), "rules/0", documents.DELETE))
    assert reason(orders(SELL), trade) == ("", None)
    given = orders(order(b=False, p="0.00000001", s="900"))
    assert reason(given, trade) == ("CONDITION_FAILED", "orders[0].price")


def test_the_networks_are_two() -> None:
    assert reason(orders(), network="testnet") == ("NO_RULE", "network")


def test_a_policy_without_such_rules_signs_no_action() -> None:
    assert reason(orders(), documents.parsed()) == ("NO_RULE", "orders[0]")


def test_a_vault_is_named_or_there_is_none() -> None:
    assert reason(orders(), vaultAddress=VAULT) == ("NO_RULE", "vaultAddress")
    named = documents.parsed(documents.changed(perps(), "rules/1/vault", {"eq": VAULT}))
    assert reason(orders(), named, vaultAddress=VAULT) == ("", None)
    assert reason(orders(), named) == ("CONDITION_FAILED", "orders[0].reduceOnly")
    assert reason(orders(), named, vaultAddress=PAYEE) == ("NO_RULE", "vaultAddress")


def test_a_builder_is_named_with_a_bound_on_its_fee() -> None:
    alone = perps() | {"rules": [perps()["rules"][1]]}
    start = documents.changed(alone, "rules/0/fields/builder", {"eq": VAULT})
    named = documents.parsed(documents.changed(start, "rules/0/fields/builderFee", {"lte": "5"}))
    assert reason(orders(builder={"b": VAULT, "f": 5}), named) == ("", None)
    assert reason(orders(), named) == ("", None)
    fee = ("CONDITION_FAILED", "orders[0].builderFee")
    assert reason(orders(builder={"b": VAULT, "f": 6}), named) == fee
    other = ("CONDITION_FAILED", "orders[0].builder")
    assert reason(orders(builder={"b": PAYEE, "f": 5}), named) == other


def test_a_market_trigger_is_said_in_so_many_words() -> None:
    said = documents.changed(perps(), "rules/0/fields/isMarket", {"in": [True, False]})
    assert reason(orders(order(t=MARKET, r=True)), documents.parsed(said)) == ("", None)


DENIED: list[tuple[dict[str, Any], Any, bool]] = [
    ({}, sent(), True),
    ({"network": "testnet"}, sent(), False),
    ({"type": "order"}, {"type": "modify", "oid": 5, "order": order()}, True),
    ({"type": "order", "fields": {"modifies": {"eq": True}}}, orders(), False),
    ({"type": "order", "fields": {"builder": {"eq": VAULT}}}, orders(), False),
    ({"type": "order", "fields": {"isBuy": {"eq": False}}}, orders(order(s="0.001"), SELL), True),
    ({"vault": {"eq": VAULT}}, orders(), False),
    ({"type": "cancel"}, orders(), False),
]


@pytest.mark.parametrize(("says", "action", "fires"), DENIED)
def test_a_deny_of_any_part_denies_the_action(
    says: dict[str, Any], action: Any, fires: bool
) -> None:
    deny = {"id": "no", "action": "DENY", "method": SIGN_HYPERLIQUID} | says
    policy = documents.parsed(perps() | {"rules": [*perps()["rules"], deny]})
    assert reason(action, policy)[0] == ("DENIED_BY_RULE" if fires else "")


def test_orders_payments_and_tokens_share_one_budget() -> None:
    transfer = documents.data("transfer(address,uint256)", PAYEE, 300 * MILLION)
    tx = documents.tx(documents.USDC, transfer, gas=1, max_fee=1)
    # 1. 650 USD of an order,
    first = actions.judge(orders())
    assert first.allowed
    assert first.usage["usd-day"].used(POLICY.limits["usd-day"], documents.NOW) == 650 * MILLION
    # 2. 300 USD of tokens on Base,
    second = documents.judge(tx, POLICY, first.usage)
    assert second.allowed
    # 3. and 50 USD are left.
    usage = first.usage | second.usage
    assert actions.judge(sent("50"), usage=usage).allowed
    refusal = actions.judge(sent("50.000001"), usage=usage).refusal
    assert refusal is not None
    assert (refusal.limit, refusal.used, refusal.requested) == (
        "usd-day",
        950 * MILLION,
        50 * MILLION + 1,
    )


def test_each_part_names_its_rule() -> None:
    made = actions.judge(orders(order(s="0.001"), order(r=True)))
    assert made.decoded["rules"] == ["trade", "close"]


def test_the_comparisons_made_are_no_more_than_were_counted() -> None:
    for action in (orders(), orders(order(s="0.001"), SELL), LEVERAGE, sent()):
        made = actions.judge(action)
        assert len(made.trace) <= comparisons(POLICY, actions.read(action))


def test_a_long_batch_is_no_more_work_than_is_done() -> None:
    many = orders(*[order(s="0.00001")] * 64)
    assert comparisons(POLICY, actions.read(many)) > MAX_COMPARISONS
    assert reason(many)[0] == "TOO_MUCH_WORK"


_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
)
_changes = st.dictionaries(st.sampled_from(["a", "b", "p", "s", "r", "t", "c", "x"]), _values)


@settings(max_examples=examples(300), deadline=None)
@given(
    _changes,
    st.dictionaries(st.sampled_from(["type", "builder", "grouping", "orders", "time"]), _values),
    st.dictionaries(st.sampled_from(["nonce", "network", "vaultAddress", "expiresAfter"]), _values),
)
def test_the_decision_is_total(
    one: dict[str, Any], whole: dict[str, Any], around: dict[str, Any]
) -> None:
    raw = actions.payload(orders(order(), order(**one), **whole), **around)
    try:
        intent = read_intent(SIGN_HYPERLIQUID, raw, documents.WALLET)
    except NeverSigned as error:
        assert str(error)
        return
    made = decide(POLICY, intent, {}, (), documents.NOW)
    assert made.allowed == (made.refusal is None)
