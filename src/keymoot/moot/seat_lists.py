"""Sets of seats, and what each of several seats has, in RLP: in rising order, each seat once.

So a page of the assembly has one form, and whoever compares or hashes it compares what it says.
"""

from collections.abc import Mapping

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, rising, uint, uint_of

_SEAT_BYTES = 2


def item_of_seats(seats: frozenset[int]) -> rlp.Item:
    """Write a set of seats."""
    return [uint(seat) for seat in sorted(seats)]


def seats_of(item: rlp.Decoded, path: str, most: int | None = None) -> frozenset[int]:
    """Read a set of seats, of at most `most`.

    Raises:
        Malformed: something else, too many, out of order, or one twice.
    """
    seats = [uint_of(one, path, _SEAT_BYTES) for one in _at_most(item, path, most)]
    return frozenset(rising(seats, path))


def item_of_pairs(values: Mapping[int, rlp.Item]) -> rlp.Item:
    """Write what several seats have."""
    return [[uint(seat), values[seat]] for seat in sorted(values)]


def pairs_of(item: rlp.Decoded, path: str, most: int | None = None) -> dict[int, rlp.Decoded]:
    """Read what several seats have, at most `most`; each thing still as RLP gave it.

    Raises:
        Malformed: something else, too many, out of order, or one twice.
    """
    pairs = [list_of(one, 2, path) for one in _at_most(item, path, most)]
    seats = rising([uint_of(seat, path, _SEAT_BYTES) for seat, _ in pairs], path)
    return dict(zip(seats, (value for _, value in pairs), strict=True))


def _at_most(item: rlp.Decoded, path: str, most: int | None) -> list[rlp.Decoded]:
    found = list_of(item, None, path)
    if most is not None and len(found) > most:
        raise Malformed(f"at most {most} seats", path)
    return found
