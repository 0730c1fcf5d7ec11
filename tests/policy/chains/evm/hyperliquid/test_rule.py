"""Rules on actions in the document: what is not understood, or open, names its place."""

from typing import Any

import pytest

from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid.actions import PAYEE, perps, rule
from tests.policy.documents import DELETE

ASSET = {"asset": {"eq": "0"}}

BAD = [
    ("rules/1/type", DELETE, "rules[1].type"),
    ("rules/1/type", "batchModify", "rules[1].type"),
    ("rules/1/type", ["order"], "rules[1].type"),
    ("rules/1/network", DELETE, "rules[1].network"),
    ("rules/1/network", "Mainnet", "rules[1].network"),
    ("rules/1/function", "f()", "rules[1].function"),
    ("rules/1/fields", [], "rules[1].fields"),
    ("rules/1/fields", {}, "rules[1].fields.asset"),
    ("rules/1/fields/colour", {"eq": "1"}, "rules[1].fields.colour"),
    ("rules/1/fields/asset", {"notIn": ["1"]}, "rules[1].fields.asset"),
    ("rules/1/fields/asset", {"eq": "4294967296"}, "rules[1].fields.asset.eq"),
    ("rules/1/fields/asset", {"eq": "BTC"}, "rules[1].fields.asset.eq"),
    ("rules/1/fields/price", {"gte": "60000.5"}, "rules[1].fields.price.gte"),
    ("rules/1/fields/isBuy", {"eq": "true"}, "rules[1].fields.isBuy.eq"),
    ("rules/1/fields/tif", {"lt": "Ioc"}, "rules[1].fields.tif.lt"),
    ("rules/1/spend", DELETE, "rules[1].fields.notional"),
    ("rules/1/spend", {"usd-day": "price"}, "rules[1].spend.usd-day"),
    ("rules/1/spend", {"eur-day": "notional"}, "rules[1].spend.eur-day"),
    # What an order sells has no bound but its price's floor.
    ("rules/1/fields/price", DELETE, "rules[1].fields.price"),
    ("rules/1/fields/price", {"lte": "9"}, "rules[1].fields.price"),
    ("rules/1/fields/price", {"gte": "0"}, "rules[1].fields.price"),
    ("rules/1/fields/builder", {"notIn": [PAYEE]}, "rules[1].fields.builder"),
    ("rules/1/fields/builder", {"eq": PAYEE}, "rules[1].fields.builderFee"),
    ("rules/1/vault", {"notIn": [PAYEE]}, "rules[1].vault"),
    ("rules/0/fields/reduceOnly", {"in": [True, False]}, "rules[0].fields.notional"),
    ("rules/2/spend", {"usd-day": "asset"}, "rules[2].spend.usd-day"),
    ("rules/4/fields/leverage", DELETE, "rules[4].fields.leverage"),
    ("rules/4/fields/leverage", {"gte": "1"}, "rules[4].fields.leverage"),
    ("rules/5/fields/amount", DELETE, "rules[5].fields.amount"),
    ("rules/6/fields/destination", DELETE, "rules[6].fields.destination"),
    ("rules/6/fields/destination", {"notIn": [PAYEE]}, "rules[6].fields.destination"),
    ("rules/6/spend", DELETE, "rules[6].fields.amount"),
    ("rules/7/fields/amount", DELETE, "rules[7].fields.amount"),
    ("rules/8/fields/amount", DELETE, "rules[8].fields.amount"),
]


@pytest.mark.parametrize(("path", "value", "where"), BAD)
def test_a_bad_rule_names_its_place(path: str, value: Any, where: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        documents.parsed(documents.changed(perps(), path, value))
    assert caught.value.path == where


@pytest.mark.parametrize(
    "fields",
    [
        {"notional": {"lte": "5"}, "price": {"gte": "1"}},
        {"notional": {"lte": "5"}, "size": {"lte": "5"}},
        {"notional": {"lte": "5"}, "isBuy": {"eq": True}},
        {"reduceOnly": {"eq": True}},
        {"reduceOnly": {"notIn": [False]}},
    ],
)
def test_an_order_may_be_bounded_in_several_ways(fields: dict[str, Any]) -> None:
    one = rule("one", "order", ASSET | fields)
    assert documents.parsed(perps() | {"rules": [one], "limits": []}).rules[0].name == "one"


def test_what_may_be_spent_is_said() -> None:
    for at, what in ((1, "notional or size"), (2, "nothing"), (6, "amount")):
        bad = documents.changed(perps(), f"rules/{at}/spend", {"usd-day": "price"})
        with pytest.raises(BadPolicy, match=f"spends is {what}"):
            documents.parsed(bad)


def test_a_size_may_be_spent() -> None:
    limit = {"id": "btc-day", "max": "100000000", "window": "24h", "kind": "rolling"}
    one = rule("one", "order", ASSET | {"notional": {"lte": "5"}}, spend={"btc-day": "size"})
    assert documents.parsed(perps() | {"rules": [one], "limits": [limit]})


def test_a_deny_needs_no_more_than_it_says() -> None:
    deny = {"id": "no", "action": "DENY", "method": "hyperliquid_signAction"}
    policy = documents.parsed(perps() | {"rules": [deny], "limits": []})
    assert parse_policy(policy.source, known=True).rules == policy.rules
