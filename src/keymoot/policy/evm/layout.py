"""How many values calldata has, counted before anybody reads them.

Offsets of the ABI may all lead to one place: eight kilobytes are then an array of arrays of
arrays with half a million values, and sixty are more than any machine reads in a day. That
such bytes are not canonical shows only when they have been read.
"""

from collections.abc import Sequence
from typing import Any

from eth_abi.grammar import TupleType, parse

MAX_VALUES = 512
"""Values that the arguments of one call may have: each is held against every rule."""

_WORD = 32


class TooManyValues(ValueError):
    """The calldata has more than `MAX_VALUES` values."""


def check_layout(kinds: Sequence[str], body: bytes) -> None:
    """Raise where there are too many values, after looking at no more than are allowed.

    Raises:
        TooManyValues: arrays and tuples hold more than `MAX_VALUES`.
        ValueError: an offset or a length lies outside.
    """
    _Walk(body).heads([parse(kind) for kind in kinds], 0)


class _Walk:
    """One walk along the offsets."""

    def __init__(self, body: bytes) -> None:
        self._body, self._left = body, MAX_VALUES

    def heads(self, kinds: Sequence[Any], start: int) -> None:
        """Follow values that stand side by side; offsets count from `start`."""
        at = start
        for kind in kinds:
            if kind.is_dynamic:
                self._value(kind, start + self._word(at))
                at += _WORD
            else:
                self._value(kind, at)
                at += _size(kind)

    def _value(self, kind: Any, at: int) -> None:
        self._left -= 1
        if kind.is_array:
            *_, dimension = kind.arrlist
            count, start = (dimension[0], at) if dimension else (self._word(at), at + _WORD)
            self._enough_for(count)
            self.heads([kind.item_type] * count, start)
        elif isinstance(kind, TupleType):
            self.heads(kind.components, at)
        self._enough_for(0)

    def _enough_for(self, count: int) -> None:
        if count > self._left:
            raise TooManyValues

    def _word(self, at: int) -> int:
        if at + _WORD > len(self._body):
            raise ValueError("an offset lies outside")
        return int.from_bytes(self._body[at : at + _WORD], "big")


def _size(kind: Any) -> int:
    """Give the bytes of a value of fixed size."""
    if kind.is_array:
        return int(kind.arrlist[-1][0]) * _size(kind.item_type)
    return sum(map(_size, kind.components)) if isinstance(kind, TupleType) else _WORD
