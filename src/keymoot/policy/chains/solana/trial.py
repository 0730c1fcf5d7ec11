"""The rules on a transaction of Solana, tried; and how many comparisons that takes."""

from collections.abc import Sequence

from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.solana.instruction import TokenTransfer, Transfer
from keymoot.policy.chains.solana.intent import SolanaIntent
from keymoot.policy.chains.solana.match import TransferMatch, unmatched
from keymoot.policy.chains.solana.rule import TransferRule
from keymoot.policy.condition import RULE, made_by
from keymoot.policy.match import Trace, Trial
from keymoot.policy.rule import Rule

OWNER = 48
"""Comparisons that asking for an owner's token account of a mint is worth."""

OWN = 128
"""Comparisons that finding the wallet's own token account of a mint is worth."""


def try_rules(
    rules: Sequence[Rule], intent: SolanaIntent, now: UnixSeconds, trace: Trace
) -> list[Trial]:
    """Each of a transaction's transfers has a trial, whenever it is."""
    del now
    return [_of_transfer(rules, intent, transfer, trace) for transfer in intent.does.transfers]


def _of_transfer(
    rules: Sequence[Rule], intent: SolanaIntent, transfer: Transfer, trace: Trace
) -> Trial:
    matches = [
        TransferMatch(rule, transfer, intent.wallet, trace)
        for rule in rules
        if isinstance(rule, TransferRule)
    ]
    for match in matches:
        match.run()
    return Trial(matches, lambda: unmatched(matches, transfer))


def comparisons(rules: Sequence[Rule], intent: SolanaIntent) -> int:
    mints = {
        transfer.mint for transfer in intent.does.transfers if isinstance(transfer, TokenTransfer)
    }
    made = OWN * len(mints)
    for rule in (rule for rule in rules if isinstance(rule, TransferRule)):
        each = RULE + sum(map(made_by, (rule.mint, rule.amount, rule.to, rule.source)))
        made += len(intent.does.transfers) * (each + rule.token_owners)
        made += OWNER * rule.derived_accounts(len(mints))
    return made
