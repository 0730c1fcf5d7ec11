"""What the lint looks for in an ALLOW of actions on Hyperliquid."""

from collections.abc import Iterator, Mapping

from keymoot.base.units import Seconds
from keymoot.policy.chains.evm.hyperliquid.kinds import KINDS, LEVERAGE, MARGIN, ORDER
from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule
from keymoot.policy.chains.evm.hyperliquid.window import EXPIRES_AFTER
from keymoot.policy.condition import LOWER, UPPER
from keymoot.policy.limit import COUNT, Limit
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.ranges import is_wallet

LONG = Seconds(3_600)
"""Prices move further within longer times than a band of prices is for."""

_KEPT = frozenset({ORDER, LEVERAGE, MARGIN})
"""What may hurt when it is posted later. Cancelling takes back, and other kinds have no end."""


def action_warnings(rule: ActionRule, limits: Mapping[str, Limit]) -> Iterator[Finding]:
    if rule.kind is None:
        return
    spent = KINDS[rule.kind].spent
    back = is_wallet(rule.fields.get("destination")) or rule.is_only("reduceOnly", value=True)
    if spent and not back and not _counted(rule, limits):
        text = f"is allowed again and again: no limit with a window counts its {spent[0]}"
        yield Finding("UNCOUNTED", rule.name, text)
    if rule.kind in _KEPT:
        yield from _kept(rule)
    if rule.kind != ORDER:
        return
    prices = rule.fields.get("price")
    bounds = {test.operator for test in prices.tests} if prices is not None else set()
    sold = bool(bounds & LOWER) or rule.is_only("isBuy", value=True)
    bought = bool(bounds & UPPER) or rule.is_only("isBuy", value=False)
    if not (sold and bought):
        text = (
            "trades at any price on one side at least, and whoever takes the other side of such "
            "an order gets the difference: bound price from both"
        )
        yield Finding("ANY_PRICE", rule.name, text)


def _kept(rule: ActionRule) -> Iterator[Finding]:
    length = rule.within.get(EXPIRES_AFTER)
    if length is None:
        text = (
            "wants no expiresAfter: what is signed may be kept, and posted up to two days later, "
            'when it hurts; write "within": {"expiresAfter": "5m"}'
        )
        yield Finding("NO_EXPIRY", rule.name, text)
    elif length > LONG:
        text = f"lets expiresAfter be {length // 60} minutes ahead: so long it can be posted"
        yield Finding("LONG_LIVED", rule.name, text)


def _counted(rule: ActionRule, limits: Mapping[str, Limit]) -> bool:
    windows = [limit for limit in limits.values() if limit.window is not None]
    return any(limit.meter == COUNT or limit.name in rule.spend for limit in windows)
