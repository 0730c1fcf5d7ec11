"""How many comparisons a decision makes, counted before the first of them.

A policy of 64 rules and an array of 500 values multiply. So what they come to is counted from
the rules and the lengths of what was decoded, which costs next to nothing; `contracts` charges
it, and what is above the bound is refused and never made.
"""

from keymoot.policy.chains.chain import Intent
from keymoot.policy.chains.registry import kind_of
from keymoot.policy.document import Policy
from keymoot.policy.refusal import REFUSED, Refusal

MAX_COMPARISONS = 4_096
"""Comparisons of one decision at most: a few milliseconds on every replica."""


def comparisons(policy: Policy, intent: Intent) -> int:
    return kind_of(intent).comparisons(policy.rules, intent)


def too_much(work: int) -> Refusal | None:
    if work <= MAX_COMPARISONS:
        return None
    message = (
        f"{REFUSED}holding this against the policy takes {work} comparisons, at most "
        f"{MAX_COMPARISONS} are made: send shorter arrays or fewer transfers, or write fewer rules "
        "and conditions on them"
    )
    return Refusal("TOO_MUCH_WORK", message)
