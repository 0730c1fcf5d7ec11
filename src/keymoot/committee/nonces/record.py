"""Nonces for FROST: what seats have posted, and which of them one signature is made of."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed
from keymoot.base.forms import U16, U64, AtMost, Check
from keymoot.base.record import Record
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.frost import Commitment

NONCE_BATCH_SIZE = 32
"""Commitments that a seat posts at once."""

_POINT = EDWARDS25519.POINT_BYTES

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


def _each_once(slots: Sequence[SignerCommitment]) -> None:
    seats = [slot.seat for slot in slots]
    if any(a >= b for a, b in pairwise(seats)):
        raise Malformed("slots are of seats in rising order, each once")


@dataclass(frozen=True, slots=True)
class SignerCommitments(Record):
    """The pairs of nonces that one signature is made of: one of each signer, in order of seats."""

    BARE = True

    slots: Annotated[tuple[SignerCommitment, ...], AtMost(MAX_SIZE), Check(_each_once)]


def commitments_of(slots: Sequence[SignerCommitment]) -> Mapping[int, Commitment]:
    return {slot.seat: slot.commitment for slot in slots}


class SeatBits(Fixed):
    """A set of seats in 8 bytes: bit i−1 stands for seat i."""

    LENGTH = MAX_SIZE // 8
    __slots__ = ()

    @staticmethod
    def of(seats: frozenset[int]) -> "SeatBits":
        bits = sum(1 << (seat - 1) for seat in seats)
        return SeatBits(bits.to_bytes(SeatBits.LENGTH, "big"))

    @property
    def seats(self) -> frozenset[int]:
        bits = int.from_bytes(self, "big")
        return frozenset(seat for seat in range(1, MAX_SIZE + 1) if bits >> (seat - 1) & 1)


@dataclass(frozen=True, slots=True)
class NoncePool(Record):
    """What one seat has posted in its present start.

    `cursor` is the number of its next commitment to bind, `end` of the first not posted.
    """

    REMEMBERED = 256

    cursor: U64 = 0
    end: U64 = 0

    def __post_init__(self) -> None:
        if self.left < 0:
            raise Malformed("a pool ends before its cursor")

    @property
    def left(self) -> int:
        return self.end - self.cursor


class NonceBatch(Fixed):
    """What a seat posts at once: commitments, each of two points, one behind the other."""

    LENGTH = NONCE_BATCH_SIZE * 2 * _POINT
    __slots__ = ()

    @staticmethod
    def of(commitments: Iterable[Commitment]) -> "NonceBatch":
        points = [point for made in commitments for point in (made.hiding, made.binding)]
        return NonceBatch(b"".join(points))

    def commitment(self, place: int) -> Commitment:
        at = place * 2 * _POINT
        return Commitment(self[at : at + _POINT], self[at + _POINT : at + 2 * _POINT])
