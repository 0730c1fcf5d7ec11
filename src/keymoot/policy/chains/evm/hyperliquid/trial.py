"""The rules on an action of Hyperliquid, tried; and how many comparisons that takes."""

from collections.abc import Sequence
from functools import partial

from keymoot.base.request import SIGN_HYPERLIQUID
from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.chain import WishKind
from keymoot.policy.chains.evm.hyperliquid.action import ActionIntent, read_action
from keymoot.policy.chains.evm.hyperliquid.kinds import Part
from keymoot.policy.chains.evm.hyperliquid.match import ActionMatch, unmatched
from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule, parse_action_rule
from keymoot.policy.chains.evm.hyperliquid.window import NAMES, out_of_window
from keymoot.policy.chains.texts import no_withdrawal
from keymoot.policy.condition import RULE, made_by
from keymoot.policy.match import Step, Trace, Trial
from keymoot.policy.rule import Rule

WITHIN = 16
"""Comparisons that holding a moment against the ledger's time is worth."""


def _try_rules(
    rules: Sequence[Rule], intent: ActionIntent, now: UnixSeconds, trace: Trace
) -> list[Trial]:
    """Each part of an action has a trial: each order, each cancel; out of time, none has."""
    strange = out_of_window(intent, now, partial(_note, trace))
    if strange is not None:
        return [Trial((), lambda: strange)]
    ours = _about(rules, intent)
    return [_of_part(ours, intent, part, now, trace) for part in intent.parts]


def _note(trace: Trace, path: str, wanted: str, got: str, *, passed: bool) -> bool:
    trace.append(Step("", path, wanted, got, passed))
    return passed


def _of_part(
    rules: list[ActionRule], intent: ActionIntent, part: Part, now: UnixSeconds, trace: Trace
) -> Trial:
    matches = [ActionMatch(rule, intent, part, now, trace) for rule in rules]
    for match in matches:
        match.run()
    return Trial(matches, lambda: unmatched(matches, intent, part))


def _about(rules: Sequence[Rule], intent: ActionIntent) -> list[ActionRule]:
    """Give the rules that speak of such actions."""
    ours = [rule for rule in rules if isinstance(rule, ActionRule)]
    return [rule for rule in ours if rule.kind in (None, intent.kind)]


def _comparisons(rules: Sequence[Rule], intent: ActionIntent) -> int:
    made = len(NAMES) * WITHIN
    for rule in _about(rules, intent):
        conditions = sum(made_by(condition) for condition in (rule.vault, *rule.fields.values()))
        made += len(intent.parts) * (RULE + conditions + WITHIN * len(rule.within))
    return made


HYPERLIQUID = WishKind(
    SIGN_HYPERLIQUID, read_action, parse_action_rule, _try_rules, _comparisons, no_withdrawal
)
"""Actions of the exchange, as a kind of wish of EVM wallets."""
