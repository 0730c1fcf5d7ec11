"""What the lint says of rules on typed data."""

from typing import Any

import pytest

from keymoot.policy.lint.warnings import warnings_of
from tests.policy.chains.evm.typed.payments import (
    PAYEE,
    PERMIT,
    RULED_DOMAIN,
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


def codes(*rules: dict[str, Any]) -> set[str]:
    return {finding.code for finding in warnings_of(policy(*rules))} - {"NEVER_EXPIRES"}


@pytest.mark.parametrize(
    ("rule", "found"),
    [
        (payment_rule(), set()),
        (payment_rule(domain=RULED_DOMAIN | {"chainId": "any"}), {"ANY_DOMAIN"}),
        (payment_rule(domain={"verifyingContract": {"eq": USDC.hex0x}}), {"ANY_DOMAIN"}),
        (payment_rule(domain={"name": {"eq": "x"}, "chainId": {"eq": "8453"}}), {"ANY_DOMAIN"}),
        (OPEN, {"FREE_RECIPIENT", "UNFED_LIMIT"}),
        (BOUNDED, {"UNCOUNTED", "UNFED_LIMIT"}),
        (LONG, {"LONG_LIVED"}),
    ],
)
def test_warnings(rule: dict[str, Any], found: set[str]) -> None:
    assert codes(rule) == found


def test_typed_data_costs_no_fee() -> None:
    assert "NO_FEE_CAP" not in codes(payment_rule())
