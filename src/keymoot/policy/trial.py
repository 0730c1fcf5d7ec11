"""Every rule of a policy, tried on every part of a wish that needs a rule of its own."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from keymoot.policy.evm import match as evm
from keymoot.policy.evm.intent import EvmIntent
from keymoot.policy.evm.rule import EvmRule, suffixes_of
from keymoot.policy.intent import Intent
from keymoot.policy.match import Match, Step
from keymoot.policy.refusal import Refusal
from keymoot.policy.rule import Rule
from keymoot.policy.solana import match as solana
from keymoot.policy.solana.instruction import Transfer
from keymoot.policy.solana.intent import SolanaIntent
from keymoot.policy.solana.rule import TransferRule
from keymoot.policy.text import match as text
from keymoot.policy.text.intent import TextIntent
from keymoot.policy.text.rule import TextRule


@dataclass(frozen=True, slots=True)
class Trial:
    """The rules on one part of a wish.

    Attributes:
        matches: One for each rule that speaks of such parts, in the document's order.
        unmatched: Says why no ALLOW among them holds.
    """

    matches: Sequence[Match]
    unmatched: Callable[[], Refusal]


def trials_of(rules: Sequence[Rule], intent: Intent, trace: list[Step]) -> list[Trial]:
    """Try the rules; a transaction of Solana has a trial for each of its transfers."""
    if isinstance(intent, EvmIntent):
        return [_of_evm(rules, intent, trace)]
    if isinstance(intent, SolanaIntent):
        return [_of_transfer(rules, intent, one, trace) for one in intent.does.transfers]
    return [_of_text(rules, intent, trace)]


def _of_evm(rules: Sequence[Rule], intent: EvmIntent, trace: list[Step]) -> Trial:
    ours = [one for one in rules if isinstance(one, EvmRule)]
    suffixes = suffixes_of(ours)
    matches = [evm.EvmMatch(one, intent, trace, suffixes) for one in ours]
    for match in matches:
        match.run()
    return Trial(matches, lambda: evm.unmatched(matches, intent))


def _of_transfer(
    rules: Sequence[Rule], intent: SolanaIntent, transfer: Transfer, trace: list[Step]
) -> Trial:
    matches = [
        solana.TransferMatch(one, transfer, intent.wallet, trace)
        for one in rules
        if isinstance(one, TransferRule)
    ]
    for match in matches:
        match.run()
    return Trial(matches, lambda: solana.unmatched(matches, transfer))


def _of_text(rules: Sequence[Rule], intent: TextIntent, trace: list[Step]) -> Trial:
    matches = [
        text.TextMatch(one, intent, trace)
        for one in rules
        if isinstance(one, TextRule) and one.method == intent.method
    ]
    for match in matches:
        match.run()
    return Trial(matches, lambda: text.unmatched(intent, ruled=bool(matches)))
