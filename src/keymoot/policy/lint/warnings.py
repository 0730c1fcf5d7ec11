"""Everything that the lint looks for, in one list."""

from collections.abc import Iterator

from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule
from keymoot.policy.chains.evm.rule import EvmRule
from keymoot.policy.chains.evm.typed.rule import TypedRule
from keymoot.policy.chains.solana.rule import TransferRule
from keymoot.policy.document import Policy
from keymoot.policy.lint.amounts import evm_amounts, solana_amounts
from keymoot.policy.lint.document import whole
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.hyperliquid import action_warnings
from keymoot.policy.lint.shadow import shadows
from keymoot.policy.lint.typed import typed_warnings
from keymoot.policy.lint.whom import evm_whom, tokens_of
from keymoot.policy.rule import ALLOW
from keymoot.policy.text.rule import TextRule

_ENDS = " .,:;!?)]>\"'"
"""Behind these a word has ended; the parser has seen to domains."""


def warnings_of(policy: Policy) -> list[Finding]:
    """List what an attacker would look for first; empty where nothing was found."""
    allows = [rule for rule in policy.rules if rule.action == ALLOW]
    evm = [rule for rule in allows if isinstance(rule, EvmRule)]
    tokens = frozenset(token for rule in evm for token in tokens_of(rule))
    findings: list[Finding] = []
    for rule in allows:
        if isinstance(rule, EvmRule):
            findings += evm_whom(rule, tokens)
            findings += evm_amounts(rule, policy.limits)
        elif isinstance(rule, TransferRule):
            findings += solana_amounts(rule, policy.limits)
        elif isinstance(rule, TypedRule):
            findings += typed_warnings(rule, policy.limits)
        elif isinstance(rule, ActionRule):
            findings += action_warnings(rule, policy.limits)
        elif isinstance(rule, TextRule):
            findings += _open_prefix(rule)
    findings += shadows(allows, policy.limits)
    findings += whole(policy)
    return list(dict.fromkeys(findings))


def _open_prefix(rule: TextRule) -> Iterator[Finding]:
    if rule.prefix[-1] not in _ENDS:
        text = f'has a prefix that ends inside a word: "{rule.prefix}…" goes on freely'
        yield Finding("OPEN_PREFIX", rule.name, text)
