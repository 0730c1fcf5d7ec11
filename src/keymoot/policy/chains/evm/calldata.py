"""A call's arguments, read once for all the rules that name its function."""

from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from keymoot.base.abi.decode import BadEncoding, decode
from keymoot.base.errors import Malformed
from keymoot.policy.chains.evm.signature import EACH, SELECTOR_BYTES, Function, follow
from keymoot.policy.chains.evm.suffix import Suffix
from keymoot.policy.shown import show


class BadCalldata(Malformed, code="MALFORMED_CALLDATA"):
    """Calldata is not the canonical encoding of the function's arguments."""


class Calldata:
    """The calldata of one transaction; it remembers what was read while that is decided.

    Rules may give one function's arguments different names: values are found by their place.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._read: dict[str, tuple[Any, ...] | str] = {}
        self._texts: dict[tuple[str, tuple[int, ...]], str] = {}
        self._parts: dict[tuple[str, tuple[int, ...]], tuple[Any, ...]] = {}
        self._before: dict[int, Calldata] = {}

    def read(
        self, function: Function, suffixes: Iterable[Suffix]
    ) -> tuple["Calldata", Suffix | None]:
        """Find the calldata's one form: all of it, or what stands before one of these tags."""
        try:
            self.arguments(function)
        except BadCalldata:
            for suffix in suffixes:
                length = suffix.length(self._data)
                if not 0 < length <= len(self._data) - SELECTOR_BYTES:
                    continue
                if length not in self._before:
                    self._before[length] = Calldata(self._data[:-length])
                before = self._before[length]
                with suppress(BadCalldata):
                    before.arguments(function)
                    return before, suffix
            raise
        return self, None

    def arguments(self, function: Function) -> tuple[Any, ...]:
        """Read the arguments behind the selector, in their one canonical encoding (BadCalldata)."""
        values = self._read.get(function.signature)
        if values is None:
            values = self._read[function.signature] = _arguments(function, self._data)
        if isinstance(values, str):
            raise BadCalldata(values)
        return values

    def argument(self, function: Function, path: str) -> Any:
        """Give the argument, or part of one, that a path of the function names; as `arguments`."""
        way = function.places[path].way
        arguments = self.arguments(function)
        if EACH not in way:
            return follow(arguments, way)
        # Rules may ask for the same part of all items again and again.
        key = function.signature, way
        if key not in self._parts:
            self._parts[key] = follow(arguments, way)
        return self._parts[key]

    def text(self, function: Function, path: str) -> str:
        """Give that argument as people see it."""
        key = function.signature, function.places[path].way
        if key not in self._texts:
            self._texts[key] = show(self.argument(function, path))
        return self._texts[key]


def _arguments(function: Function, data: bytes) -> tuple[Any, ...] | str:
    try:
        return decode(function.kinds, data[SELECTOR_BYTES:])
    except BadEncoding as error:
        return f"calldata is not {function.signature}: {error.reason}"
