"""CBOR (RFC 8949) as the Oasis SDK writes it: in one form only, which is read back strictly.

Maps are sorted by encoded key, shorter first; numbers have their shortest form; neither
fractions, tags nor pieces of unknown length. Enough for what ROFL's clients send and read.
"""

from typing import TypeAlias

from keymoot.base.errors import Malformed

Cbor: TypeAlias = "int | bytes | str | bool | list[Cbor] | dict[str | bytes | int, Cbor] | None"

MAX_DEPTH = 16

_UINT, _NEGATIVE, _BYTES, _TEXT, _LIST, _MAP, _SIMPLE = 0, 1, 2, 3, 4, 5, 7
_FALSE, _TRUE, _NULL = 20, 21, 22


def encode(value: Cbor) -> bytes:
    if isinstance(value, bool) or value is None:
        return bytes([_SIMPLE << 5 | (_NULL if value is None else _TRUE if value else _FALSE)])
    if isinstance(value, int):
        return _head(_UINT, value) if value >= 0 else _head(_NEGATIVE, -1 - value)
    if isinstance(value, bytes):
        return _head(_BYTES, len(value)) + value
    if isinstance(value, str):
        raw = value.encode()
        return _head(_TEXT, len(raw)) + raw
    if isinstance(value, list):
        return _head(_LIST, len(value)) + b"".join(map(encode, value))
    pairs = sorted(
        ((encode(key), encode(item)) for key, item in value.items()),
        key=lambda pair: (len(pair[0]), pair[0]),
    )
    return _head(_MAP, len(pairs)) + b"".join([key + item for key, item in pairs])


def decode(raw: bytes) -> Cbor:
    """Read one item and nothing behind it.

    Raises:
        Malformed: not CBOR, another form of it, or deeper than `MAX_DEPTH`.
    """
    try:
        value, end = _item(raw, 0, MAX_DEPTH)
    except IndexError as error:
        raise Malformed("CBOR ends in the middle of an item") from error
    if end != len(raw):
        raise Malformed(f"behind the item there are {len(raw) - end} bytes of CBOR too many")
    return value


def _head(kind: int, number: int) -> bytes:
    if number < 24:
        return bytes([kind << 5 | number])
    for at, size in enumerate((1, 2, 4, 8)):
        if number < 1 << 8 * size:
            return bytes([kind << 5 | 24 + at]) + number.to_bytes(size, "big")
    raise Malformed("a number has at most 64 bits in CBOR")


def _item(raw: bytes, at: int, left: int) -> tuple[Cbor, int]:
    if not left:
        raise Malformed(f"CBOR is nested deeper than {MAX_DEPTH} levels")
    kind, short = raw[at] >> 5, raw[at] & 31
    if kind == _SIMPLE:
        if short not in (_FALSE, _TRUE, _NULL):
            raise Malformed("of CBOR's simple values false, true and null are read")
        return (None if short == _NULL else short == _TRUE), at + 1
    number, at = _number(raw, at)
    if kind == _UINT:
        return number, at
    if kind == _NEGATIVE:
        return -1 - number, at
    if kind in (_BYTES, _TEXT):
        if number > len(raw) - at:
            raise IndexError
        return _string(raw[at : at + number], kind), at + number
    if kind not in (_LIST, _MAP):
        raise Malformed("tags of CBOR are not read")
    if number > len(raw) - at:
        raise IndexError
    if kind == _LIST:
        items: list[Cbor] = []
        for _ in range(number):
            item, at = _item(raw, at, left - 1)
            items.append(item)
        return items, at
    return _map(raw, at, number, left - 1)


def _map(raw: bytes, at: int, count: int, left: int) -> tuple[Cbor, int]:
    pairs: dict[str | bytes | int, Cbor] = {}
    before = (0, b"")
    for _ in range(count):
        key, end = _item(raw, at, left)
        order = (end - at, raw[at:end])
        if isinstance(key, bool) or not isinstance(key, str | bytes | int):
            raise Malformed("a key of CBOR's maps is text, bytes or a number")
        if order <= before:
            raise Malformed("keys of CBOR's maps rise, the shorter ones first")
        before = order
        pairs[key], at = _item(raw, end, left)
    return pairs, at


def _number(raw: bytes, at: int) -> tuple[int, int]:
    short = raw[at] & 31
    if short < 24:
        return short, at + 1
    if short > 27:
        raise Malformed("CBOR of unknown length is not read")
    size = 1 << short - 24
    if at + 1 + size > len(raw):
        raise IndexError
    number = int.from_bytes(raw[at + 1 : at + 1 + size], "big")
    if number < (24 if size == 1 else 1 << 4 * size):
        raise Malformed("a number of CBOR has its shortest form")
    return number, at + 1 + size


def _string(raw: bytes, kind: int) -> bytes | str:
    if kind == _BYTES:
        return raw
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise Malformed("text of CBOR is UTF-8") from error
