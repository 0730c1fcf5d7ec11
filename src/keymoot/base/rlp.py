"""Recursive Length Prefix: the one canonical encoding of the ledger.

Follows the Ethereum Yellow Paper, appendix B. An item is bytes or a list of items;
the decoder accepts only the shortest form, so decode(x) succeeding means that
encode(decode(x)) is x.
"""

from collections.abc import Sequence
from typing import TypeAlias

from keymoot.base.errors import Malformed

Item: TypeAlias = "bytes | Sequence[Item]"

MAX_DEPTH = 16
"""Deepest nesting the decoder follows; nothing of ours needs more than six."""

MAX_ITEMS = 16_384
"""Items, lists counted too, that the decoder gives at most: a list of single bytes takes a
microsecond for each, whoever wrote it. Nothing of ours needs half as many in one place."""

_SHORT = 55
"""Longest payload whose length fits into the first byte."""

_BYTES_PREFIX = [bytes((0x80 + length,)) for length in range(_SHORT + 1)]
_LIST_PREFIX = [bytes((0xC0 + length,)) for length in range(_SHORT + 1)]


def encode(item: Item) -> bytes:
    if isinstance(item, bytes):
        length = len(item)
        if length == 1 and item[0] < 0x80:
            return bytes(item)
        return (_BYTES_PREFIX[length] if length <= _SHORT else _prefix(length, 0x80)) + item
    parts: list[bytes] = []
    for part in item:
        # Most of what there is are short strings: without a call for each.
        if not isinstance(part, bytes):
            parts.append(encode(part))
        elif (length := len(part)) > _SHORT:
            parts += (_prefix(length, 0x80), part)
        elif length == 1 and part[0] < 0x80:
            parts.append(part)
        else:
            parts += (_BYTES_PREFIX[length], part)
    payload = b"".join(parts)
    length = len(payload)
    return (_LIST_PREFIX[length] if length <= _SHORT else _prefix(length, 0xC0)) + payload


def decode(data: bytes, max_depth: int = MAX_DEPTH, max_items: int = MAX_ITEMS) -> "Decoded":
    """Decode exactly one item that fills `data`.

    Malformed: trailing bytes, a long form where a short one exists, a length beyond the input,
    lists nested deeper than `max_depth`, or more than `max_items` items in all of them.
    """
    item, end = _decode(data, 0, len(data), max_depth, [max_items, max_items])
    if end != len(data):
        raise Malformed(f"RLP ends after {end} bytes, {len(data) - end} more follow")
    return item


Decoded: TypeAlias = "bytes | list[Decoded]"


def _prefix(length: int, offset: int) -> bytes:
    if length <= _SHORT:
        return bytes((offset + length,))
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((offset + _SHORT + len(size),)) + size


def _decode(data: bytes, at: int, end: int, depth: int, left: list[int]) -> tuple[Decoded, int]:
    if at >= end:
        raise Malformed("RLP is cut short: an item was expected")
    first = data[at]
    if first < 0x80:
        return data[at : at + 1], at + 1
    if first < 0xC0:
        start, stop = _span(data, at, end, 0x80)
        if stop - start == 1 and data[start] < 0x80:
            raise Malformed("RLP has a byte below 0x80 in the long form")
        return data[start:stop], stop
    if depth <= 0:
        raise Malformed("RLP is nested too deeply")
    start, stop = _span(data, at, end, 0xC0)
    items: list[Decoded] = []
    while start < stop:
        left[0] -= 1
        if left[0] < 0:
            raise Malformed(f"RLP holds more than {left[1]} items")
        # Most of what there is are short strings: without a call for each.
        tag = data[start]
        after = start + tag - 0x7F
        if tag < 0x80:
            items.append(data[start : start + 1])
            start += 1
        elif tag <= 0x80 + _SHORT and tag != 0x81 and after <= stop:
            items.append(data[start + 1 : after])
            start = after
        elif tag == 0xB8 and after <= stop and _SHORT < data[start + 1] <= stop - start - 2:
            after = start + 2 + data[start + 1]
            items.append(data[start + 2 : after])
            start = after
        else:
            item, start = _decode(data, start, stop, depth - 1, left)
            items.append(item)
    return items, stop


def _span(data: bytes, at: int, end: int, offset: int) -> tuple[int, int]:
    tag = data[at] - offset
    if tag <= _SHORT:
        start, length = at + 1, tag
    else:
        start = at + 1 + tag - _SHORT
        size = data[at + 1 : start]
        if start > end or size[0] == 0:
            raise Malformed("RLP has a length with a leading zero or beyond the input")
        length = int.from_bytes(size, "big")
        if length <= _SHORT:
            raise Malformed("RLP has a short length in the long form")
    if start + length > end:
        raise Malformed(f"RLP promises {length} bytes, {end - start} are left")
    return start, start + length
