"""The rules on typed data, tried; and how many comparisons that takes."""

from collections.abc import Sequence
from typing import Any

from keymoot.base.request import SIGN_TYPED_DATA
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.chain import WishKind
from keymoot.policy.chains.evm.typed.intent import TypedIntent, read_typed_data
from keymoot.policy.chains.evm.typed.match import TypedMatch, unmatched
from keymoot.policy.chains.evm.typed.rule import TypedRule, parse_typed_rule
from keymoot.policy.chains.texts import no_withdrawal
from keymoot.policy.condition import made_by
from keymoot.policy.match import Step, Trial
from keymoot.policy.rule import Rule

WITHIN = 16
"""Comparisons that holding a moment against the ledger's time is worth."""


def try_rules(
    rules: Sequence[Rule], intent: TypedIntent, now: UnixSeconds, trace: list[Step]
) -> list[Trial]:
    """A document has one trial."""
    matches = [
        TypedMatch(rule, intent, now, trace) for rule in rules if isinstance(rule, TypedRule)
    ]
    for match in matches:
        match.run()
    return [Trial(matches, lambda: unmatched(matches, intent))]


def comparisons(rules: Sequence[Rule], intent: TypedIntent) -> int:
    return sum(_of(rule, intent) for rule in rules if isinstance(rule, TypedRule))


def _of(rule: TypedRule, intent: TypedIntent) -> int:
    made = rule.work
    if rule.struct is None or rule.struct.encode_type != intent.struct.encode_type:
        return made
    for path, condition in rule.fields.items():
        made += made_by(condition, 1 if condition.elements is None else _count(intent, path))
    return made + WITHIN * len(rule.within)


def _count(intent: TypedIntent, path: str) -> int:
    """Count the items of the array at a path."""
    value: Any = intent.values
    for at in intent.struct.function.places[path].way:
        if at < 0:
            break
        value = value[at]
    return len(value)


TYPED_DATA = WishKind(
    SIGN_TYPED_DATA, read_typed_data, parse_typed_rule, try_rules, comparisons, no_withdrawal
)
