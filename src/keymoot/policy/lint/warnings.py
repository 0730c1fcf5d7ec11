"""Everything that the lint looks for, in one list."""

from keymoot.policy.document import Policy
from keymoot.policy.evm.rule import EvmRule
from keymoot.policy.lint.amounts import evm_amounts, solana_amounts
from keymoot.policy.lint.document import whole
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.shadow import shadows
from keymoot.policy.lint.texts import open_prefix
from keymoot.policy.lint.whom import evm_whom, tokens_of
from keymoot.policy.rule import ALLOW
from keymoot.policy.solana.rule import TransferRule
from keymoot.policy.text.rule import TextRule


def warnings_of(policy: Policy) -> list[Finding]:
    """List what an attacker would look for first; empty where nothing was found."""
    allows = [rule for rule in policy.rules if rule.action == ALLOW]
    evm = [rule for rule in allows if isinstance(rule, EvmRule)]
    tokens = frozenset(token for rule in evm for token in tokens_of(rule))
    found: list[Finding] = []
    for rule in allows:
        if isinstance(rule, EvmRule):
            found += evm_whom(rule, tokens)
            found += evm_amounts(rule, policy.limits)
        elif isinstance(rule, TransferRule):
            found += solana_amounts(rule, policy.limits)
        elif isinstance(rule, TextRule):
            found += open_prefix(rule)
    found += shadows(allows, policy.limits)
    found += whole(policy)
    return list(dict.fromkeys(found))
