"""Solidity function signatures with named arguments, and calldata read strictly by them.

`approve(address spender,uint256 value)` names the arguments that a rule's conditions
speak of. Tuples are written `(address token,uint256 amount) order`, reached as
`order.amount`; arrays end in `[]` or `[n]`.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError, EncodingError, ParseError

from keymoot.base.errors import Malformed
from keymoot.base.shown import shown
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.errors import BadPolicy
from keymoot.policy.evm.layout import MAX_VALUES, TooManyValues, check_layout

SELECTOR_BYTES = 4
MAX_SIGNATURE_LENGTH = 1_024
MAX_TUPLE_DEPTH = 4
MAX_ARRAY_DEPTH = 4

_NAME = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]{0,63}")
_ARRAY = re.compile(r"(\[(?:[1-9][0-9]{0,3})?\])")
"""No length of 0: Solidity has none, and eth-abi stumbles over it."""

_ELEMENTARY = re.compile(
    r"address|bool|string|bytes(?:[1-9]|[12][0-9]|3[0-2])?|u?int(?:8|16|24|32|40|48|56|64|72|80|88|"
    r"96|104|112|120|128|136|144|152|160|168|176|184|192|200|208|216|224|232|240|248|256)?"
)


_UNREADABLE = (
    DecodingError,
    EncodingError,
    ParseError,
    OverflowError,
    ValueError,
    RecursionError,
)
"""What eth-abi raises over types and bytes that it cannot read; anything else stops the node."""


class BadCalldata(Malformed):
    """Calldata is not the canonical encoding of the function's arguments."""

    code = "MALFORMED_CALLDATA"


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument: ABI type without names, its name, and the parts of a tuple."""

    kind: str
    name: str
    parts: tuple["Argument", ...] = ()


@dataclass(frozen=True, slots=True)
class Function:
    """A function as a policy names it."""

    name: str
    arguments: tuple[Argument, ...]

    @property
    def signature(self) -> str:
        """The name and types that the selector hashes."""
        return f"{self.name}({','.join(argument.kind for argument in self.arguments)})"

    @property
    def selector(self) -> bytes:
        """First four bytes of the signature's Keccak-256."""
        return keccak256_raw(self.signature.encode())[:SELECTOR_BYTES]

    def kind_of(self, path: str) -> str | None:
        """Give the ABI type of the argument that `path` names, or None."""
        return self._paths().get(path)

    def decode(self, data: bytes) -> dict[str, Any]:
        """Read the arguments behind the selector, by their paths.

        Raises:
            BadCalldata: trailing or missing bytes, dirty padding, odd offsets.
        """
        kinds = tuple(argument.kind for argument in self.arguments)
        values, wrong = _read(kinds, data[SELECTOR_BYTES:])
        if wrong:
            raise BadCalldata(f"calldata is not {wrong.format(self.signature)}")
        found: dict[str, Any] = {}
        for argument, value in zip(self.arguments, values, strict=True):
            _spread(argument, argument.name, value, found)
        return found

    def _paths(self) -> dict[str, str]:
        found: dict[str, str] = {}
        for argument in self.arguments:
            _name_paths(argument, argument.name, found)
        return found


@lru_cache(maxsize=16)
def _read(kinds: tuple[str, ...], body: bytes) -> tuple[tuple[Any, ...], str]:
    """Read values by their types; where they cannot be read, say what they are not.

    Pure, and remembered: all rules of a policy may name one function, and reading an array of
    thousands for each of them would take all replicas seconds.
    """
    try:
        check_layout(kinds, body)
        values = decode(kinds, body, strict=True)
        canonical = encode(kinds, values) == body
    except TooManyValues:
        return (), f"{{}} with at most {MAX_VALUES} values"
    except _UNREADABLE:
        return (), "the encoding of {}"
    if not canonical:
        return (), "the canonical encoding of {}"
    return values, ""


def parse_function(text: object, path: str) -> Function:
    """Read a signature with named arguments.

    Raises:
        BadPolicy: not one, unnamed or doubly named arguments, unknown types.
    """
    if not isinstance(text, str) or len(text) > MAX_SIGNATURE_LENGTH:
        raise BadPolicy('a function is text such as "transfer(address to,uint256 amount)"', path)
    head, bracket, _ = text.partition("(")
    if not bracket or not text.endswith(")") or _NAME.fullmatch(head) is None:
        raise BadPolicy('a function is written as "transfer(address to,uint256 amount)"', path)
    return Function(head, _arguments(text[len(head) + 1 : -1], path, MAX_TUPLE_DEPTH))


def _arguments(text: str, path: str, depth: int) -> tuple[Argument, ...]:
    if not text:
        return ()
    if depth == 0:
        raise BadPolicy(f"tuples are nested deeper than {MAX_TUPLE_DEPTH}", path)
    arguments = tuple(_argument(part, path, depth) for part in _split(text, path))
    names = [argument.name for argument in arguments]
    if len(set(names)) != len(names):
        raise BadPolicy("two arguments have one name", path)
    return arguments


def _argument(text: str, path: str, depth: int) -> Argument:
    text = text.strip(" ")
    kind, _, name = text.rpartition(" ")
    kind = kind.strip(" ")
    if _NAME.fullmatch(name) is None or not kind:
        raise BadPolicy(f'"{shown(text, 64)}" needs a type and a name', path)
    base = _ARRAY.split(kind, maxsplit=1)[0]
    suffix = kind[len(base) :] if not kind.startswith("(") else ""
    parts: tuple[Argument, ...] = ()
    if kind.startswith("("):
        close = kind.rindex(")") if ")" in kind else -1
        if close < 0:
            raise BadPolicy("a tuple is not closed", path)
        parts = _arguments(kind[1:close], path, depth - 1)
        suffix = kind[close + 1 :]
        if not parts:
            raise BadPolicy("a tuple has at least one part", path)
        base = "(" + ",".join(part.kind for part in parts) + ")"
    elif _ELEMENTARY.fullmatch(base) is None:
        raise BadPolicy(f'"{shown(base, 32)}" is not a type of Solidity\'s ABI', path)
    if _ARRAY.sub("", suffix):
        raise BadPolicy(f'"{shown(suffix, 16)}" is not an array suffix', path)
    if len(_ARRAY.findall(suffix)) > MAX_ARRAY_DEPTH:
        raise BadPolicy(f"arrays are nested deeper than {MAX_ARRAY_DEPTH}", path)
    base = {"uint": "uint256", "int": "int256"}.get(base, base)
    return Argument(base + suffix, name, () if suffix else parts)


def _split(text: str, path: str) -> list[str]:
    parts, depth, start = [], 0, 0
    for index, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth < 0:
            raise BadPolicy("a bracket closes that was not opened", path)
        if char == "," and depth == 0:
            parts.append(text[start:index])
            start = index + 1
    if depth:
        raise BadPolicy("a tuple is not closed", path)
    return [*parts, text[start:]]


def _name_paths(argument: Argument, path: str, found: dict[str, str]) -> None:
    found[path] = argument.kind
    for part in argument.parts:
        _name_paths(part, f"{path}.{part.name}", found)


def _spread(argument: Argument, path: str, value: Any, found: dict[str, Any]) -> None:
    found[path] = value
    for part, inner in zip(argument.parts, value if argument.parts else (), strict=True):
        _spread(part, f"{path}.{part.name}", inner, found)
