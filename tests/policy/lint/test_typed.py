"""What the lint says of rules on typed data."""

from typing import Any

import pytest

from keymoot.policy.lint.warnings import warnings_of
from tests.policy.chains.evm.typed.payments import (
    AUTHORIZATION,
    PAYEE,
    PERMIT,
    PERMIT_BATCH,
    RULED_DOMAIN,
    STRANGER,
    USDC,
    payment_rule,
    policy,
)

MINTED = "Mint(address recipient,uint256 amount)"
OPEN = payment_rule(id="open", type=MINTED, fields={"amount": {"lte": "5"}}, within={}, spend={})
BOUNDED = payment_rule(fields={"to": {"eq": PAYEE.hex0x}, "value": {"lte": "10"}}, spend={})
LONG = payment_rule(
    type=PERMIT,
    fields={"owner": {"eq": "$wallet"}, "spender": {"eq": PAYEE.hex0x}},
    within={"deadline": "30d"},
    spend={"usdc-day": "value"},
)

ALL = payment_rule(id="all")
SMALL = payment_rule(id="small", fields=ALL["fields"] | {"value": {"lte": "10"}})
SHOPS = payment_rule(
    id="shops", fields=ALL["fields"] | {"to": {"in": [PAYEE.hex0x, STRANGER.hex0x]}}
)
SOON = payment_rule(id="soon", within={"validBefore": "5m"})
NAMED = payment_rule(id="named", domain=RULED_DOMAIN | {"name": {"eq": "USD Coin"}})
NO_VERSION = payment_rule(
    id="bare", domain={name: one for name, one in RULED_DOMAIN.items() if name != "version"}
)
FREE = payment_rule(id="free", fields=SMALL["fields"], spend={})
RECEIVE = payment_rule(id="receive", type=AUTHORIZATION.replace("Transfer", "Receive"))
BATCH = payment_rule(
    id="batch",
    type=PERMIT_BATCH,
    fields={
        "spender": {"eq": PAYEE.hex0x},
        "permitted[].token": {"all": {"eq": USDC.hex0x}},
        "permitted[].amount": {"all": {"lte": "100"}},
    },
    within={"deadline": "10m"},
    spend={},
)
BATCHES = BATCH | {
    "id": "batches",
    "fields": BATCH["fields"] | {"permitted[].amount": {"all": {"lte": "99"}}},
}


@pytest.mark.parametrize(
    ("rules", "found"),
    [
        ([ALL, SMALL], {("SHADOWED", "small")}),
        ([SMALL, ALL], set()),
        ([SHOPS, ALL], {("SHADOWED", "all")}),
        ([ALL, SHOPS], set()),
        ([ALL, SOON], {("SHADOWED", "soon")}),
        ([SOON, ALL], set()),
        ([ALL, NAMED], {("SHADOWED", "named")}),
        ([NAMED, ALL], set()),
        # Documents of other domains, or of another type, are other ones.
        ([ALL, NO_VERSION, RECEIVE], set()),
        ([FREE, ALL], {("BYPASS", "free")}),
        ([ALL, FREE], {("SHADOWED", "free")}),
        ([BATCH, BATCHES], {("SHADOWED", "batches")}),
        ([BATCHES, BATCH], set()),
    ],
)
def test_a_rule_that_never_decides_is_named(
    rules: list[dict[str, Any]], found: set[tuple[str, str]]
) -> None:
    told = {(one.code, one.rule) for one in warnings_of(policy(*rules))}
    assert {one for one in told if one[0] in ("SHADOWED", "BYPASS")} == found


def codes(*rules: dict[str, Any]) -> set[str]:
    return {finding.code for finding in warnings_of(policy(*rules))} - {"NEVER_EXPIRES"}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (payment_rule(), set()),
        (payment_rule(domain=RULED_DOMAIN | {"chainId": "any"}), {"ANY_DOMAIN"}),
        (payment_rule(domain={"verifyingContract": {"eq": USDC.hex0x}}), {"ANY_DOMAIN"}),
        (
            OPEN | {"domain": {"name": {"eq": "x"}, "chainId": {"eq": "8453"}}},
            {"ANY_DOMAIN", "FREE_RECIPIENT", "UNFED_LIMIT"},
        ),
        (OPEN, {"FREE_RECIPIENT", "UNFED_LIMIT"}),
        (BOUNDED, {"UNCOUNTED", "UNFED_LIMIT"}),
        (LONG, {"LONG_LIVED"}),
    ],
)
def test_warnings(rule: dict[str, Any], found: set[str]) -> None:
    assert codes(rule) == found


def test_typed_data_costs_no_fee() -> None:
    assert "NO_FEE_CAP" not in codes(payment_rule())
