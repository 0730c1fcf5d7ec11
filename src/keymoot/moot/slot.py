"""One signer's place in a FROST signature: whose nonce, which one, and what it is committed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.frost import Commitment

MAX_SLOTS_BYTES = 128 * MAX_SIZE
"""Longest list of slots, encoded."""


@dataclass(frozen=True, slots=True)
class Slot:
    """One pair of nonces of one seat, bound to one request.

    Attributes:
        seat: Whose.
        number: Which; numbers of a seat rise, and never come twice in a start.
        commitment: What the seat committed to.
    """

    seat: int
    number: int
    commitment: Commitment


def write_slots(slots: Sequence[Slot]) -> bytes:
    """Write the slots of a request, in the order of seats."""
    return rlp.encode(
        [[uint(one.seat), uint(one.number), one.commitment.encode()] for one in slots]
    )


def read_slots(raw: bytes) -> tuple[Slot, ...]:
    """Read the slots of a request.

    Raises:
        Malformed: not slots, too many, or seats that do not rise.
    """
    found = []
    for item in list_of(rlp.decode(raw), None, "slots"):
        seat, number, commitment = list_of(item, 3, "slot")
        found.append(
            Slot(
                uint_of(seat, "seat", 2),
                uint_of(number, "number", 8),
                Commitment.decode(commitment),
            )
        )
    seats = [one.seat for one in found]
    if len(found) > MAX_SIZE or any(a >= b for a, b in pairwise(seats)):
        raise Malformed(f"slots are of at most {MAX_SIZE} seats, each once, in order", "slots")
    return tuple(found)


def commitments_of(slots: Sequence[Slot]) -> Mapping[int, Commitment]:
    """Give the list of commitments that FROST signs under."""
    return {one.seat: one.commitment for one in slots}


def write_seats(seats: frozenset[int]) -> bytes:
    """Write a set of seats: 8 bytes, bit i−1 for seat i."""
    return sum(1 << (seat - 1) for seat in seats).to_bytes(MAX_SIZE // 8, "big")


def read_seats(raw: bytes) -> frozenset[int]:
    """Read a set of seats.

    Raises:
        Malformed: another length.
    """
    if len(raw) != MAX_SIZE // 8:
        raise Malformed(f"a set of seats has {MAX_SIZE // 8} bytes, got {len(raw)}")
    bits = int.from_bytes(raw, "big")
    return frozenset(seat for seat in range(1, MAX_SIZE + 1) if bits >> (seat - 1) & 1)
