"""A rule on EVM transactions: whom it speaks of, and what must hold."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from keymoot.base.strict_json import Json
from keymoot.policy.chains.evm.signature import Function, parse_function
from keymoot.policy.chains.evm.suffix import Suffix, parse_suffix
from keymoot.policy.chains.evm.whom import ANYONE, check_whom, take_anyone
from keymoot.policy.condition import Condition, Sets, parse_condition
from keymoot.policy.errors import BadPolicy
from keymoot.policy.limit import Limit
from keymoot.policy.rule import (
    ALLOW,
    DENY,
    Rule,
    check_spendable,
    parse_action,
    parse_field,
    parse_name,
    parse_spend,
)
from keymoot.policy.shape import known_fields

NATIVE_VALUE = "$value"
"""What `spend` calls the native wei of a transaction."""

MAX_FUNCTIONS = 16
MAX_ARGUMENT_CONDITIONS = 32

_FIELDS = {
    "id",
    "action",
    "method",
    "to",
    "function",
    "args",
    "value",
    "accessList",
    "spend",
    "suffix",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class EvmRule(Rule):
    """One rule on EVM transactions; `spend` names an argument, or NATIVE_VALUE.

    Attributes:
        to: On the transaction's target; None for any, which an ALLOW has to say.
        functions: By selector; empty for an ALLOW of plain transfers (no calldata),
            or a DENY of anything.
        arguments: Conditions by argument path; they hold for each of `functions`.
        value: On the native wei; where it is None, an ALLOW wants exactly 0.
        any_access_list: Whether an access list may be there.
        anyone: Arguments for which the document says "anyone" in so many words.
        suffix: What may stand behind the calldata of an ALLOW's functions.
    """

    to: Condition | None
    functions: dict[bytes, Function]
    arguments: dict[str, Condition]
    value: Condition | None
    any_access_list: bool
    anyone: frozenset[str] = frozenset()
    suffix: Suffix | None = None


def parse_evm_rule(
    json: dict[str, Json], sets: Sets, limits: dict[str, Limit], path: str
) -> EvmRule:
    """Read one rule of the method eth_signTransaction."""
    known_fields(json, _FIELDS, path)
    action = parse_action(json, path)
    # 1. What it speaks of.
    functions = _functions(json.get("function"), f"{path}.function")
    # 2. Its conditions.
    args = json.get("args", {})
    if not isinstance(args, dict) or len(args) > MAX_ARGUMENT_CONDITIONS:
        raise BadPolicy(
            f"args is an object of at most {MAX_ARGUMENT_CONDITIONS} conditions", f"{path}.args"
        )
    anyone = take_anyone(args, functions, f"{path}.args") if action == ALLOW else frozenset()
    arguments = _arguments(args, anyone, functions, sets, f"{path}.args", denies=action == DENY)
    if action == ALLOW and not functions and "value" not in json:
        raise BadPolicy("a rule without a function is for transfers: name value", f"{path}.value")
    # 3. An ALLOW names whom: not only whom not.
    to = _target(json, action, sets, path)
    if action == ALLOW:
        check_whom(functions, arguments, anyone, f"{path}.args")
    source_of = partial(_source, functions)
    return EvmRule(
        name=parse_name(json, path),
        action=action,
        to=to,
        functions=functions,
        arguments=arguments,
        value=parse_field(json, "value", "uint256", sets, path),
        any_access_list=_access_list(json, action, path),
        anyone=anyone,
        suffix=_suffix(json, action, functions, f"{path}.suffix"),
        spend=parse_spend(json.get("spend", {}), action, limits, source_of, f"{path}.spend"),
    )


def _target(json: dict[str, Json], action: str, sets: Sets, path: str) -> Condition | None:
    if action == DENY:
        return parse_field(json, "to", "address", sets, path)
    if json.get("to") == ANYONE:
        return None
    to = parse_field(json, "to", "address", sets, path)
    if to is None or not to.positive:
        raise BadPolicy(
            "an ALLOW names its targets (contracts, or recipients of plain transfers) with eq or "
            f'in, as "to": {{"eq": "0x…"}}; or says "to": "{ANYONE}"',
            f"{path}.to",
        )
    return to


def suffixes_behind(rule: EvmRule, every: tuple[Suffix, ...]) -> tuple[Suffix, ...]:
    """Give the suffixes behind which a rule looks: a DENY behind `every` one of the policy."""
    if rule.action == DENY:
        return every
    return () if rule.suffix is None else (rule.suffix,)


def suffixes_of(rules: Iterable[EvmRule]) -> tuple[Suffix, ...]:
    return tuple(dict.fromkeys(rule.suffix for rule in rules if rule.suffix is not None))


def _access_list(json: dict[str, Json], action: str, path: str) -> bool:
    if "accessList" in json and action == DENY:
        raise BadPolicy("a DENY holds whatever the access list: leave the field out", path)
    if "accessList" in json and json["accessList"] != "any":
        raise BadPolicy('"any", or leave the field out', f"{path}.accessList")
    return "accessList" in json


def _suffix(
    json: dict[str, Json], action: str, functions: dict[bytes, Function], path: str
) -> Suffix | None:
    if "suffix" not in json:
        return None
    if action == DENY:
        raise BadPolicy("a DENY sees through every suffix that an ALLOW names", path)
    if not functions:
        # Behind no calldata, the tag would be the call.
        raise BadPolicy("a plain transfer has no calldata: name a function", path)
    return parse_suffix(json["suffix"], path)


def _functions(json: Json, path: str) -> dict[bytes, Function]:
    if json is None:
        return {}
    texts = json if isinstance(json, list) else [json]
    if not 0 < len(texts) <= MAX_FUNCTIONS:
        raise BadPolicy(f"a rule names 1 to {MAX_FUNCTIONS} functions", path)
    functions: dict[bytes, Function] = {}
    for at, text in enumerate(texts):
        function = parse_function(text, f"{path}[{at}]" if isinstance(json, list) else path)
        if any(argument.name.startswith("$") for argument in function.arguments):
            # An argument called $value would be taken for the wei that are sent beside it.
            raise BadPolicy("an argument's name does not begin with $: the policy's own do", path)
        if function.selector in functions:
            raise BadPolicy(f"{function.signature} has the selector of another one here", path)
        functions[function.selector] = function
    return functions


def _arguments(
    args: dict[str, Json],
    anyone: frozenset[str],
    functions: dict[bytes, Function],
    sets: Sets,
    path: str,
    *,
    denies: bool,
) -> dict[str, Condition]:
    conditions = {}
    for name, condition in args.items():
        if name in anyone:
            continue
        kind = _kind(functions, name, f"{path}.{name}")
        conditions[name] = parse_condition(condition, kind, sets, f"{path}.{name}", denies=denies)
    return conditions


def _kind(functions: dict[bytes, Function], name: str, path: str) -> str:
    kinds = {function.kind_of(name) for function in functions.values()}
    if not kinds or None in kinds:
        raise BadPolicy("every function of the rule needs an argument of this name", path)
    if len(kinds) > 1:
        raise BadPolicy("the functions of the rule give this argument different types", path)
    return str(kinds.pop())


def _source(functions: dict[bytes, Function], source: str, path: str) -> str:
    native = source == NATIVE_VALUE or (source == "value" and not functions)
    kind = "uint256" if native else _kind(functions, source, path)
    check_spendable(kind, path)
    return NATIVE_VALUE if native else source
