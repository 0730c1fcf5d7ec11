"""How much leaves, and how often: approvals, transfers and native value that no limit counts."""

from collections.abc import Iterator, Mapping

from keymoot.policy.chains.evm.powers.known import power_of
from keymoot.policy.chains.evm.powers.power import (
    APPROVAL,
    APPROVAL_FOR_ALL,
    DELEGATION,
    DEPOSIT,
    PERMIT,
    SWAP,
    TRANSFER,
    TRANSFER_FROM,
    WITHDRAWAL,
    Power,
    named,
)
from keymoot.policy.chains.evm.rule import NATIVE_VALUE, EvmRule
from keymoot.policy.chains.evm.signature import Function
from keymoot.policy.chains.solana.instruction import SystemTransfer
from keymoot.policy.chains.solana.rule import AMOUNT, TransferRule
from keymoot.policy.condition import Condition
from keymoot.policy.limit import COUNT, VALUE, Limit
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.likeness import looks_like_gift
from keymoot.policy.lint.ranges import ENDLESS, ENDLESS_NATIVE, greatest, is_endless, is_wallet
from keymoot.policy.rule import Rule

_APPROVES = (APPROVAL, APPROVAL_FOR_ALL, PERMIT, DELEGATION)
_SENDS = (TRANSFER, TRANSFER_FROM, DEPOSIT, WITHDRAWAL, SWAP)

_AMOUNTS = ("amount", "value", "assets", "shares", "wad", "quantity", "qty", "tokens")

Limits = Mapping[str, Limit]


def evm_amounts(rule: EvmRule, limits: Limits) -> Iterator[Finding]:
    for function in rule.functions.values():
        known = power_of(function.selector)
        if known is None:
            yield from _unknown(rule, function, limits)
        elif known.kind in _APPROVES:
            yield from _approved(rule, function, known, limits)
        elif known.kind in _SENDS and not _comes_back(rule, function, known):
            yield from _sent(rule, function, known, limits)
    if rule.value is not None or not rule.functions:
        yield from _native(rule, limits)


def solana_amounts(rule: TransferRule, limits: Limits) -> Iterator[Finding]:
    meters = (VALUE,) if rule.instruction == SystemTransfer.NAME else ()
    if _counted(rule, AMOUNT, limits, meters):
        return
    if _bounded(rule, AMOUNT, rule.amount, "uint64", limits, meters):
        yield Finding("UNCOUNTED", rule.name, _AGAIN.format("sends what no limit counts"))
        return
    yield Finding("ANY_AMOUNT", rule.name, "sends what no limit counts: any amount at once")


_AGAIN = "{}: again and again; spend it into a limit with a window"


def _comes_back(rule: EvmRule, function: Function, known: Power) -> bool:
    """Tell whether what is paid stays the wallet's: a deposit for itself, a payout to itself."""
    whom = [rule.arguments.get(name) for name in named(function, known.whom)]
    return known.kind != SWAP and bool(whom) and all(is_wallet(condition) for condition in whom)


def _approved(rule: EvmRule, function: Function, known: Power, limits: Limits) -> Iterator[Finding]:
    for name in named(function, known.amounts):
        kind = str(function.kind_of(name))
        if not _bounded(rule, name, rule.arguments.get(name), kind, limits, ()):
            yield Finding(
                "ANY_AMOUNT",
                rule.name,
                f'lets {function.name} approve any "{name}": bound it with lte, below '
                "what stands for endless",
            )


def _sent(rule: EvmRule, function: Function, known: Power, limits: Limits) -> Iterator[Finding]:
    amounts = list(named(function, known.amounts))
    if (
        not amounts
        and known.kind in (TRANSFER, TRANSFER_FROM)
        and rule.value is None
        and not _paced(limits)
    ):
        yield Finding("UNCOUNTED", rule.name, _AGAIN.format(f"lets {function.name} send uncounted"))
    for name in amounts:
        if _counted(rule, name, limits, ()):
            continue
        kind = str(function.kind_of(name))
        if not _bounded(rule, name, rule.arguments.get(name), kind, limits, ()):
            yield Finding(
                "ANY_AMOUNT",
                rule.name,
                f'lets {function.name} send any "{name}": spend it into a limit, or bound it',
            )
        else:
            text = f'lets {function.name} send "{name}" that no limit counts'
            yield Finding("UNCOUNTED", rule.name, _AGAIN.format(text))


def _unknown(rule: EvmRule, function: Function, limits: Limits) -> Iterator[Finding]:
    """Look for bounds that bound nothing, on a function that nobody here knows."""
    free = []
    whom = [
        rule.arguments.get(name)
        for name, place in function.places.items()
        if place.kind.startswith("address")
    ]
    gives = looks_like_gift(function.name) and not (whom and all(map(is_wallet, whom)))
    for name, place in function.places.items():
        condition = rule.arguments.get(name)
        if not place.kind.startswith("uint"):
            continue
        if _bounded(rule, name, condition, place.kind, limits, ()):
            if gives:
                return
        elif condition is not None and _bounds_nothing(name, condition):
            text = f'has a condition on "{name}" of {function.name} that lets any amount through'
            yield Finding("ANY_AMOUNT", rule.name, text)
        else:
            free.append(name)
    if free and gives:
        names = " and ".join(f'"{name}"' for name in free)
        text = f"lets {function.name}, which gives by its name, have any {names}: bound an amount"
        yield Finding("ANY_AMOUNT", rule.name, text)


def _bounds_nothing(path: str, condition: Condition) -> bool:
    """Tell whether a condition without an upper bound was meant to be one."""
    word = path.rpartition(".")[2].strip("_").lower()
    return word in _AMOUNTS or all(
        test.operator in ("lt", "lte") or (test.operator == "gte" and test.operand == 0)
        for test in condition.tests
    )


def _native(rule: EvmRule, limits: Limits) -> Iterator[Finding]:
    if rule.value is not None and greatest(rule.value, "uint256") == 0:
        return
    if _counted(rule, NATIVE_VALUE, limits, (VALUE,)):
        return
    if not _bounded(rule, NATIVE_VALUE, rule.value, "uint256", limits, (VALUE,)):
        yield Finding(
            "ANY_VALUE",
            rule.name,
            'sends any native value: bound it with lte, and "spend" $value into a limit',
        )
    else:
        yield Finding(
            "UNCOUNTED_VALUE", rule.name, _AGAIN.format("sends native value that no limit counts")
        )


def _feeding(rule: Rule, source: str, limits: Limits, meters: tuple[str, ...]) -> list[Limit]:
    return [
        limit
        for limit in limits.values()
        if (rule.spend.get(limit.name) == source or limit.meter in meters) and not is_vacuous(limit)
    ]


def _counted(rule: Rule, source: str, limits: Limits, meters: tuple[str, ...]) -> bool:
    return any(limit.window is not None for limit in _feeding(rule, source, limits, meters))


def _bounded(
    rule: Rule,
    source: str,
    condition: Condition | None,
    kind: str,
    limits: Limits,
    meters: tuple[str, ...],
) -> bool:
    """Tell whether one transaction's amount ends somewhere."""
    if _feeding(rule, source, limits, meters):
        return True
    most = greatest(condition, kind)
    return most < ENDLESS_NATIVE if source == NATIVE_VALUE else not is_endless(most, kind)


def _paced(limits: Limits) -> bool:
    """Tell whether transactions are counted in a window."""
    return any(limit.meter == COUNT and limit.window is not None for limit in limits.values())


def is_vacuous(limit: Limit) -> bool:
    if limit.meter is None:
        return limit.max >= ENDLESS
    return limit.max >= ENDLESS_NATIVE
