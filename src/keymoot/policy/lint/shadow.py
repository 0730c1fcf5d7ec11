"""What shadows what: the first ALLOW whose conditions hold decides, and only it is counted."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from keymoot.policy.chains.evm.hyperliquid.kinds import KINDS, ORDER, ActionKind
from keymoot.policy.chains.evm.hyperliquid.rule import ActionRule
from keymoot.policy.chains.evm.hyperliquid.window import NONCE, NONCE_SECONDS
from keymoot.policy.chains.evm.rule import NATIVE_VALUE, EvmRule
from keymoot.policy.chains.evm.signature import Function
from keymoot.policy.chains.evm.typed.intent import DOMAIN_FIELDS
from keymoot.policy.chains.evm.typed.rule import TypedRule
from keymoot.policy.chains.evm.typed.struct import Struct
from keymoot.policy.chains.solana.rule import AMOUNT, TransferRule
from keymoot.policy.condition import Condition, Test
from keymoot.policy.limit import Limit
from keymoot.policy.lint.amounts import Limits
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.ranges import disjoint, greatest, implies
from keymoot.policy.rule import Rule
from keymoot.policy.text.rule import TextRule

Key = str | tuple[int, ...]

_NOTHING = Condition((Test("eq", 0, "0"),))
"""What an ALLOW wants of native value where it says nothing."""

_FALSE = Condition((Test("eq", False, False),))  # noqa: FBT003
"""What an ALLOW of orders wants of isMarket where it says nothing."""

_OF_BUILDERS: Final[frozenset[Key]] = frozenset(("builder", "builderFee"))
"""An order may have none of these."""


@dataclass(frozen=True, slots=True)
class Region:
    """What one ALLOW lets through of one kind of call or transfer.

    Attributes:
        rule: The rule.
        what: The kind, for people.
        conditions: With the type of what they compare; a missing one is none.
        extras: What else it lets through; another region without them lets less through.
        sources: The places of amounts, by what `spend` calls them.
        within: How many seconds from the ledger's time a moment may be.
        optional: Places that a wish may leave empty, whatever the condition on them.
        absent: Those of them that are always empty here.
        closes: It only takes positions back: no way around what counts how they are opened.
    """

    rule: Rule
    what: str
    conditions: dict[Key, tuple[str, Condition]]
    extras: frozenset[str]
    sources: dict[str, Key]
    within: Mapping[str, int] = field(default_factory=dict)
    optional: frozenset[Key] = frozenset()
    absent: frozenset[Key] = frozenset()
    closes: bool = False


def shadows(rules: Sequence[Rule], limits: Limits) -> Iterator[Finding]:
    """Look for rules that an earlier one makes idle, among the policy's ALLOWs in order."""
    seen: dict[str | bytes, list[Region]] = {}
    for rule in rules:
        for key, region in _regions(rule):
            for earlier in seen.get(key, ()):
                finding = _between(earlier, region, limits)
                if finding is not None:
                    yield finding
                    break
            seen.setdefault(key, []).append(region)
    yield from _texts([rule for rule in rules if isinstance(rule, TextRule)])


def _between(earlier: Region, later: Region, limits: Limits) -> Finding | None:
    missed = [
        limits[name]
        for name, source in later.rule.spend.items()
        if not earlier.closes and _escapes(earlier, limits[name], later.sources.get(source), limits)
    ]
    names = " and ".join(f'"{limit.name}"' for limit in missed)
    if _covers(earlier, later):
        uncounted = f", and counts nothing in {names}" if missed else ""
        return Finding(
            "SHADOWED",
            later.rule.name,
            f'never decides about {later.what}: rule "{earlier.rule.name}" before it allows all '
            f"of that{uncounted}; put the stricter rule first",
        )
    if missed and _meet(earlier, later):
        return Finding(
            "BYPASS",
            earlier.rule.name,
            f'allows some {later.what} that rule "{later.rule.name}" would count in {names}, and '
            "counts nothing: spend it there too",
        )
    return None


def _covers(earlier: Region, later: Region) -> bool:
    """Tell whether all that `later` lets through is let through before."""
    if not later.extras <= earlier.extras:
        return False
    if any(later.within.get(moment, most + 1) > most for moment, most in earlier.within.items()):
        return False
    return all(
        key in later.absent or implies(later.conditions.get(key, (kind, None))[1], condition, kind)
        for key, (kind, condition) in earlier.conditions.items()
    )


def _meet(earlier: Region, later: Region) -> bool:
    """Tell whether something may pass both."""
    return not any(
        disjoint(condition, later.conditions.get(key, (kind, None))[1], kind)
        for key, (kind, condition) in earlier.conditions.items()
        if key not in earlier.optional
    )


def _escapes(earlier: Region, limit: Limit, place: Key | None, limits: Limits) -> bool:
    """Tell whether an amount that feeds `limit` later passes the earlier rule uncounted."""
    own = earlier.rule.spend
    if limit.name in own or place is None:
        return False
    # A rule of its own for small amounts, with a budget of its own, is no way around.
    if any(
        limits[name].window is not None and earlier.sources.get(source) == place
        for name, source in own.items()
    ):
        return False
    kind, condition = earlier.conditions.get(place, ("uint256", None))
    most = greatest(condition, kind)
    return most > (limit.max if limit.window is None else 0)


def _regions(rule: Rule) -> Iterator[tuple[str | bytes, Region]]:
    if isinstance(rule, EvmRule):
        for selector, function in rule.functions.items():
            yield selector, _region(rule, function)
        if not rule.functions:
            yield b"", _region(rule, None)
    elif isinstance(rule, TransferRule):
        named = {"to": rule.to, "mint": rule.mint, "from": rule.source, AMOUNT: rule.amount}
        conditions: dict[Key, tuple[str, Condition]] = {
            key: ("uint64" if key == AMOUNT else "solanaAddress", condition)
            for key, condition in named.items()
            if condition is not None
        }
        # Without `from`, only the wallet's own account: a rule with one lets others through.
        extras = frozenset() if rule.source is None else frozenset(("from",))
        yield (
            rule.instruction,
            Region(rule, rule.instruction, conditions, extras, {AMOUNT: AMOUNT}),
        )
    elif isinstance(rule, ActionRule) and rule.kind is not None:
        whose = "the wallet" if rule.vault is None else "a vault"
        yield f"{rule.kind} {rule.venue} of {whose}", _action_region(rule, KINDS[rule.kind])
    elif isinstance(rule, TypedRule) and rule.struct is not None:
        # A document whose domain has other fields is another one.
        yield f"{rule.struct.encode_type} {sorted(rule.domain)}", _typed_region(rule, rule.struct)


def _action_region(rule: ActionRule, kind: ActionKind) -> Region:
    conditions: dict[Key, tuple[str, Condition]] = {
        name: (kind.fields[name], condition) for name, condition in rule.fields.items()
    }
    if rule.vault is not None:
        conditions["vault"] = ("address", rule.vault)
    absent: frozenset[Key] = frozenset()
    if rule.kind == ORDER:
        conditions.setdefault("isMarket", ("bool", _FALSE))
        absent = frozenset() if "builder" in rule.fields else _OF_BUILDERS
    return Region(
        rule,
        f"the action {rule.kind}",
        conditions,
        extras=frozenset({"builder"} & rule.fields.keys()),
        sources={name: name for name in kind.spent},
        within={NONCE: NONCE_SECONDS} | rule.within,
        optional=_OF_BUILDERS,
        absent=absent,
        closes=rule.is_only("reduceOnly", value=True),
    )


def _typed_region(rule: TypedRule, struct: Struct) -> Region:
    conditions: dict[Key, tuple[str, Condition]] = {
        f"domain {name}": (DOMAIN_FIELDS[name], condition)
        for name, condition in rule.domain.items()
        if condition is not None
    }
    places = struct.function.places
    conditions |= {path: (places[path].kind, condition) for path, condition in rule.fields.items()}
    sources: dict[str, Key] = {path: path for path in rule.spend.values()}
    what = f"typed data of {struct.name}"
    return Region(rule, what, conditions, frozenset(), sources, within=rule.within)


def _region(rule: EvmRule, function: Function | None) -> Region:
    conditions: dict[Key, tuple[str, Condition]] = {"value": ("uint256", rule.value or _NOTHING)}
    sources: dict[str, Key] = {NATIVE_VALUE: "value"}
    if rule.to is not None:
        conditions["to"] = ("address", rule.to)
    if function is not None:
        for path, place in function.places.items():
            sources[path] = place.way
            if path in rule.arguments:
                conditions[place.way] = (place.kind, rule.arguments[path])
    extras = {"accessList"} if rule.any_access_list else set()
    if rule.suffix is not None:
        extras.add(rule.suffix.wanted)
    what = "plain transfers" if function is None else f"calls of {function.name}"
    return Region(rule, what, conditions, frozenset(extras), sources)


def _texts(rules: list[TextRule]) -> Iterator[Finding]:
    for at, later in enumerate(rules):
        for earlier in rules[:at]:
            if later.method == earlier.method and later.prefix.startswith(earlier.prefix):
                yield Finding(
                    "SHADOWED",
                    later.name,
                    f'never decides: rule "{earlier.name}" before it allows all of that',
                )
                break
