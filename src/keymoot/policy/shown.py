"""Values shown to people: the operands of a policy, and what a wish was decoded to.

The one place that does it, in words of ours. What is shown goes into refusals and into a
wallet's log, whose records are bounded: no value takes more than `MAX_SHOWN_BYTES`, and no
more work than that, however long it is.
"""

from collections.abc import Sequence
from typing import Any

from keymoot.base.fixed import Fixed
from keymoot.base.shown import MAX_SHOWN_CHARACTERS, shown
from keymoot.policy.names import written

__all__ = ["show"]

_FIRST_LESS = 40
"""Characters that the first value of a sequence leaves to what stands behind it."""


def show(value: Any, most: int = MAX_SHOWN_CHARACTERS) -> str:
    """Write a text, number, truth value, address, bytes, or a sequence of these.

    Text stands as it is (see `base.shown`), truth values as JSON has them, bytes in hex, and
    a sequence in brackets. What is longer than `most` characters is cut, with its length.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)  # consensus: an integer
    if isinstance(value, str):
        return shown(value, most)
    if isinstance(value, bytes):
        return _bytes(value, most)
    if isinstance(value, (list, tuple)):
        return _sequence(value, most)
    return "null" if value is None else "an object"


def _bytes(value: bytes, most: int) -> str:
    if isinstance(value, Fixed) and len(text := written(value)) <= most:
        return text
    if 2 + 2 * len(value) <= most:
        return "0x" + value.hex()
    return f"0x{value[: most // 2 - 1].hex()}… ({len(value)} bytes)"


def _sequence(values: Sequence[Any], most: int) -> str:
    parts: list[str] = []
    left = most - 2
    for value in values:
        # The first one is cut early, so that something of it is seen.
        part = show(value, most if parts else most - _FIRST_LESS)
        left -= len(part) + 2 * bool(parts)
        if left < 0:
            return f"[{', '.join(parts)}… ({len(values)} values)"
        parts.append(part)
    return f"[{', '.join(parts)}]"
