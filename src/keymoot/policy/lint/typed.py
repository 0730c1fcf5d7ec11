"""Typed data: documents that count on every chain, allowances that live long, and budgets."""

from collections.abc import Iterator, Mapping

from keymoot.base.units import Seconds
from keymoot.policy.chains.evm.typed.powers import hazard_of
from keymoot.policy.chains.evm.typed.rule import TypedRule
from keymoot.policy.limit import COUNT, Limit
from keymoot.policy.lint.finding import Finding
from keymoot.policy.lint.likeness import is_somebody

LONG = Seconds(7 * 86_400)
"""Nobody notices a stolen allowance that is good for longer."""


def typed_warnings(rule: TypedRule, limits: Mapping[str, Limit]) -> Iterator[Finding]:
    """Look at one ALLOW of typed data."""
    if rule.struct is None:
        return
    name, own = rule.struct.name, rule.name
    for part, why in [
        ("chainId", "counts on every chain"),
        ("verifyingContract", "may be meant for any contract"),
    ]:
        if rule.domain.get(part) is None:
            yield Finding("ANY_DOMAIN", own, f"names no {part}, so that {name} {why}")
    for path, place in rule.struct.function.places.items():
        condition = rule.fields.get(path)
        free = condition is None or not condition.positive
        if place.kind.startswith("address") and is_somebody(path.rpartition(".")[2]) and free:
            text = f'lets {name} name any "{path}": value can leave to anyone'
            yield Finding("FREE_RECIPIENT", own, text)
    power = hazard_of(name)
    if power is None:
        return
    for path, seconds in rule.within.items():
        if seconds > LONG:
            text = f'lets "{path}" be {seconds // 86_400} days ahead: so long it can be used'
            yield Finding("LONG_LIVED", own, text)
    counted = any(limit.meter == COUNT and limit.window is not None for limit in limits.values())
    spent = any(limits[limit].window is not None for limit in rule.spend)
    if not spent and not counted:
        text = (
            f"bounds each {name} only: the agent may ask for one after the other; feed a limit "
            'with a window ("spend"), or set one with the meter count'
        )
        yield Finding("UNCOUNTED", own, text)
