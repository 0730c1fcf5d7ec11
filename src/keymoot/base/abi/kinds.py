"""The types of the ABI, read from their canonical names into small values."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown

WORD = 32
"""Bytes of everything that is not dynamic, and the step of everything that is."""

MAX_NAME_LENGTH = 2_048

MAX_TUPLE_DEPTH = 4
MAX_ARRAY_DEPTH = 4

_ARRAY = re.compile(r"\[([1-9][0-9]{0,3})?\]")
"""No length of 0: Solidity has none."""

_MARK = re.compile(r"[(),]")


class BadType(Malformed, code="MALFORMED_TYPE"):
    """This is not the name of a type of Solidity's ABI."""


@dataclass(frozen=True, slots=True)
class Elementary:
    """A type without parts.

    Attributes:
        family: uint, int, bool, address, fixed (bytes1 to bytes32), bytes or string.
        size: Bits of an integer, bytes of a fixed one; else 0.
        dynamic: Whether its values differ in length.
        head_bytes: How much of a value, or of its offset, stands among its neighbours.
    """

    name: str
    family: str
    size: int
    dynamic: bool
    head_bytes: int = WORD


@dataclass(frozen=True, slots=True)
class Array:
    """Items of one type; `length` of them, or as many as the value says."""

    name: str
    item: "Kind"
    length: int | None
    dynamic: bool
    head_bytes: int


@dataclass(frozen=True, slots=True)
class Tuple:
    """Parts of several types, at least one."""

    name: str
    parts: tuple["Kind", ...]
    dynamic: bool
    head_bytes: int


Kind: TypeAlias = Elementary | Array | Tuple


def heads_bytes(kinds: Sequence[Kind]) -> int:
    return sum([kind.head_bytes for kind in kinds])


_ELEMENTARY = {
    **{name: Elementary(name, name, 0, dynamic=False) for name in ("bool", "address")},
    **{name: Elementary(name, name, 0, dynamic=True) for name in ("bytes", "string")},
    **{
        f"bytes{size}": Elementary(f"bytes{size}", "fixed", size, dynamic=False)
        for size in range(1, WORD + 1)
    },
    **{
        f"{family}{bits}": Elementary(f"{family}{bits}", family, bits, dynamic=False)
        for family in ("uint", "int")
        for bits in range(8, 8 * WORD + 1, 8)
    },
}


def elementary(name: str) -> Elementary:
    """Read the canonical name of a type without parts: `uint256`, never `uint`."""
    kind = _ELEMENTARY.get(name)
    if kind is not None:
        return kind
    raise BadType(f'"{shown(name, 32)}" is not a type of Solidity\'s ABI')


def _array(item: Kind, length: int | None) -> Array:
    if length is None or item.dynamic:
        return Array(f"{item.name}[{length or ''}]", item, length, dynamic=True, head_bytes=WORD)
    head = length * item.head_bytes
    return Array(f"{item.name}[{length}]", item, length, dynamic=False, head_bytes=head)


def tuple_of(parts: Sequence[Kind]) -> Tuple:
    name = "(" + ",".join([part.name for part in parts]) + ")"
    dynamic = any(part.dynamic for part in parts)
    return Tuple(name, tuple(parts), dynamic, WORD if dynamic else heads_bytes(parts))


def in_arrays(item: Kind, suffix: str) -> Kind:
    """Put a type into the arrays that a suffix such as `[2][]` names."""
    at, depth, kind = 0, 0, item
    while at < len(suffix):
        match = _ARRAY.match(suffix, at)
        if match is None:
            raise BadType(f'"{shown(suffix[at:], 16)}" is not an array suffix')
        depth += 1
        if depth > MAX_ARRAY_DEPTH:
            raise BadType(f"arrays are nested deeper than {MAX_ARRAY_DEPTH}")
        size = int(match[1]) if match[1] else None  # consensus: [0-9] alone
        kind = _array(kind, size)
        at = match.end()
    return kind


def parse_kind(name: str) -> Kind:
    """Read a type's canonical name, such as `(address,uint256[2])[]`."""
    if len(name) > MAX_NAME_LENGTH:
        raise BadType(f"a type's name has at most {MAX_NAME_LENGTH} characters, got {len(name)}")
    return _kind(name, MAX_TUPLE_DEPTH)


def parse_kinds(names: Iterable[str]) -> tuple[Kind, ...]:
    return tuple(map(parse_kind, names))


def parameters(signature: str) -> tuple[Kind, ...]:
    """Read the types in a signature such as `transfer(address,uint256)`."""
    inside = signature[signature.index("(") + 1 : -1]
    return parse_kinds(split(inside)) if inside else ()


def _kind(name: str, depth: int) -> Kind:
    if not name.startswith("("):
        base = name.partition("[")[0]
        return in_arrays(elementary(base), name[len(base) :])
    if depth == 0:
        raise BadType(f"tuples are nested deeper than {MAX_TUPLE_DEPTH}")
    close = name.rfind(")")
    if close < 0:
        raise BadType("a tuple is not closed")
    parts = tuple(_kind(part, depth - 1) for part in split(name[1:close]))
    return in_arrays(tuple_of(parts), name[close + 1 :])


def split(text: str) -> list[str]:
    """Cut what stands between a tuple's brackets at its own commas."""
    parts, depth, start = [], 0, 0
    for mark in _MARK.finditer(text):
        char = mark[0]
        if char == ",":
            if depth == 0:
                parts.append(text[start : mark.start()])
                start = mark.end()
        elif char == "(":
            depth += 1
        elif depth == 0:
            raise BadType("a bracket closes that was not opened")
        else:
            depth -= 1
    if depth:
        raise BadType("a tuple is not closed")
    return [*parts, text[start:]]
