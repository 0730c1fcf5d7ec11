"""The rules on an action of Hyperliquid, tried; and how many comparisons that takes."""

from collections.abc import Sequence

from keymoot.base.request import SIGN_HYPERLIQUID
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.chain import WishKind
from keymoot.policy.chains.evm.hyperliquid.action import ActionIntent, read_action
from keymoot.policy.chains.evm.hyperliquid.kinds import Part
from keymoot.policy.chains.evm.hyperliquid.match import ActionMatch, unmatched
from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule, parse_action_rule
from keymoot.policy.chains.texts import no_withdrawal
from keymoot.policy.condition import RULE, made_by
from keymoot.policy.match import Step, Trial
from keymoot.policy.rule import Rule


def _try_rules(
    rules: Sequence[Rule], intent: ActionIntent, now: UnixSeconds, trace: list[Step]
) -> list[Trial]:
    """Each part of an action has a trial, whenever it is: each order, each cancel."""
    del now
    ours = _about(rules, intent)
    return [_of_part(ours, intent, part, trace) for part in intent.parts]


def _of_part(rules: list[ActionRule], intent: ActionIntent, part: Part, trace: list[Step]) -> Trial:
    matches = [ActionMatch(rule, intent, part, trace) for rule in rules]
    for match in matches:
        match.run()
    return Trial(matches, lambda: unmatched(matches, intent, part))


def _about(rules: Sequence[Rule], intent: ActionIntent) -> list[ActionRule]:
    """Give the rules that speak of such actions."""
    ours = [rule for rule in rules if isinstance(rule, ActionRule)]
    return [rule for rule in ours if rule.kind in (None, intent.kind)]


def _comparisons(rules: Sequence[Rule], intent: ActionIntent) -> int:
    made = 0
    for rule in _about(rules, intent):
        conditions = sum(made_by(one) for one in (rule.vault, *rule.fields.values()))
        made += len(intent.parts) * (RULE + conditions)
    return made


HYPERLIQUID = WishKind(
    SIGN_HYPERLIQUID, read_action, parse_action_rule, _try_rules, _comparisons, no_withdrawal
)
"""Actions of the exchange, as a kind of wish of EVM wallets."""
