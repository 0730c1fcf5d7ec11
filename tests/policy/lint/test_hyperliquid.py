"""What the lint says of rules on actions of Hyperliquid."""

from typing import Any

import pytest

from keymoot.policy.lint.warnings import warnings_of
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid.actions import PAYEE, VAULT, perps, rule

BAND = {"price": {"gte": "1", "lte": "9"}}
ASSET: dict[str, Any] = {"asset": {"eq": "0"}}
DAY = {"usd-day": "notional"}
GOOD = rule("good", "order", ASSET | BAND, spend=DAY)
CLOSE = rule("close", "order", ASSET | BAND | {"reduceOnly": {"eq": True}})
BUYS = rule("buys", "order", ASSET | {"price": {"lte": "9"}, "isBuy": {"eq": True}}, spend=DAY)
SELLS = rule("sells", "order", ASSET | {"price": {"gte": "1"}, "isBuy": {"eq": False}}, spend=DAY)
FLOOR = rule("floor", "order", ASSET | {"price": {"gte": "1"}}, spend=DAY)
AGAIN = rule("again", "order", ASSET | BAND | {"notional": {"lte": "5"}})
SENDS = rule("sends", "usdSend", {"destination": {"eq": PAYEE}, "amount": {"lte": "5"}})
HOME = rule("home", "withdraw3", {"destination": {"eq": "$wallet"}, "amount": {"lte": "5"}})
NARROW = rule("narrow", "order", ASSET | BAND | {"isBuy": {"eq": True}}, spend=DAY)
VAULTS = rule("vaults", "order", ASSET | BAND, spend=DAY, vault={"eq": VAULT})
TESTNET = GOOD | {"id": "testnet", "network": "testnet"}


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([GOOD], set()),
        ([CLOSE, GOOD], set()),
        ([BUYS, SELLS], set()),
        ([FLOOR], {("ANY_PRICE", "floor")}),
        ([AGAIN], {("UNCOUNTED", "again")}),
        ([SENDS], {("UNCOUNTED", "sends")}),
        ([HOME], set()),
        ([GOOD, NARROW], {("SHADOWED", "narrow")}),
        ([GOOD, VAULTS, TESTNET], set()),
        ([AGAIN, GOOD], {("UNCOUNTED", "again"), ("BYPASS", "again")}),
    ],
)
def test_warnings(rules: list[dict[str, Any]], found: set[tuple[str, str]]) -> None:
    limits = [one for one in perps()["limits"] if one["id"] == "usd-day"]
    policy = documents.parsed(perps() | {"rules": rules, "limits": limits})
    told = {(one.code, one.rule) for one in warnings_of(policy)}
    assert {one for one in told if one[0] != "UNFED_LIMIT"} == found
