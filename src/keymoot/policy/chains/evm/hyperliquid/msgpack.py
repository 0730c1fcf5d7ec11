"""MessagePack, as far as an action needs it: the exchange hashes an action in these bytes.

The order of a map's keys is the order in which it is given. Source: the format's specification;
of each value its shortest form, as the exchange's own clients write it.
"""

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import Json


def pack(value: Json) -> bytes:
    """Write a value; raise Malformed for an integer of more than 64 bits."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, str):
        raw = value.encode()
        return _head(len(raw), 0xA0, 32, (0xD9, 0xDA, 0xDB)) + raw
    if isinstance(value, list):
        return _head(len(value), 0x90, 16, (None, 0xDC, 0xDD)) + b"".join(map(pack, value))
    pairs = b"".join(pack(name) + pack(content) for name, content in value.items())
    return _head(len(value), 0x80, 16, (None, 0xDE, 0xDF)) + pairs


def _head(count: int, short: int, few: int, codes: tuple[int | None, int, int]) -> bytes:
    """Write a length: inside the code where it is below `few`, else in 1, 2 or 4 bytes behind."""
    if count < few:
        return bytes((short | count,))
    for code, width in zip(codes, (1, 2, 4), strict=True):
        if code is not None and count < 1 << 8 * width:
            return bytes((code,)) + count.to_bytes(width, "big")
    raise Malformed("longer than MessagePack has lengths for")


def _integer(value: int) -> bytes:
    if -32 <= value < 128:
        return value.to_bytes(1, "big", signed=value < 0)
    for at, width in enumerate((1, 2, 4, 8)):
        if value >= 0 and value < 1 << 8 * width:
            return bytes((0xCC + at,)) + value.to_bytes(width, "big")
        if value < 0 and value >= -(1 << 8 * width - 1):
            return bytes((0xD0 + at,)) + value.to_bytes(width, "big", signed=True)
    raise Malformed("an integer of an action has at most 64 bits")
