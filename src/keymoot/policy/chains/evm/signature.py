"""Solidity function signatures with named arguments, as a policy writes them.

`approve(address spender,uint256 value)` names the arguments that a rule's conditions
speak of. Tuples are written `(address token,uint256 amount) order`, reached as
`order.amount`; arrays end in `[]` or `[n]`. Where a tuple stands in an array,
`orders[].amount` is the array of its parts, and conditions speak of it as of any array.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from keymoot.base.abi.kinds import (
    MAX_TUPLE_DEPTH,
    Array,
    BadType,
    Kind,
    Tuple,
    elementary,
    in_arrays,
    split,
    tuple_of,
)
from keymoot.base.shown import shown
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.errors import BadPolicy

SELECTOR_BYTES = 4
MAX_SIGNATURE_LENGTH = 1_024

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_PLAIN = re.compile(rf" *([a-z0-9]+)((?:\[[0-9]*\])*) +({_NAME.pattern}) *")
_SHORT = {"uint": "uint256", "int": "int256"}


EACH = -1
"""Stands in a `Place` for all indexes of an array of tuples."""


class Argument(NamedTuple):
    """One argument: its ABI type, its name, and the parts of a tuple, or of an array of tuples."""

    abi: Kind
    name: str
    parts: tuple["Argument", ...] = ()

    @property
    def kind(self) -> str:
        return self.abi.name


class Place(NamedTuple):
    """Where a decoded call holds a value: an index of the arguments, then of tuples' parts.

    EACH among them: it holds one in each item of an array, and they are an array too.
    """

    kind: str
    way: tuple[int, ...]


def follow(value: Any, way: tuple[int, ...]) -> Any:
    """Give what stands at a place's way in decoded values; behind EACH a tuple of one an item."""
    for depth, at in enumerate(way):
        if at == EACH:
            rest = way[depth + 1 :]
            if len(rest) == 1 and rest[0] != EACH:
                return tuple([item[rest[0]] for item in value])
            return tuple([follow(item, rest) for item in value])
        value = value[at]
    return value


@dataclass(frozen=True)
class Function:
    name: str
    arguments: tuple[Argument, ...]

    @cached_property
    def kinds(self) -> tuple[Kind, ...]:
        return tuple(argument.abi for argument in self.arguments)

    @cached_property
    def signature(self) -> str:
        """The name and types that the selector hashes."""
        return f"{self.name}({','.join(argument.kind for argument in self.arguments)})"

    @cached_property
    def selector(self) -> bytes:
        return keccak256_raw(self.signature.encode())[:SELECTOR_BYTES]

    @cached_property
    def places(self) -> dict[str, Place]:
        return dict(_places(self.arguments, "", ()))

    def kind_of(self, path: str) -> str | None:
        """Give the ABI type of the argument that `path` names, or None."""
        place = self.places.get(path)
        return None if place is None else place.kind


def parse_function(text: object, path: str) -> Function:
    """Read a signature whose arguments all have names, each its own."""
    if not isinstance(text, str) or len(text) > MAX_SIGNATURE_LENGTH:
        raise BadPolicy('a function is text such as "transfer(address to,uint256 amount)"', path)
    head, bracket, _ = text.partition("(")
    if not bracket or not text.endswith(")") or _NAME.fullmatch(head) is None:
        raise BadPolicy('a function is written as "transfer(address to,uint256 amount)"', path)
    try:
        return Function(head, _arguments(text[len(head) + 1 : -1], path, MAX_TUPLE_DEPTH))
    except BadType as error:
        raise BadPolicy(error.reason, path) from error


def _arguments(text: str, path: str, depth: int) -> tuple[Argument, ...]:
    if not text:
        return ()
    if depth == 0:
        raise BadPolicy(f"tuples are nested deeper than {MAX_TUPLE_DEPTH}", path)
    arguments = tuple(_argument(part, path, depth) for part in split(text))
    names = {argument.name for argument in arguments}
    if len(names) != len(arguments):
        raise BadPolicy("two arguments have one name", path)
    return arguments


def _argument(text: str, path: str, depth: int) -> Argument:
    plain = _PLAIN.fullmatch(text)
    if plain is not None:
        base, suffix, name = plain.groups()
        item = elementary(_SHORT.get(base, base))
        return Argument(in_arrays(item, suffix) if suffix else item, name)
    text = text.strip(" ")
    kind, _, name = text.rpartition(" ")
    kind = kind.strip(" ")
    if _NAME.fullmatch(name) is None or not kind:
        raise BadPolicy(f'"{shown(text, 64)}" needs a type and a name', path)
    if not kind.startswith("("):
        base = kind.partition("[")[0]
        item = elementary(_SHORT.get(base, base))
        return Argument(in_arrays(item, kind[len(base) :]), name)
    close = kind.rfind(")")
    if close < 0:
        raise BadPolicy("a tuple is not closed", path)
    parts = _arguments(kind[1:close], path, depth - 1)
    if not parts:
        raise BadPolicy("a tuple has at least one part", path)
    suffix = kind[close + 1 :]
    abi = in_arrays(tuple_of([part.abi for part in parts]), suffix)
    within = not isinstance(abi, Array) or isinstance(abi.item, Tuple)
    return Argument(abi, name, parts if within else ())


def _places(
    arguments: tuple[Argument, ...], before: str, way: tuple[int, ...]
) -> Iterator[tuple[str, Place]]:
    for at, argument in enumerate(arguments):
        path = before + argument.name
        yield path, Place(argument.kind, (*way, at))
        if not isinstance(argument.abi, Array):
            yield from _places(argument.parts, f"{path}.", (*way, at))
        elif EACH not in way:
            for part, place in _places(argument.parts, f"{path}[].", (*way, at, EACH)):
                yield part, Place(f"{place.kind}[]", place.way)
