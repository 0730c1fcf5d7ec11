"""One rule of a policy: whom it speaks of, and what must hold."""

from dataclasses import dataclass, field

from keymoot.base.request import SIGN_TRANSACTION
from keymoot.base.strict_json import Json
from keymoot.policy.condition import Condition, Sets, parse_condition
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.shape import known_fields, name_of, required
from keymoot.policy.signature import Function, parse_function

ALLOW, DENY = "ALLOW", "DENY"
NATIVE_VALUE = "$value"
"""What `spend` calls the native wei of a transaction."""

MAX_FUNCTIONS = 16
MAX_ARGUMENT_CONDITIONS = 32

_FIELDS = {"id", "action", "method", "to", "function", "args", "value", "accessList", "spend"}


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule.

    Attributes:
        to: On the transaction's target; only a DENY may leave it out.
        functions: By selector; empty for an ALLOW of plain transfers (no calldata),
            or a DENY of anything.
        arguments: Conditions by argument path; they hold for each of `functions`.
        value: On the native wei; where it is None, an ALLOW wants exactly 0.
        any_access_list: Whether an access list may be there.
        spend: Which limit is fed by which argument (or NATIVE_VALUE).
    """

    name: str
    action: str
    to: Condition | None
    functions: dict[bytes, Function]
    arguments: dict[str, Condition]
    value: Condition | None
    any_access_list: bool
    spend: dict[str, str] = field(default_factory=dict)


def parse_rule(json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str) -> Rule:
    """Read one rule.

    Raises:
        BadPolicy: not a rule; `path` names the field.
    """
    known_fields(json, _FIELDS, path)
    action = required(json, "action", path)
    if action not in (ALLOW, DENY):
        raise BadPolicy("an action is ALLOW or DENY", f"{path}.action")
    if required(json, "method", path) != SIGN_TRANSACTION:
        raise BadPolicy(
            f"this version has rules for {SIGN_TRANSACTION} only; all other methods are refused",
            f"{path}.method",
        )
    if action == ALLOW and "to" not in json:
        raise BadPolicy("an ALLOW names its targets: contracts or recipients", f"{path}.to")
    functions = _functions(json.get("function"), f"{path}.function")
    arguments = _arguments(json.get("args", {}), functions, sets, f"{path}.args")
    if action == ALLOW and not functions and "value" not in json:
        raise BadPolicy("a rule without a function is for transfers: name value", f"{path}.value")
    return Rule(
        name=name_of(required(json, "id", path), f"{path}.id"),
        action=str(action),
        to=_condition(json, "to", "address", sets, path),
        functions=functions,
        arguments=arguments,
        value=_condition(json, "value", "uint256", sets, path),
        any_access_list=_access_list(json, path),
        spend=_spend(json.get("spend", {}), str(action), functions, limits, f"{path}.spend"),
    )


def _condition(
    json: dict[str, Json], name: str, kind: str, sets: Sets, path: str
) -> Condition | None:
    return parse_condition(json[name], kind, sets, f"{path}.{name}") if name in json else None


def _access_list(json: dict[str, Json], path: str) -> bool:
    if "accessList" in json and json["accessList"] != "any":
        raise BadPolicy('"any", or leave the field out', f"{path}.accessList")
    return "accessList" in json


def _functions(json: Json, path: str) -> dict[bytes, Function]:
    if json is None:
        return {}
    texts = json if isinstance(json, list) else [json]
    if not 0 < len(texts) <= MAX_FUNCTIONS:
        raise BadPolicy(f"a rule names 1 to {MAX_FUNCTIONS} functions", path)
    found: dict[bytes, Function] = {}
    for at, text in enumerate(texts):
        function = parse_function(text, f"{path}[{at}]" if isinstance(json, list) else path)
        if function.selector in found:
            raise BadPolicy(f"{function.signature} has the selector of another one here", path)
        found[function.selector] = function
    return found


def _arguments(
    json: Json, functions: dict[bytes, Function], sets: Sets, path: str
) -> dict[str, Condition]:
    if not isinstance(json, dict) or len(json) > MAX_ARGUMENT_CONDITIONS:
        raise BadPolicy(f"args is an object of at most {MAX_ARGUMENT_CONDITIONS} conditions", path)
    found = {}
    for name, condition in json.items():
        kind = _kind(functions, name, f"{path}.{name}")
        found[name] = parse_condition(condition, kind, sets, f"{path}.{name}")
    return found


def _kind(functions: dict[bytes, Function], name: str, path: str) -> str:
    kinds = {function.kind_of(name) for function in functions.values()}
    if not kinds or None in kinds:
        raise BadPolicy("every function of the rule needs an argument of this name", path)
    if len(kinds) > 1:
        raise BadPolicy("the functions of the rule give this argument different types", path)
    return str(kinds.pop())


def _spend(
    json: Json, action: str, functions: dict[bytes, Function], limits: dict[str, Limit], path: str
) -> dict[str, str]:
    if not isinstance(json, dict):
        raise BadPolicy('spend is an object such as {"usdc-day": "assets"}', path)
    if json and action != ALLOW:
        raise BadPolicy("only an ALLOW spends", path)
    found = {}
    for limit, source in json.items():
        where = f"{path}.{limit}"
        if limit not in limits:
            raise BadPolicy("this is not one of the policy's limits", where)
        if limits[limit].meter is not None:
            raise BadPolicy("a limit with a meter is fed by every transaction already", where)
        if not isinstance(source, str):
            raise BadPolicy("name an argument, or $value", where)
        native = source == NATIVE_VALUE or (source == "value" and not functions)
        kind = "uint256" if native else _kind(functions, source, where)
        if not kind.startswith("uint") or kind.endswith("]"):
            raise BadPolicy("only an unsigned integer can be spent", where)
        found[limit] = NATIVE_VALUE if native else source
    return found
