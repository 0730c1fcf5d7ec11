"""Texts for people, as a kind of wish that any chain may have.

`policy.text` reads and rules them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from keymoot.base.strict_json import Json
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.chain import WishKind
from keymoot.policy.condition import RULE, Sets
from keymoot.policy.limit import Limit
from keymoot.policy.match import Trace, Trial
from keymoot.policy.refusal import Refusal, not_a_withdrawal
from keymoot.policy.rule import Rule
from keymoot.policy.text.intent import TextIntent
from keymoot.policy.text.match import TextMatch, unmatched
from keymoot.policy.text.rule import TextRule, parse_text_rule


def text_kind(method: str, read: Callable[[bytes, Any], TextIntent]) -> WishKind:
    def parse_rule(json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str) -> Rule:
        del sets, limits
        return parse_text_rule(json, method, path)

    return WishKind(method, read, parse_rule, _try_rules, _comparisons, no_withdrawal)


def _try_rules(
    rules: Sequence[Rule], intent: TextIntent, now: UnixSeconds, trace: Trace
) -> list[Trial]:
    del now
    ours = [rule for rule in rules if isinstance(rule, TextRule) and rule.method == intent.method]
    matches = [TextMatch(rule, intent, trace) for rule in ours]
    for match in matches:
        match.run()
    return [Trial(matches, lambda: unmatched(intent, ruled=bool(matches)))]


def _comparisons(rules: Sequence[Rule], intent: TextIntent) -> int:
    del intent
    return RULE * len(rules)


def no_withdrawal(intent: Any, recovery: Any, max_fee: int | None) -> Refusal:
    del intent, recovery, max_fee
    return not_a_withdrawal("method", "a withdrawal is a transaction to the recovery address")
