"""What every rule has: a name, an action, and what it feeds into limits."""

from collections.abc import Callable
from dataclasses import dataclass, field

from keymoot.base.strict_json import Json
from keymoot.policy.condition import Condition, Sets, parse_condition
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.shape import name_of, required

ALLOW, DENY = "ALLOW", "DENY"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; each kind of intent has its own.

    Attributes:
        spend: Which limit is fed by which of the rule's amounts.
    """

    name: str
    action: str
    spend: dict[str, str] = field(default_factory=dict)


def parse_name(json: dict[str, Json], path: str) -> str:
    return name_of(required(json, "id", path), f"{path}.id")


def parse_action(json: dict[str, Json], path: str) -> str:
    action = required(json, "action", path)
    if action not in (ALLOW, DENY):
        raise BadPolicy("an action is ALLOW or DENY", f"{path}.action")
    return str(action)


def parse_field(
    json: dict[str, Json], name: str, kind: str, sets: Sets, path: str
) -> Condition | None:
    return parse_condition(json[name], kind, sets, f"{path}.{name}") if name in json else None


def parse_spend(
    json: Json,
    action: str,
    limits: dict[str, Limit],
    source_of: Callable[[str, str], str],
    path: str,
) -> dict[str, str]:
    """Read which limits a rule feeds; `source_of` checks an amount's name and its path."""
    if not isinstance(json, dict):
        raise BadPolicy('spend is an object such as {"usdc-day": "assets"}', path)
    if json and action != ALLOW:
        raise BadPolicy("only an ALLOW spends", path)
    sources = {}
    for limit, source in json.items():
        where = f"{path}.{limit}"
        if limit not in limits:
            raise BadPolicy("this is not one of the policy's limits", where)
        if limits[limit].meter is not None:
            raise BadPolicy("a limit with a meter is fed by every transaction already", where)
        if not isinstance(source, str):
            raise BadPolicy("name an argument, or $value", where)
        sources[limit] = source_of(source, where)
    return sources


def check_spendable(kind: str, path: str) -> None:
    """Raise BadPolicy unless values of an ABI type can feed a limit."""
    if not kind.startswith("uint") or kind.endswith("]"):
        raise BadPolicy("only an unsigned integer can be spent", path)
