"""A rule on typed data: for whom it is meant, its type, and what its fields may be."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

from keymoot.base.abi.kinds import BadType
from keymoot.base.strict_json import Json
from keymoot.base.units import Seconds
from keymoot.policy.chains.evm.typed.intent import DOMAIN_FIELDS
from keymoot.policy.chains.evm.typed.powers import hazard_of
from keymoot.policy.chains.evm.typed.struct import Struct, parse_type
from keymoot.policy.condition import (
    RULE,
    WALLET,
    Condition,
    Sets,
    Value,
    made_by,
    parse_condition,
)
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.moment import parse_length
from keymoot.policy.rule import (
    ALLOW,
    DENY,
    Rule,
    check_spendable,
    parse_action,
    parse_name,
    parse_spend,
)
from keymoot.policy.shape import known_fields, required

ANY = "any"
"""Stands where a condition on a part of the domain would: whatever it is, in so many words."""

MAX_FIELD_CONDITIONS = 32
_FIELDS = {"id", "action", "method", "domain", "type", "fields", "within", "spend"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedRule(Rule):
    """One rule on typed data; `spend` names a field.

    Attributes:
        domain: Conditions by the domain's fields; of an ALLOW the domain has these and no others.
            None: whatever it is.
        struct: The type; None for a DENY of any.
        fields: Conditions by path.
        within: How far ahead of the ledger's time a field's moment may be, by path.
        work: Comparisons that its domain is worth.
        named, others: The conditions on fields that name what may be, and all others.
        exact_domain: What the domain's fields are that may be one value only; the wallet's own
            address, which the rule does not know, is none of these.
        exact_fields: The same of the message's fields, each by its place's way.
    """

    domain: dict[str, Condition | None]
    struct: Struct | None
    fields: dict[str, Condition]
    within: dict[str, Seconds]
    work: int
    named: tuple[tuple[str, Condition], ...] = field(compare=False)
    others: tuple[tuple[str, Condition], ...] = field(compare=False)
    exact_domain: tuple[tuple[str, Value], ...] = field(compare=False)
    exact_fields: tuple[tuple[tuple[int, ...], Value], ...] = field(compare=False)


def parse_typed_rule(
    json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str
) -> TypedRule:
    """Read one rule of the method eth_signTypedData_v4."""
    known_fields(json, _FIELDS, path)
    action = parse_action(json, path)
    denies = action == DENY
    # 1. What it speaks of.
    domain = _domain(json.get("domain", {}), sets, f"{path}.domain")
    struct = None
    if not denies or "type" in json:
        try:
            struct = parse_type(required(json, "type", path))
        except BadType as error:
            raise BadPolicy(error.reason, f"{path}.type") from error
    # 2. Its conditions.
    fields = {
        name: parse_condition(
            condition,
            _kind(struct, name, f"{path}.fields"),
            sets,
            f"{path}.fields.{name}",
            denies=denies,
        )
        for name, condition in _object(json.get("fields", {}), f"{path}.fields").items()
    }
    within = {
        name: _length(struct, name, condition, f"{path}.within")
        for name, condition in _object(json.get("within", {}), f"{path}.within").items()
    }
    source_of = partial(_source, struct)
    spend = parse_spend(json.get("spend", {}), action, limits, source_of, f"{path}.spend")
    # 3. An ALLOW names for whom, and of what is known to give something: whom, how much, how long.
    if action == ALLOW and struct is not None:
        _check_domain(domain, f"{path}.domain")
        _check_power(struct, domain, fields, within, spend.values(), path)
    if denies and within:
        raise BadPolicy("a DENY has conditions on fields only", f"{path}.within")
    return TypedRule(
        name=parse_name(json, path),
        action=action,
        spend=spend,
        domain=domain,
        struct=struct,
        fields=fields,
        within=within,
        work=RULE + sum(map(made_by, domain.values())),
        named=tuple((place, test) for place, test in fields.items() if test.positive),
        others=tuple((place, test) for place, test in fields.items() if not test.positive),
        exact_domain=tuple(_exact(domain)),
        exact_fields=_placed(struct, _exact(fields)),
    )


def _object(json: Json, path: str) -> dict[str, Json]:
    if not isinstance(json, dict) or len(json) > MAX_FIELD_CONDITIONS:
        raise BadPolicy(f"an object of at most {MAX_FIELD_CONDITIONS} fields", path)
    return json


def _domain(json: Json, sets: Sets, path: str) -> dict[str, Condition | None]:
    domain: dict[str, Condition | None] = {}
    for name, condition in _object(json, path).items():
        kind = DOMAIN_FIELDS.get(name)
        if kind is None:
            raise BadPolicy(f"a domain has {', '.join(DOMAIN_FIELDS)}", f"{path}.{name}")
        where = f"{path}.{name}"
        domain[name] = None if condition == ANY else parse_condition(condition, kind, sets, where)
    return domain


def _exact(conditions: Mapping[str, Condition | None]) -> Iterator[tuple[str, Value]]:
    for name, condition in conditions.items():
        if condition is None or condition.elements is not None:
            continue
        for test in condition.tests:
            if test.operator == "eq" and test.operand != WALLET:
                yield name, test.operand


def _placed(
    struct: Struct | None, exact: Iterable[tuple[str, Value]]
) -> tuple[tuple[tuple[int, ...], Value], ...]:
    if struct is None:
        return ()
    places = struct.function.places
    return tuple((places[path].way, value) for path, value in exact)


def _check_domain(domain: dict[str, Condition | None], path: str) -> None:
    named = [
        name for name, condition in domain.items() if condition is not None and condition.positive
    ]
    if not {"name", "verifyingContract"} & set(named):
        raise BadPolicy(
            "an ALLOW says for whom the document is meant, with eq or in: as "
            '"domain": {"chainId": {"eq": "8453"}, "verifyingContract": {"eq": "0x…"}}; '
            f'it lists all that the domain has, with "{ANY}" for what may be anything',
            path,
        )


def _check_power(
    struct: Struct,
    domain: dict[str, Condition | None],
    fields: dict[str, Condition],
    within: dict[str, Seconds],
    spent: Iterable[str],
    path: str,
) -> None:
    power = hazard_of(struct.name)
    if power is None:
        return
    if not power.ruled:
        raise BadPolicy(f"{power.gives}: no rule can allow it", f"{path}.type")
    # A name alone names nobody: whoever makes a token may call it USD Coin.
    contract = domain.get("verifyingContract")
    if contract is None or not contract.positive:
        raise BadPolicy(
            f"{power.gives}: name which contract's, with eq or in, as "
            '"domain": {"verifyingContract": {"eq": "0x…"}}',
            f"{path}.domain.verifyingContract",
        )
    places = struct.function.places
    for name in (place for place in power.tokens if place in places):
        if name not in fields or not fields[name].positive:
            raise BadPolicy(
                f"{power.gives}: name which tokens, with eq or in, of a list with all",
                f"{path}.fields.{name}",
            )
    for name in (place for place in power.whom if place in places):
        if name not in fields or not fields[name].positive:
            raise BadPolicy(
                f'{power.gives}: name whom, with eq or in, as "fields": {{"{name}": '
                '{"in": ["0x…"]}}',
                f"{path}.fields.{name}",
            )
    for name in (place for place in power.amounts if place in places):
        if name not in spent and not (name in fields and fields[name].capped):
            raise BadPolicy(
                f'{power.gives}: say how much at most, as "fields": {{"{name}": '
                f'{{"lte": "1000000"}}}}, or feed a limit, as "spend": {{"usdc-day": "{name}"}}',
                f"{path}.fields.{name}",
            )
    for name in (place for place in power.ends if place in places):
        if name not in within and not (name in fields and fields[name].capped):
            raise BadPolicy(
                f'{power.gives}: say for how long at most, as "within": {{"{name}": "10m"}}',
                f"{path}.within.{name}",
            )


def _kind(struct: Struct | None, name: str, path: str) -> str:
    kind = None if struct is None else struct.function.kind_of(name)
    if kind is None:
        raise BadPolicy("the type has no such field", f"{path}.{name}")
    return kind


def _length(struct: Struct | None, name: str, json: Json, path: str) -> Seconds:
    kind = _kind(struct, name, path)
    if not kind.startswith("uint") or kind.endswith("]"):
        raise BadPolicy("a moment is an unsigned integer, in seconds", f"{path}.{name}")
    return parse_length(json, f"{path}.{name}")


def _source(struct: Struct | None, source: str, path: str) -> str:
    check_spendable(_kind(struct, source, path), path)
    return source
