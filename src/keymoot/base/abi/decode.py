"""Values from the bytes of the ABI: one walk, front to back, that reads every byte once.

The specification lets an offset lead anywhere, so that eight kilobytes can be half a million
values. In the canonical form each offset leads to where the value before ended; any other is
refused where it stands.
"""

from collections.abc import Sequence
from typing import Any

from keymoot.base.abi.kinds import WORD, Array, Elementary, Kind, Tuple, heads_bytes
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address

MAX_VALUES = 512
"""Values that are read at once: arrays, tuples and what they hold count one each."""

_SIGN = 1 << 8 * WORD - 1
_WHOLE = 1 << 8 * WORD


class BadEncoding(Malformed, code="MALFORMED_ENCODING"):
    """These bytes are not the canonical encoding of values of these types."""


class TooManyValues(BadEncoding):
    """The bytes hold more values than are read."""

    def __init__(self) -> None:
        super().__init__(f"more than {MAX_VALUES} values")


def decode(kinds: Sequence[Kind], data: bytes) -> tuple[Any, ...]:
    """Read values that stand side by side, as a function's arguments do.

    Integers are `int`, `bool` is `bool`, `address` is `Address`, text is `str`, all bytes are
    `bytes`; arrays and tuples are tuples. At most `MAX_VALUES` of them, and only in their one
    canonical encoding, to the last byte.
    """
    reader = _Reader(data)
    values, end = reader.sequence(kinds, 0)
    if end != len(data):
        raise BadEncoding(f"{len(data)} bytes, where the values end after {end}")
    return values


class _Reader:
    def __init__(self, data: bytes) -> None:
        self._data, self._left = data, MAX_VALUES

    def sequence(self, kinds: Sequence[Kind], start: int) -> tuple[tuple[Any, ...], int]:
        """Read values whose heads begin at `start`; tell where the last one ends."""
        self._take(len(kinds))
        at, end = start, start + heads_bytes(kinds)
        if end > len(self._data):
            raise BadEncoding(f"the bytes end at {len(self._data)}, before a value at {start}")
        values = []
        for kind in kinds:
            if kind.dynamic:
                if self._number(at) != end - start:
                    raise BadEncoding(f"the offset at byte {at} does not lead to the next value")
                value, end = self._tail(kind, end)
                at += WORD
            else:
                value, at = self._head(kind, at)
            values.append(value)
        return tuple(values), end

    def _head(self, kind: Kind, at: int) -> tuple[Any, int]:
        if isinstance(kind, Elementary):
            return _word(kind, self._data[at : at + WORD], at), at + WORD
        if isinstance(kind, Tuple):
            return self.sequence(kind.parts, at)
        return self._items(kind.item, kind.length or 0, at)

    def _tail(self, kind: Kind, at: int) -> tuple[Any, int]:
        if isinstance(kind, Tuple):
            return self.sequence(kind.parts, at)
        if isinstance(kind, Array):
            if kind.length is None:
                return self._items(kind.item, self._number(at), at + WORD)
            return self._items(kind.item, kind.length, at)
        return self._bytes(kind, at)

    def _items(self, item: Kind, count: int, start: int) -> tuple[tuple[Any, ...], int]:
        if count > self._left:
            raise TooManyValues
        return self.sequence((item,) * count, start)

    def _bytes(self, kind: Elementary, at: int) -> tuple[bytes | str, int]:
        length, start = self._number(at), at + WORD
        end = start + -(-length // WORD) * WORD
        if end > len(self._data):
            raise BadEncoding(f"the bytes end at {len(self._data)}, before the {length} at {start}")
        value = self._data[start : start + length]
        if any(self._data[start + length : end]):
            raise BadEncoding(f"the bytes behind the {length} at {start} are not zeros")
        return (_text(value, start) if kind.family == "string" else value), end

    def _number(self, at: int) -> int:
        if at + WORD > len(self._data):
            raise BadEncoding(f"the bytes end at {len(self._data)}, before a length at {at}")
        return int.from_bytes(self._data[at : at + WORD], "big")

    def _take(self, count: int) -> None:
        if count > self._left:
            raise TooManyValues
        self._left -= count


def _word(kind: Elementary, word: bytes, at: int) -> Any:
    if kind.family == "fixed":
        if any(word[kind.size :]):
            raise BadEncoding(f"the bytes behind the {kind.size} at {at} are not zeros")
        return word[: kind.size]
    number = int.from_bytes(word, "big")
    if kind.family == "int":
        signed = number - _WHOLE if number & _SIGN else number
        if not -1 << kind.size - 1 <= signed < 1 << kind.size - 1:
            raise BadEncoding(f"the number at byte {at} does not fit {kind.name}")
        return signed
    bits = {"uint": kind.size, "bool": 1, "address": 8 * Address.LENGTH}[kind.family]
    if number >> bits:
        raise BadEncoding(f"the word at byte {at} does not fit {kind.name}")
    if kind.family == "address":
        return Address(word[-Address.LENGTH :])
    return bool(number) if kind.family == "bool" else number


def _text(value: bytes, at: int) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadEncoding(f"the text at byte {at} is not UTF-8") from error
