"""The whole document: fees, limits, expiry."""

from collections.abc import Iterator

from keymoot.policy.chains.evm.address import EIP155
from keymoot.policy.chains.evm.rule import NATIVE_VALUE, EvmRule
from keymoot.policy.chains.solana.rule import TransferRule
from keymoot.policy.document import Policy
from keymoot.policy.limit import COUNT, MAX_FEE
from keymoot.policy.lint import ranges
from keymoot.policy.lint.amounts import is_vacuous
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.whom import is_tokens_own
from keymoot.policy.moment import parse_moment
from keymoot.policy.names import checksummed
from keymoot.policy.rule import ALLOW

_PAYING = (EvmRule, TransferRule)
"""Rules on what costs a fee: signatures on texts and typed data cost the wallet none."""

_NEVER = parse_moment("2100-01-01T00:00:00Z", "")
"""Nobody who reads a policy today will see it end."""


def whole(policy: Policy) -> Iterator[Finding]:
    if any(rule.action == ALLOW and isinstance(rule, _PAYING) for rule in policy.rules):
        yield from _fees(policy)
    if policy.expires is None or policy.expires >= _NEVER:
        yield Finding("NEVER_EXPIRES", "", 'the policy never expires: set "expires"')
    fed = {name for rule in policy.rules for name in rule.spend}
    for limit in policy.limits.values():
        if limit.meter is None and limit.name not in fed:
            text = f'limit "{limit.name}" is fed by no rule: it limits nothing'
            yield Finding("UNFED_LIMIT", "", text)
        elif is_vacuous(limit):
            text = f'limit "{limit.name}" is higher than all there is: it limits nothing'
            yield Finding("VACUOUS_LIMIT", "", text)
    yield from _mixed(policy)


def _fees(policy: Policy) -> Iterator[Finding]:
    fee = "gas" if policy.chain.namespace == EIP155 else "fees"
    limits = [limit for limit in policy.limits.values() if not is_vacuous(limit)]
    fees = [limit for limit in limits if limit.meter == MAX_FEE]
    windowed = {limit.meter for limit in limits if limit.window is not None}
    if not fees:
        text = f"no limit with the meter maxFee: the agent may burn all native funds as {fee}"
        yield Finding("NO_FEE_CAP", "", text)
    elif not windowed & {MAX_FEE, COUNT}:
        text = (
            f"maxFee is limited per transaction only: the agent may burn all native funds as {fee}, "
            "one transaction after the other; give maxFee or count a window"
        )
        yield Finding("UNCOUNTED_FEE", "", text)


def _mixed(policy: Policy) -> Iterator[Finding]:
    assets_of: dict[str, set[str]] = {}
    for rule in policy.rules:
        for limit, source in rule.spend.items():
            if isinstance(rule, TransferRule):
                shown = {rule.mint.wanted if rule.mint else "SOL"}
            elif isinstance(rule, EvmRule):
                shown = _assets(rule, source)
            else:
                continue
            assets_of.setdefault(limit, set()).update(shown)
    for limit, assets in assets_of.items():
        if len(assets) > 1:
            text = (
                f'limit "{limit}" adds up amounts of different tokens: {", ".join(sorted(assets))}'
            )
            yield Finding("MIXED_LIMIT", "", text)


def _assets(rule: EvmRule, source: str) -> set[str]:
    """Name what a rule feeds into a limit, as far as its target tells."""
    if source == NATIVE_VALUE:
        return {"the chain's own coin"}
    if not all(is_tokens_own(function) for function in rule.functions.values()):
        return set()
    return {
        checksummed(target) for target in ranges.named(rule.to) or () if not isinstance(target, str)
    }
