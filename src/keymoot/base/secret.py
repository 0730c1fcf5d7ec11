"""Bytes that must not be seen."""

from typing import NoReturn


class Secret:
    """Secret bytes: no `==`, no pickle, no copy, and a repr that tells nothing.

    `expose()` is the one way to the bytes, so that a search for it finds every use.
    Python cannot wipe memory reliably; a `Secret` limits where bytes travel, not
    how long they stay in RAM.
    """

    __slots__ = ("_value",)

    def __init__(self, value: bytes) -> None:
        self._value = bytes(value)

    def expose(self) -> bytes:
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __repr__(self) -> str:
        return "Secret(…)"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        """As `repr` does, whatever the spec."""
        return repr(self)  # consensus: hides itself

    def __eq__(self, other: object) -> NoReturn:
        """Comparing secrets with `==` leaks by time."""
        raise TypeError("a Secret has no ==: use hmac.compare_digest(a.expose(), b.expose())")

    __hash__ = None  # type: ignore[assignment]

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Secret cannot be pickled or copied")
