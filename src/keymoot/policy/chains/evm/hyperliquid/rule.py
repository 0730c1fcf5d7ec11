"""A rule on actions of Hyperliquid: of which kind, where, and what their fields may be."""

from dataclasses import dataclass
from functools import partial

from keymoot.base.fixed import Address
from keymoot.base.strict_json import Json
from keymoot.base.units import Seconds
from keymoot.policy.chains.evm.hyperliquid.action import NETWORKS, USER_SIGNED
from keymoot.policy.chains.evm.hyperliquid.kinds import KINDS, ORDER, ActionKind
from keymoot.policy.chains.evm.hyperliquid.window import (
    EXPIRES_AFTER,
    NAMES,
    NONCE,
    NONCE_SECONDS,
)
from keymoot.policy.condition import LOWER, UPPER, Condition, Sets, parse_condition
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.moment import parse_length
from keymoot.policy.rule import ALLOW, Rule, parse_action, parse_field, parse_name, parse_spend
from keymoot.policy.shape import known_fields, required

_FIELDS = {"id", "action", "method", "type", "network", "fields", "vault", "within", "spend"}
_NOBODY = Address(bytes(Address.LENGTH))


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionRule(Rule):
    """One rule on actions; `spend` names a field of the kind's `spent`.

    Attributes:
        kind: Of the actions that it speaks of; None for a DENY of any.
        venue: Of which of the exchange's networks; None for a DENY on either.
        fields: Conditions by field.
        vault: On whom the action trades for; where it is None, an ALLOW wants the wallet itself.
        within: How far its nonce may be from the ledger's time, and how far ahead it has to end.
    """

    kind: str | None
    venue: str | None
    fields: dict[str, Condition]
    vault: Condition | None
    within: dict[str, Seconds]

    def is_only(self, name: str, *, value: bool) -> bool:
        """Whether a truth value is this one in all that the rule speaks of."""
        condition = self.fields.get(name)
        return condition is not None and bool(condition.failing(not value, _NOBODY))


def parse_action_rule(
    json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str
) -> ActionRule:
    """Read one rule of the method hyperliquid_signAction."""
    known_fields(json, _FIELDS, path)
    action = parse_action(json, path)
    # 1. What it speaks of.
    name = _one_of(json, "type", tuple(KINDS), action, path)
    kind = KINDS[name] if name is not None else ActionKind({})
    venue = _one_of(json, "network", NETWORKS, action, path)
    # 2. Its conditions.
    fields = _conditions(json.get("fields", {}), kind, sets, f"{path}.fields")
    source_of = partial(_source, kind)
    rule = ActionRule(
        name=parse_name(json, path),
        action=action,
        kind=name,
        venue=venue,
        fields=fields,
        within=_within(json.get("within", {}), name, action, f"{path}.within"),
        vault=parse_field(json, "vault", sets.form.kind, sets, path),
        spend=parse_spend(json.get("spend", {}), action, limits, source_of, f"{path}.spend"),
    )
    # 3. An ALLOW names whom and what, and says how much.
    if action == ALLOW:
        _check_named(rule, kind, path)
        _check_bounded(rule, kind.bounded, f"{path}.fields")
        if name == ORDER:
            _check_orders(rule, f"{path}.fields")
    return rule


def _one_of(
    json: dict[str, Json], field: str, known: tuple[str, ...], action: str, path: str
) -> str | None:
    if action != ALLOW and field not in json:
        return None
    value = required(json, field, path)
    if not isinstance(value, str) or value not in known:
        raise BadPolicy(f"one of {', '.join(known)} is expected", f"{path}.{field}")
    return value


def _conditions(json: Json, kind: ActionKind, sets: Sets, path: str) -> dict[str, Condition]:
    if not isinstance(json, dict):
        raise BadPolicy('fields is an object such as {"asset": {"eq": "0"}}', path)
    known_fields(json, set(kind.fields), path)
    return {
        name: parse_condition(condition, kind.fields[name], sets, f"{path}.{name}")
        for name, condition in json.items()
    }


def _within(json: Json, kind: str | None, action: str, path: str) -> dict[str, Seconds]:
    if not isinstance(json, dict):
        raise BadPolicy('within is an object such as {"expiresAfter": "10m"}', path)
    if json and action != ALLOW:
        raise BadPolicy("a DENY has conditions on fields only", path)
    known_fields(json, set(NAMES), path)
    within = {name: parse_length(length, f"{path}.{name}") for name, length in json.items()}
    if within.get(NONCE, 0) > NONCE_SECONDS:
        raise BadPolicy(f"a nonce is at most {NONCE_SECONDS} s away already", f"{path}.{NONCE}")
    if EXPIRES_AFTER in within and kind in USER_SIGNED:
        raise BadPolicy("the exchange knows no end of this kind of action", f"{path}.expiresAfter")
    return within


def _source(kind: ActionKind, source: str, path: str) -> str:
    if source not in kind.spent:
        known = " or ".join(kind.spent) or "nothing"
        raise BadPolicy(f"what this kind of action spends is {known}", path)
    return source


def _check_named(rule: ActionRule, kind: ActionKind, path: str) -> None:
    for name in kind.named:
        condition = rule.fields.get(name)
        if condition is None or not condition.positive:
            raise BadPolicy(f"an ALLOW names its {name}, with eq or in", f"{path}.fields.{name}")
    if rule.vault is not None and not rule.vault.positive:
        raise BadPolicy("an ALLOW names its vaults, with eq or in", f"{path}.vault")
    builder = rule.fields.get("builder")
    if builder is not None and not builder.positive:
        raise BadPolicy("an ALLOW names its builders, with eq or in", f"{path}.fields.builder")


def _check_bounded(rule: ActionRule, names: tuple[str, ...], path: str) -> None:
    for name in names:
        if not _is_bounded(rule, name):
            raise BadPolicy(
                f"an ALLOW says how much: bound {name} from above, or feed a limit with it",
                f"{path}.{name}",
            )


def _check_orders(rule: ActionRule, path: str) -> None:
    """An order that may open a position has a bound, and one that holds where it sells.

    What a seller asks is the least that he gets: at a price of next to nothing, any size has a
    notional of next to nothing.
    """
    if "builder" in rule.fields:
        _check_bounded(rule, ("builderFee",), path)
    if rule.is_only("reduceOnly", value=True):
        return
    _check_bounded(rule, ("notional",), path)
    least = _has_floor(rule, "price") or _is_bounded(rule, "size")
    if not rule.is_only("isBuy", value=True) and not least:
        raise BadPolicy(
            "what an order sells may be filled far above its price, so its notional bounds "
            'nothing: bound price from below ("price": {"gte": "…"}) or size from above, or say '
            '"isBuy": {"eq": true}',
            f"{path}.price",
        )


def _is_bounded(rule: ActionRule, name: str) -> bool:
    return name in rule.spend.values() or _compares(rule, name, UPPER)


def _has_floor(rule: ActionRule, name: str) -> bool:
    condition = rule.fields.get(name)
    return _compares(rule, name, LOWER) and bool(condition and condition.failing(0, _NOBODY))


def _compares(rule: ActionRule, name: str, operators: frozenset[str]) -> bool:
    condition = rule.fields.get(name)
    return condition is not None and any(test.operator in operators for test in condition.tests)
