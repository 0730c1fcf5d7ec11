"""The rules on an EVM transaction, tried; and how many comparisons that takes."""

from collections.abc import Sequence

from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.evm.calldata import BadCalldata
from keymoot.policy.chains.evm.intent import EvmIntent
from keymoot.policy.chains.evm.match import EvmMatch, unmatched
from keymoot.policy.chains.evm.rule import EvmRule, suffixes_behind, suffixes_of
from keymoot.policy.chains.evm.suffix import Suffix
from keymoot.policy.condition import RULE, made_by
from keymoot.policy.match import Trace, Trial
from keymoot.policy.rule import Rule


def try_rules(
    rules: Sequence[Rule], intent: EvmIntent, now: UnixSeconds, trace: Trace
) -> list[Trial]:
    """A transaction is one call, with one trial, whenever it is."""
    del now
    ours = [rule for rule in rules if isinstance(rule, EvmRule)]
    suffixes = suffixes_of(ours)
    matches = [EvmMatch(rule, intent, trace, suffixes) for rule in ours]
    for match in matches:
        match.run()
    return [Trial(matches, lambda: unmatched(matches, intent))]


def comparisons(rules: Sequence[Rule], intent: EvmIntent) -> int:
    """Count the most comparisons that this can take; calldata is read for it, once."""
    ours = [rule for rule in rules if isinstance(rule, EvmRule)]
    every = suffixes_of(ours)
    return sum(_of(rule, intent, suffixes_behind(rule, every)) for rule in ours)


def _of(rule: EvmRule, intent: EvmIntent, suffixes: tuple[Suffix, ...]) -> int:
    made = RULE + made_by(rule.to) + made_by(rule.value)
    function = rule.functions.get(intent.transaction.data[:4])
    if function is None or not rule.arguments:
        return made
    try:
        calldata, _ = intent.calldata.read(function, suffixes)
    except BadCalldata:
        return made
    for path, condition in rule.arguments.items():
        array = condition.elements is not None
        count = len(calldata.argument(function, path)) if array else 1
        made += made_by(condition, count)
    return made
