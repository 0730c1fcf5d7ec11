"""What the lint says of rules on actions of Hyperliquid."""

import re
from pathlib import Path
from typing import Any

import pytest

from keymoot.policy.document import parse_policy
from keymoot.policy.lint.warnings import warnings_of
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid.actions import PAYEE, VAULT, perps, rule

ROOT = Path(__file__).resolve().parents[3]

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
OPEN_VAULT = rule("open", "order", ASSET | BAND | {"notional": {"lte": "5"}}, vault={"eq": VAULT})
MARKET = GOOD | {"id": "market", "fields": ASSET | BAND | {"isMarket": {"eq": True}}}
LIMITS = GOOD | {"id": "limits", "fields": ASSET | BAND | {"isMarket": {"eq": False}}}
BUILT = ASSET | BAND | {"builder": {"eq": VAULT}, "builderFee": {"lte": "5"}}
BUILDS = GOOD | {"id": "builds", "fields": BUILT}
OTHERS = AGAIN | {"fields": BUILT | {"builder": {"eq": PAYEE}, "notional": {"lte": "5"}}}
SOON = GOOD | {"id": "soon", "within": {"expiresAfter": "5m"}}
SOONER = GOOD | {"id": "sooner", "within": {"expiresAfter": "1m", "nonce": "1m"}}
STEADY = GOOD | {"id": "steady", "within": {"nonce": "5m"}}
CANCEL = rule("cancel", "cancel", {})
CANCELS = rule("cancels", "cancel", {"asset": {"in": ["1", "2"]}})
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
        ([NARROW, GOOD], set()),
        # What closes is counted as if it opened, where the rule for all stands first.
        ([GOOD, CLOSE], {("SHADOWED", "close")}),
        ([OPEN_VAULT, GOOD], {("UNCOUNTED", "open")}),
        ([GOOD, MARKET], set()),
        ([GOOD, LIMITS], {("SHADOWED", "limits")}),
        ([BUILDS, GOOD], {("SHADOWED", "good")}),
        ([GOOD, BUILDS], set()),
        # Both take orders without a builder.
        ([OTHERS, BUILDS], {("UNCOUNTED", "again"), ("BYPASS", "again")}),
        ([SOON, GOOD], set()),
        ([GOOD, SOON], {("SHADOWED", "soon")}),
        ([SOON, SOONER], {("SHADOWED", "sooner")}),
        ([SOONER, SOON], set()),
        ([STEADY, GOOD], {("SHADOWED", "good")}),
        ([CANCEL, CANCELS], {("SHADOWED", "cancels")}),
        ([CANCELS, CANCEL], set()),
        ([AGAIN, GOOD], {("UNCOUNTED", "again"), ("BYPASS", "again")}),
    ],
)
def test_warnings(rules: list[dict[str, Any]], found: set[tuple[str, str]]) -> None:
    limits = [one for one in perps()["limits"] if one["id"] == "usd-day"]
    policy = documents.parsed(perps() | {"rules": rules, "limits": limits})
    told = {(one.code, one.rule) for one in warnings_of(policy)}
    assert {one for one in told if one[0] not in ("UNFED_LIMIT", "NO_EXPIRY")} == found


LEVER = rule("lever", "updateLeverage", ASSET | {"leverage": {"lte": "3"}})
MARGIN = rule("margin", "updateIsolatedMargin", ASSET | {"amount": {"lte": "3"}})
TRANSFER = rule("transfer", "usdClassTransfer", {"amount": {"lte": "3"}})
DEADMAN = rule("deadman", "scheduleCancel", {})
DENIED = {"id": "denied", "action": "DENY", "method": "hyperliquid_signAction", "type": "order"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({}, "NO_EXPIRY"),
        ({"nonce": "1m"}, "NO_EXPIRY"),
        ({"expiresAfter": "1m"}, None),
        ({"expiresAfter": "1h"}, None),
        ({"expiresAfter": "61m"}, "LONG_LIVED"),
    ],
)
@pytest.mark.parametrize("allow", [GOOD, CLOSE, LEVER, MARGIN], ids=lambda allow: allow["id"])
def test_what_may_be_kept_and_posted_later_has_an_end(
    allow: dict[str, Any], said: dict[str, str], code: str | None
) -> None:
    policy = documents.parsed(perps() | {"rules": [allow | {"within": said}]})
    told = {one.code for one in warnings_of(policy) if one.rule == allow["id"]}
    assert told & {"NO_EXPIRY", "LONG_LIVED"} == ({code} if code else set())


@pytest.mark.parametrize(
    "other", [CANCEL, DEADMAN, SENDS, HOME, TRANSFER, DENIED], ids=lambda other: other["id"]
)
def test_what_has_no_end_or_only_takes_back_is_not_asked_for_one(other: dict[str, Any]) -> None:
    policy = documents.parsed(perps() | {"rules": [other]})
    assert "NO_EXPIRY" not in {one.code for one in warnings_of(policy)}


def test_the_trader_of_the_examples_and_of_the_page_keeps_nothing_for_later() -> None:
    page = (ROOT / "docs/policies.md").read_text()
    (shown,) = [
        text
        for text in re.findall(r"```json\n(.*?)```", page, re.DOTALL)
        if "hyperliquid_signAction" in text
    ]
    for text in (shown, (ROOT / "examples/perps/policy.json").read_text()):
        told = {one.code for one in warnings_of(parse_policy(text.encode()))}
        assert not told & {"NO_EXPIRY", "LONG_LIVED"}
