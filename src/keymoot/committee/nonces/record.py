"""One signer's place in a FROST signature: whose nonce, which one, and what it is committed to."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of
from keymoot.base.forms import U16, U64
from keymoot.base.record import Record
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.frost import Commitment

MAX_COMMITMENTS_BYTES = 128 * MAX_SIZE
"""Longest list of slots, encoded."""


@dataclass(frozen=True, slots=True)
class SignerCommitment(Record):
    """One pair of nonces of one seat, bound to one request.

    Attributes:
        seat: Whose.
        number: Which; numbers of a seat rise, and never come twice in a start.
        commitment: What the seat committed to.
    """

    seat: U16
    number: U64
    commitment: Commitment


def write_commitments(slots: Sequence[SignerCommitment]) -> bytes:
    return rlp.encode([slot.item() for slot in slots])


def read_commitments(raw: bytes) -> tuple[SignerCommitment, ...]:
    """Raise Malformed for too many, or seats that do not rise."""
    commitments = [
        SignerCommitment.of_item(slot) for slot in list_of(rlp.decode(raw), None, "slots")
    ]
    seats = [commitment.seat for commitment in commitments]
    if len(commitments) > MAX_SIZE or any(a >= b for a, b in pairwise(seats)):
        raise Malformed(f"slots are of at most {MAX_SIZE} seats, each once, in order", "slots")
    return tuple(commitments)


def commitments_of(slots: Sequence[SignerCommitment]) -> Mapping[int, Commitment]:
    return {slot.seat: slot.commitment for slot in slots}


def write_seats(seats: frozenset[int]) -> bytes:
    """8 bytes, bit i−1 for seat i."""
    return sum(1 << (seat - 1) for seat in seats).to_bytes(MAX_SIZE // 8, "big")


def read_seats(raw: bytes) -> frozenset[int]:
    if len(raw) != MAX_SIZE // 8:
        raise Malformed(f"a set of seats has {MAX_SIZE // 8} bytes, got {len(raw)}")
    bits = int.from_bytes(raw, "big")
    return frozenset(seat for seat in range(1, MAX_SIZE + 1) if bits >> (seat - 1) & 1)
