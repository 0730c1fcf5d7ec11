"""How many comparisons a decision makes, counted before the first of them.

A policy of 64 rules and an array of 500 values multiply. So what they come to is counted from
the rules and the lengths of what was decoded, which costs next to nothing; `contracts` charges
it, and what is above the bound is refused and never made.
"""

from keymoot.policy.condition import Condition
from keymoot.policy.document import Policy
from keymoot.policy.evm.calldata import BadCalldata
from keymoot.policy.evm.intent import EvmIntent
from keymoot.policy.evm.rule import EvmRule, suffixes_behind, suffixes_of
from keymoot.policy.evm.suffix import Suffix
from keymoot.policy.intent import Intent
from keymoot.policy.refusal import REFUSED, Refusal
from keymoot.policy.solana.instruction import TokenTransfer
from keymoot.policy.solana.intent import SolanaIntent
from keymoot.policy.solana.rule import TransferRule

MAX_COMPARISONS = 4_096
"""Comparisons of one decision at most: a few milliseconds on every replica."""

RULE, CONDITION = 32, 16
"""Comparisons that trying a rule, and each of its conditions, is worth beside those it makes."""

OWNER = 48
"""Comparisons that asking for an owner's token account of a mint is worth."""

OWN = 128
"""Comparisons that finding the wallet's own token account of a mint is worth."""


def comparisons(policy: Policy, intent: Intent) -> int:
    """Give the most comparisons that deciding can take; calldata is read for it, once."""
    if isinstance(intent, EvmIntent):
        ours = [one for one in policy.rules if isinstance(one, EvmRule)]
        every = suffixes_of(ours)
        return sum(_of_evm(one, intent, suffixes_behind(one, every)) for one in ours)
    if isinstance(intent, SolanaIntent):
        rules = [one for one in policy.rules if isinstance(one, TransferRule)]
        return _of_solana(rules, intent)
    return RULE * len(policy.rules)


def too_much(work: int) -> Refusal | None:
    """Refuse work above the bound."""
    if work <= MAX_COMPARISONS:
        return None
    message = (
        f"{REFUSED}holding this against the policy takes {work} comparisons, at most "
        f"{MAX_COMPARISONS} are made: send shorter arrays or fewer transfers, or write fewer rules "
        "and conditions on them"
    )
    return Refusal("TOO_MUCH_WORK", message)


def _of_evm(rule: EvmRule, intent: EvmIntent, suffixes: tuple[Suffix, ...]) -> int:
    made = RULE + _of(rule.to) + _of(rule.value)
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
        made += _of(condition, count)
    return made


def _of_solana(rules: list[TransferRule], intent: SolanaIntent) -> int:
    mints = {one.mint for one in intent.does.transfers if isinstance(one, TokenTransfer)}
    made = OWN * len(mints)
    for rule in rules:
        each = RULE + sum(_of(one) for one in (rule.mint, rule.amount, rule.to, rule.source))
        made += len(intent.does.transfers) * (each + rule.token_owners)
        made += OWNER * rule.derived_accounts(len(mints))
    return made


def _of(condition: Condition | None, values: int = 1) -> int:
    return 0 if condition is None else CONDITION + len(condition.tests) * values
