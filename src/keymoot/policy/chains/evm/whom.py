"""An ALLOW of a function that is known to give something away says to whom."""

from collections.abc import Mapping

from keymoot.base.strict_json import Json
from keymoot.policy.chains.evm.powers.known import power_of
from keymoot.policy.chains.evm.powers.power import DEPOSIT, SWAP, WITHDRAWAL, Power, named
from keymoot.policy.chains.evm.signature import Function
from keymoot.policy.condition import Condition
from keymoot.policy.errors import BadPolicy

ANYONE = "anyone"
"""Stands where a condition on somebody would: whoever it is, in so many words."""


def take_anyone(
    args: Mapping[str, Json], functions: Mapping[bytes, Function], path: str
) -> frozenset[str]:
    """Give the arguments of an ALLOW for which the document says ANYONE; each is somebody."""
    names = frozenset(name for name, condition in args.items() if condition == ANYONE)
    for name in sorted(names):
        for function in functions.values():
            kind = function.kind_of(name)
            if kind is None:
                raise BadPolicy(
                    "every function of the rule needs an argument of this name", f"{path}.{name}"
                )
            if not kind.startswith("address") and name not in _whom(function):
                raise BadPolicy(
                    f'"{ANYONE}" stands for somebody, and {kind} is nobody: write a condition',
                    f"{path}.{name}",
                )
    return names


def check_whom(
    functions: Mapping[bytes, Function],
    arguments: Mapping[str, Condition],
    anyone: frozenset[str],
    path: str,
) -> None:
    """Refuse an ALLOW that gives value or control to somebody it does not name; say what to write.

    `path` is where the rule's `args` stand.
    """
    for function in functions.values():
        known = power_of(function.selector)
        for name in _whom(function):
            condition = arguments.get(name)
            if name in anyone or (condition is not None and condition.positive):
                continue
            if known is not None:
                raise BadPolicy(_hint(known, function, name), f"{path}.{name}")


def _whom(function: Function) -> tuple[str, ...]:
    known = power_of(function.selector)
    return () if known is None else tuple(named(function, known.whom))


def _hint(known: Power, function: Function, name: str) -> str:
    kind = str(function.kind_of(name))
    free = f'"args": {{"{name}": "{ANYONE}"}}'
    if kind.startswith("("):
        part = f"{name}[].part" if kind.endswith("]") else f"{name}.part"
        return f'{known.gives}: say {free}, and put conditions on its parts, as "{part}"'
    example = '{"in": ["0x…"]}'
    if kind.startswith("uint"):
        example = '{"eq": "0"}'
    elif kind.startswith("address") and known.kind in (DEPOSIT, WITHDRAWAL, SWAP):
        example = '{"eq": "$wallet"}'
    if kind.endswith("]"):
        example = f'{{"all": {example}}}'
    return (
        f'{known.gives}: name whom, with eq or in, as "args": {{"{name}": {example}}}; '
        f"or say {free}"
    )
