"""Who gets value or control: free, open to anybody, or named and surely not meant."""

from collections.abc import Iterator

from keymoot.base.fixed import Address
from keymoot.policy.chains.evm.powers.known import power_of
from keymoot.policy.chains.evm.powers.power import (
    APPROVAL,
    DELEGATION,
    OWNERSHIP,
    PERMIT,
    TRANSFER,
    TRANSFER_FROM,
    WRAPPER,
    Power,
    named,
)
from keymoot.policy.chains.evm.rule import EvmRule
from keymoot.policy.chains.evm.signature import Function
from keymoot.policy.condition import Condition
from keymoot.policy.lint import ranges
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.likeness import hides_calls, is_somebody, looks_like_somebody
from keymoot.policy.names import checksummed

_BURNED = frozenset(
    Address.from_hex(text)
    for text in ("0x" + "00" * 20, "0x000000000000000000000000000000000000dead", "0x" + "ee" * 20)
)
"""Nobody's addresses: what goes there is gone."""

_TOKENS_OWN = frozenset(
    ("transfer", "transferFrom", "safeTransferFrom", "approve", "increaseAllowance")
)
"""Functions that are called on the token itself."""

_GIVES_TOKENS = frozenset((APPROVAL, PERMIT, TRANSFER, TRANSFER_FROM))
"""Kinds whose asset is what the wallet gives, not what it gets."""

_SAFE_OPERATIONS = frozenset((0, 3))
"""Operations of Safe and ERC-725 that run no foreign code as the account."""


def evm_whom(rule: EvmRule, tokens: frozenset[Address]) -> Iterator[Finding]:
    """Look at whom one ALLOW lets get something.

    `tokens` is what the policy's rules call as tokens.
    """
    if rule.to is None:
        what = "calls anyone" if rule.functions else "pays anyone"
        yield Finding("ANYONE", rule.name, f'says "to": "anyone", so it {what}')
    elif not rule.functions:
        yield from _burned(rule, "to", rule.to, "a plain transfer")
    for function in rule.functions.values():
        known = power_of(function.selector)
        if known is None:
            yield from _unknown(rule, function)
        else:
            yield from _known(rule, function, known, tokens)


def tokens_of(rule: EvmRule) -> frozenset[Address]:
    if not any(is_tokens_own(function) for function in rule.functions.values()):
        return frozenset()
    called = ranges.named(rule.to) or frozenset()
    return frozenset(target for target in called if isinstance(target, Address))


def is_tokens_own(function: Function) -> bool:
    known = power_of(function.selector)
    kinds = (APPROVAL, TRANSFER, TRANSFER_FROM)
    return known is not None and known.kind in kinds and function.name in _TOKENS_OWN


def _known(
    rule: EvmRule, function: Function, known: Power, tokens: frozenset[Address]
) -> Iterator[Finding]:
    for name in named(function, known.whom):
        yield from _somebody(rule, function, known, name, tokens)
    for name in named(function, known.sources):
        condition = rule.arguments.get(name)
        if condition is None or not condition.positive:
            yield Finding(
                "FREE_SOURCE", rule.name, f'lets {function.name} take from any "{name}": name whose'
            )
    for name in named(function, known.assets):
        condition = rule.arguments.get(name)
        if condition is None or not condition.positive:
            why = (
                "an attacker's own token or market pays out to him"
                if known.kind not in _GIVES_TOKENS
                else "it is of whatever tokens the wallet has; name which"
            )
            text = f'lets {function.name} choose any "{name}": {why}'
            yield Finding("FREE_ASSET", rule.name, text)
    yield from _other_meaning(rule, function, known)
    if known.kind == OWNERSHIP and not known.whom:
        yield Finding("GIVES_UP_CONTROL", rule.name, f"allows {function.name}")


def _other_meaning(rule: EvmRule, function: Function, known: Power) -> Iterator[Finding]:
    """Look for somebody where the table sees none: other contracts share a selector."""
    ours = {place.way: path for path, place in known.function.places.items()}
    looked_at = {*known.whom, *known.sources, *known.assets}
    for name, place in function.places.items():
        condition = rule.arguments.get(name)
        free = condition is None or not condition.positive
        if place.way in looked_at or not free or not place.kind.startswith("address"):
            continue
        if is_somebody(name) and not is_somebody(ours[place.way]):
            yield _free(rule, function, name)


def _free(rule: EvmRule, function: Function, name: str) -> Finding:
    text = f'lets {function.name} name any "{name}": value can leave to anyone'
    return Finding("FREE_RECIPIENT", rule.name, text)


def _somebody(
    rule: EvmRule, function: Function, known: Power, name: str, tokens: frozenset[Address]
) -> Iterator[Finding]:
    condition = rule.arguments.get(name)
    if name in rule.anyone:
        text = f'says "{name}": "anyone" of {function.name}: {known.gives}'
        yield Finding("ANYONE", rule.name, text)
    if known.kind == WRAPPER:
        operation = str(function.kind_of(name)).startswith("uint")
        if operation and not _SAFE_OPERATIONS.issuperset(ranges.named(condition) or (None,)):
            yield _delegatecall(rule, function, name)
    elif known.kind != DELEGATION and condition is not None:
        yield from _burned(rule, name, condition, function.name)
        if is_tokens_own(function) and known.kind in (TRANSFER, TRANSFER_FROM):
            yield from _kept_by_token(rule, name, condition, tokens)


def _delegatecall(rule: EvmRule, function: Function, name: str) -> Finding:
    return Finding(
        "DELEGATECALL",
        rule.name,
        f'lets {function.name} run foreign code as the account: "{name}" {{"eq": "0"}} forbids it',
    )


def _burned(rule: EvmRule, name: str, condition: Condition, what: str) -> Iterator[Finding]:
    for address in sorted(_BURNED & (ranges.named(condition) or frozenset())):
        yield Finding(
            "BURN", rule.name, f'lets {what} name {checksummed(address)} as "{name}": it is gone'
        )


def _kept_by_token(
    rule: EvmRule, name: str, condition: Condition, tokens: frozenset[Address]
) -> Iterator[Finding]:
    for address in sorted(tokens & (ranges.named(condition) or frozenset())):
        yield Finding(
            "TOKEN_AS_RECIPIENT",
            rule.name,
            f'names the token {checksummed(address)} as "{name}": tokens sent there are lost',
        )


def _unknown(rule: EvmRule, function: Function) -> Iterator[Finding]:
    for name, place in function.places.items():
        condition = rule.arguments.get(name)
        parts = (f"{name}.", f"{name}[].")
        if condition is not None and condition.positive:
            continue
        if any(path.startswith(parts) for path in function.places):
            continue
        if name in rule.anyone:
            yield Finding("ANYONE", rule.name, f'says "{name}": "anyone" of {function.name}')
        elif hides_calls(function.name, name, place.kind):
            yield Finding(
                "HIDDEN_CALL",
                rule.name,
                f'lets {function.name} carry any "{name}": calls in it are not looked into',
            )
        elif looks_like_somebody(function.name, name, place.kind):
            yield _free(rule, function, name)
