"""Struct types of EIP-712, and documents read by them: values for rules, and the hash to sign.

A type is written as the standard's `encodeType` has it, which is what its hash is over:

    Mail(Person from,Person to,string contents)Person(address wallet,string name)

The primary struct stands first, those that it names behind it by their names. A document is read
strictly: each field is there, none beside, each value in its type.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from keymoot.base.abi.kinds import (
    BadType,
    Elementary,
    Kind,
    elementary,
    in_arrays,
    tuple_of,
)
from keymoot.base.digits import decimal
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.hexes import parse_data, parse_quantity
from keymoot.base.shown import shown
from keymoot.base.strict_json import Json
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.chains.evm.signature import Argument, Function

MAX_TYPE_CHARACTERS = 2_048
"""Longest `encodeType`: it is what a policy writes."""

MAX_STRUCTS = 16
MAX_FIELDS = 64
MAX_DEPTH = 4
"""Structs within structs; no type holds itself."""

MAX_PLACES = 512
"""Fields of a type, those of structs within it counted each time that they stand there."""

MAX_VALUES = 2_048
"""Values of one document, those within arrays and structs among them."""

_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}", re.ASCII)
_STRUCT: Final = re.compile(rf"({_NAME.pattern})\(([^()]*)\)", re.ASCII)
_FIELD: Final = re.compile(rf"({_NAME.pattern})((?:\[[0-9]*\])*) ({_NAME.pattern})", re.ASCII)
_SUFFIX: Final = re.compile(r"\[([0-9]*)\]", re.ASCII)

Fields: TypeAlias = Mapping[str, tuple[tuple[str, str], ...]]
"""By a struct's name its fields, each as type and name."""


class Listed(NamedTuple):
    """An array: of as many items as it says, or of `length`."""

    item: "Typed"
    length: int | None


@dataclass(frozen=True)
class Struct:
    """A struct type whose parts are all known.

    Attributes:
        name: Its own.
        fields: Names and types, in order.
    """

    name: str
    fields: tuple[tuple[str, "Typed"], ...]

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.fields)

    @cached_property
    def encode_type(self) -> str:
        """The text that the type's hash is over."""
        # Within one type a name is one struct.
        named = {struct.name: struct for struct in _named(self)}
        del named[self.name]
        return "".join(struct.written for struct in (self, *(named[at] for at in sorted(named))))

    @cached_property
    def type_hash(self) -> bytes:
        return keccak256_raw(self.encode_type.encode())

    @property
    def written(self) -> str:
        """Its own part of that text."""
        return f"{self.name}({','.join(f'{_written(kind)} {name}' for name, kind in self.fields)})"

    @cached_property
    def function(self) -> Function:
        """The same fields as arguments of a function, by whose paths rules name them."""
        return Function(self.name, tuple(_argument(name, kind) for name, kind in self.fields))


Typed: TypeAlias = "Elementary | Listed | Struct"


def struct_of(name: str, fields: Fields) -> Struct:
    """Build a struct from what a document, or a rule, says of it and of those that it names.

    Raises:
        BadType: a name that is none, a struct that is not there or that holds itself, too many.
    """
    return _known(name, tuple(fields.items()))


@lru_cache(maxsize=32)
def _known(name: str, fields: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]) -> Struct:
    """Build once what agents ask for again and again: a type, its hash, its places."""
    return _Builder(dict(fields)).struct(name, 0)


def parse_type(text: object) -> Struct:
    """Read an `encodeType` as a rule writes it; BadType unless it is written in the one way."""
    if not isinstance(text, str) or len(text) > MAX_TYPE_CHARACTERS:
        raise BadType('a type is text such as "Permit(address owner,uint256 value)"')
    fields: dict[str, tuple[tuple[str, str], ...]] = {}
    at = 0
    for match in _STRUCT.finditer(text):
        if match.start() != at or match[1] in fields:
            break
        at = match.end()
        parts = [_FIELD.fullmatch(part) for part in match[2].split(",")] if match[2] else []
        if any(part is None for part in parts):
            break
        fields[match[1]] = tuple((part[1] + part[2], part[3]) for part in parts if part)
    if at != len(text) or not fields:
        raise BadType(
            'a type is written as EIP-712\'s encodeType, "Mail(Person to)Person(string name)", '
            "without blanks but between type and name"
        )
    struct = struct_of(next(iter(fields)), fields)
    if struct.encode_type != text:
        raise BadType(f'write it as "{struct.encode_type}"')
    return struct


class RecursiveType(BadType, code="RECURSIVE_TYPE"):
    """A struct holds itself, if only in an array: no rule could name all of its parts."""


class _Builder:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._built: dict[str, Struct] = {}
        self._places: dict[str, int] = {}
        self._heights: dict[str, int] = {}
        self._open: set[str] = set()

    def struct(self, name: str, depth: int) -> Struct:
        if name in self._open:
            raise RecursiveType(f'"{shown(name, 64)}" holds itself: such types are not signed')
        if depth + self._heights.get(name, 0) > MAX_DEPTH or (
            name not in self._built and len(self._built) + len(self._open) >= MAX_STRUCTS
        ):
            raise BadType(f"at most {MAX_STRUCTS} structs, nested at most {MAX_DEPTH} deep")
        if name in self._built:
            return self._built[name]
        fields = self._fields.get(name)
        if fields is None or _NAME.fullmatch(name) is None:
            raise BadType(f'"{shown(name, 64)}" is no struct of this type')
        if not 0 < len(fields) <= MAX_FIELDS or len(
            {field_name for _, field_name in fields}
        ) != len(fields):
            raise BadType(f"a struct has 1 to {MAX_FIELDS} fields, each with its own name")
        parts: list[tuple[str, Typed]] = []
        self._open.add(name)
        for kind, own in fields:
            if _NAME.fullmatch(own) is None or own.startswith("$"):
                raise BadType(f'"{shown(own, 64)}" is no name of a field')
            parts.append((own, self._kind(kind, depth)))
        # Structs that name each other twice double: counted before anything follows them all.
        places = len(parts) + sum(self._places_of(kind) for _, kind in parts)
        if places > MAX_PLACES:
            raise BadType(f"a type has at most {MAX_PLACES} fields, those of its structs included")
        self._places[name] = places
        inside = [
            kind.name for kind in (_item(part) for _, part in parts) if isinstance(kind, Struct)
        ]
        self._heights[name] = max(
            (1 + self._heights[field_name] for field_name in inside), default=0
        )
        self._open.remove(name)
        return self._built.setdefault(name, Struct(name, tuple(parts)))

    def _places_of(self, kind: Typed) -> int:
        item = _item(kind)
        return self._places[item.name] if isinstance(item, Struct) else 0

    def _kind(self, text: str, depth: int) -> Typed:
        base, bracket, rest = text.partition("[")
        item: Typed = self.struct(base, depth + 1) if base in self._fields else elementary(base)
        suffix = bracket + rest
        in_arrays(elementary("bool"), suffix)  # its form, and how deep it is
        for length in _SUFFIX.findall(suffix):
            item = Listed(item, int(length) if length else None)  # consensus: [0-9] alone
        return item


def _item(kind: Typed) -> Elementary | Struct:
    """Give what an array is of, through all its dimensions; or the type itself."""
    while isinstance(kind, Listed):
        kind = kind.item
    return kind


def _named(kind: Typed) -> Iterator[Struct]:
    if isinstance(kind, Listed):
        yield from _named(kind.item)
    elif isinstance(kind, Struct):
        yield kind
        for _, part in kind.fields:
            yield from _named(part)


def _written(kind: Typed) -> str:
    if isinstance(kind, Listed):
        return f"{_written(kind.item)}[{'' if kind.length is None else kind.length}]"
    return kind.name


def _argument(name: str, kind: Typed) -> Argument:
    if isinstance(kind, Elementary):
        return Argument(kind, name)
    if isinstance(kind, Struct):
        parts = kind.function.arguments
        return Argument(tuple_of([part.abi for part in parts]), name, parts)
    item = _argument(name, kind.item)
    # Of an array of arrays rules name no parts, as in a function's arguments.
    parts = item.parts if isinstance(kind.item, Struct) else ()
    return Argument(_array_of(item.abi, kind.length), name, parts)


def _array_of(item: Kind, length: int | None) -> Kind:
    return in_arrays(item, f"[{'' if length is None else length}]")


class Reader:
    """Reads one document, and counts its values before it makes them."""

    def __init__(self) -> None:
        self._left = MAX_VALUES

    def struct(self, kind: Struct, json: Json, path: str) -> tuple[tuple[Any, ...], bytes]:
        """Give a struct's values in order, and `hashStruct` of it; Malformed names the path."""
        if not isinstance(json, dict) or json.keys() != kind.names:
            names = ", ".join(name for name, _ in kind.fields)
            raise Malformed(f"an object of {shown(names)}, and of nothing else", path)
        values, words = [], [kind.type_hash]
        for name, part in kind.fields:
            value, word = self._value(part, json[name], f"{path}.{name}")
            values.append(value)
            words.append(word)
        return tuple(values), keccak256_raw(b"".join(words))

    def _value(self, kind: Typed, json: Json, path: str) -> tuple[Any, bytes]:
        self._left -= 1
        if self._left < 0:
            raise Malformed(f"at most {MAX_VALUES} values are read", path)
        if isinstance(kind, Struct):
            return self.struct(kind, json, path)
        if isinstance(kind, Elementary):
            return _leaf(kind, json, path)
        if not isinstance(json, list) or kind.length not in (None, len(json)):
            count = "items" if kind.length is None else f"{kind.length} items"
            raise Malformed(f"a list of {count}", path)
        members = [self._value(kind.item, entry, f"{path}[{at}]") for at, entry in enumerate(json)]
        return tuple(value for value, _ in members), keccak256_raw(
            b"".join(encoded for _, encoded in members)
        )


def _leaf(kind: Elementary, json: Json, path: str) -> tuple[Any, bytes]:
    """Read one value without parts, and encode it as EIP-712's `encodeData` does."""
    if kind.family in ("uint", "int"):
        number = _integer(json, path)
        signed = kind.family == "int"
        # One bit of a signed number is its sign's.
        if (number if number >= 0 else ~number).bit_length() > kind.size - signed or (
            number < 0 and not signed
        ):
            raise Malformed(f"{kind.name} does not hold this number", path)
        return number, number.to_bytes(32, "big", signed=signed)
    if kind.family == "bool":
        if not isinstance(json, bool):
            raise Malformed("true or false", path)
        return json, int(json).to_bytes(32, "big")  # consensus: a truth value
    if kind.family == "string":
        if not isinstance(json, str):
            raise Malformed("a text", path)
        return json, keccak256_raw(json.encode())
    data = parse_data(json, path)
    if kind.family == "bytes":
        return data, keccak256_raw(data)
    length = Address.LENGTH if kind.family == "address" else kind.size
    if len(data) != length:
        raise Malformed(f"{kind.name} has {length} bytes, got {len(data)}", path)
    if kind.family == "address":
        return Address(data), data.rjust(32, b"\0")
    return data, data.ljust(32, b"\0")


def _integer(json: Json, path: str) -> int:
    """Read a JSON integer, decimal text or `0x` and hex digits, as wallets write them."""
    if isinstance(json, int) and not isinstance(json, bool):
        return json
    if isinstance(json, str):
        if json.startswith("0x"):
            return parse_quantity(json, path)
        number = decimal(json.removeprefix("-"))
        if number is not None:
            return -number if json.startswith("-") else number
    raise Malformed("a whole number, as an integer, decimal text or hex", path)
