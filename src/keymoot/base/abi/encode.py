"""Values to the bytes of the ABI, in the canonical form that `decode` reads."""

from collections.abc import Sequence
from typing import Any

from keymoot.base.abi.kinds import WORD, Array, Elementary, Kind, Tuple, heads_bytes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address


class BadValue(Malformed, code="MALFORMED_VALUE"):
    """A value is not one of its type; the message never shows it."""


def encode(kinds: Sequence[Kind], values: Sequence[Any]) -> bytes:
    """Write values side by side, as a function's arguments.

    They are as `decode` gives them; lists will do for arrays and tuples.
    """
    if not isinstance(values, list | tuple) or len(values) != len(kinds):
        raise BadValue(f"a list of {len(kinds)} values is expected")
    heads, tails, end = [], [], heads_bytes(kinds)
    for kind, value in zip(kinds, values, strict=True):
        written = _write(kind, value)
        if kind.dynamic:
            heads.append(end.to_bytes(WORD, "big"))
            tails.append(written)
            end += len(written)
        else:
            heads.append(written)
    return b"".join((*heads, *tails))


def _write(kind: Kind, value: Any) -> bytes:
    if isinstance(kind, Elementary):
        return _elementary(kind, value)
    return encode(kind.parts, value) if isinstance(kind, Tuple) else _array(kind, value)


def _elementary(kind: Elementary, value: Any) -> bytes:
    if isinstance(value, bytes):
        family, length = kind.family, len(value)
        if family == "fixed" and length == kind.size:
            return value.ljust(WORD, b"\0")
        if family == "address" and length == Address.LENGTH:
            return value.rjust(WORD, b"\0")
        if family == "bytes":
            return _padded(value)
    elif kind.family == "string" and isinstance(value, str):
        return _padded(_utf8(value))
    number = _number(kind, value)
    if number is None:
        raise BadValue(f"{kind.name} cannot hold this value")
    return number.to_bytes(WORD, "big", signed=True) if number < 0 else number.to_bytes(WORD, "big")


def _number(kind: Elementary, value: Any) -> int | None:
    """None where it cannot hold it."""
    if kind.family == "bool":
        return int(value) if isinstance(value, bool) else None  # consensus: 0 or 1
    if not isinstance(value, int) or isinstance(value, bool):
        return None
    if kind.family == "uint" and 0 <= value < 1 << kind.size:
        return value
    if kind.family == "int" and -1 << kind.size - 1 <= value < 1 << kind.size - 1:
        return value
    return None


def _array(kind: Array, value: Any) -> bytes:
    if not isinstance(value, list | tuple) or kind.length not in (None, len(value)):
        raise BadValue(f"{kind.name} cannot hold this value")
    items = encode((kind.item,) * len(value), value)
    return items if kind.length is not None else len(value).to_bytes(WORD, "big") + items


def _utf8(value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise BadValue("text holds half of a surrogate pair") from error


def _padded(value: bytes) -> bytes:
    length = len(value)
    return length.to_bytes(WORD, "big") + value.ljust(-(-length // WORD) * WORD, b"\0")
