"""The rules on typed data, tried; and how many comparisons that takes."""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from keymoot.base.request import SIGN_TYPED_DATA
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.chain import WishKind
from keymoot.policy.chains.evm.typed.intent import TypedIntent, read_typed_data
from keymoot.policy.chains.evm.typed.match import CONDITIONS, NAMED, TypedMatch, reach_of, unmatched
from keymoot.policy.chains.evm.typed.rule import TypedRule, parse_typed_rule
from keymoot.policy.chains.texts import no_withdrawal
from keymoot.policy.condition import made_by
from keymoot.policy.match import Step, Trace, Trial, steps_of
from keymoot.policy.refusal import Refusal
from keymoot.policy.rule import ALLOW, Rule

WITHIN = 16
"""Comparisons that holding a moment against the ledger's time is worth."""


def try_rules(
    rules: Sequence[Rule], intent: TypedIntent, now: UnixSeconds, trace: Trace
) -> list[Trial]:
    """A document has one trial.

    A rule of which it is seen at once that it does not hold is tried when somebody reads why.
    """
    ours = [rule for rule in rules if isinstance(rule, TypedRule)]
    tried: dict[int, TypedMatch] = {}
    near: list[int] = []
    for at, rule in enumerate(ours):
        reach = reach_of(rule, intent)
        if reach >= NAMED:
            near.append(at)
        if reach == CONDITIONS:
            tried[at] = _tried(rule, intent, now, trace)
        else:
            trace.append(partial(_steps, rule, intent, now))
    matches = tuple(tried.values())

    def each_of(places: Iterable[int]) -> list[TypedMatch]:
        # Each once: it is paid for once.
        for at in places:
            if at not in tried:
                tried[at] = _tried(ours[at], intent, now, [])
        return [tried[at] for at in places]

    def why() -> Refusal:
        # Where none that speaks of the document got to its fields, all others are as near.
        told = each_of(near)
        if not any((match.stopped or 0) >= NAMED for match in told if match.rule.action == ALLOW):
            told = each_of(range(len(ours)))
        return unmatched(told, intent)

    return [Trial(matches, why)]


def _tried(rule: TypedRule, intent: TypedIntent, now: UnixSeconds, trace: Trace) -> TypedMatch:
    match = TypedMatch(rule, intent, now, trace)
    match.run()
    return match


def _steps(rule: TypedRule, intent: TypedIntent, now: UnixSeconds) -> Sequence[Step]:
    return steps_of(_tried(rule, intent, now, []).trace)


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
