"""Decimal numbers in text: the digits 0 to 9 and nothing else.

Python's `int` also reads other scripts' digits, spaces and underscores, and raises over long
ones; which digits there are depends on the version's Unicode.
"""

import re

_DIGITS = re.compile(r"[0-9]+")

MAX_DIGITS = 80
"""Longest number that is read: a uint256 has 78 digits."""


def decimal(text: str, most: int = MAX_DIGITS) -> int | None:
    """Give the number that `text` writes in at most `most` digits; None where it does not."""
    if len(text) > most or _DIGITS.fullmatch(text) is None:
        return None
    return int(text)  # consensus: its digits are 0 to 9, and few
