"""Inputs that are almost right, from a seed: for the few seconds that `make test` has.

Whether they reach something new is not looked at; `make fuzz` does that.
"""

from collections.abc import Sequence
from random import Random

TELLING = (0x00, 0x7F, 0x80, 0x81, 0xB7, 0xB8, 0xBF, 0xC0, 0xF7, 0xF8)
"""Bytes at which the formats turn: lengths of RLP, compact lengths, signs."""


def altered(raw: bytes, others: Sequence[bytes], rng: Random) -> bytes:
    """Change one to four places of an input."""
    changed = bytearray(raw)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        at = rng.randrange(len(changed) + 1)
        end = min(len(changed), at + rng.choice((1, 1, 2, 8, 32)))
        way = rng.randrange(7)
        if way == 0 and at < len(changed):
            changed[at] ^= 1 << rng.randrange(8)
        elif way == 1:
            changed[at:end] = bytes((rng.choice(TELLING),))
        elif way == 2:
            del changed[at:end]
        elif way == 3:
            changed[at:at] = changed[at:end]
        elif way == 4:
            other = rng.choice(others)
            start = rng.randrange(len(other) + 1)
            changed[at:end] = other[start : start + rng.choice((1, 4, 16, 64))]
        elif way == 5:
            changed[at:end] = rng.randbytes(end - at)
        elif at < len(changed):
            changed[at] = (changed[at] + rng.choice((1, -1))) % 256
    return bytes(changed)
