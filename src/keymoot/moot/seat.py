"""A seat of the assembly: whose it is, and the keys of its present start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32
from keymoot.base.units import Height
from keymoot.threshold.secp256k1 import SECP256K1

POINT_BYTES = SECP256K1.POINT_BYTES


@dataclass(frozen=True, slots=True)
class Boot:
    """The keys that a node made when it started; their secrets are in memory only.

    Attributes:
        signing: Ed25519: signs what the node says.
        sealing: A point of secp256k1: presignature dealings are encrypted to it.
    """

    signing: Bytes32
    sealing: bytes

    def encode(self) -> rlp.Item:
        """Give the RLP item."""
        return [self.signing, self.sealing]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Boot":
        """Read the RLP item.

        Raises:
            Malformed: not the keys of a start.
        """
        signing, sealing = list_of(item, 2, "boot")
        point = bytes_of(sealing, "sealing", POINT_BYTES)
        SECP256K1.decode(point)
        return Boot(fixed_of(signing, Bytes32, "signing"), point)

    def point(self) -> Any:
        """Give the sealing key as a point."""
        return SECP256K1.decode(self.sealing)


@dataclass(frozen=True, slots=True)
class Seat:
    """One seat.

    Attributes:
        identity: Ed25519: signs answers, and new keys of boot.
        sealing: A point of secp256k1: root dealings are encrypted to it, for one epoch.
        next: The point for the next epoch; empty until the seat has posted one.
        boot: The present start's keys; None after a recovery that did not name them.
        since: The height whose block brought them: they count above it.
    """

    identity: Bytes32
    sealing: bytes
    boot: Boot | None
    since: Height
    next: bytes = b""

    def encode(self) -> bytes:
        """Give the page."""
        boot: rlp.Item = [] if self.boot is None else self.boot.encode()
        return rlp.encode([self.identity, self.sealing, boot, uint(self.since), self.next])

    @staticmethod
    def decode(raw: bytes) -> "Seat":
        """Read the page.

        Raises:
            Malformed: not a seat.
        """
        fields = list_of(rlp.decode(raw), 5, "seat")
        identity, sealing, boot, since, following = fields
        point = bytes_of(sealing, "sealing", POINT_BYTES)
        SECP256K1.decode(point)
        if not isinstance(boot, list):
            raise Malformed("a seat's boot keys are a list", "boot")
        return Seat(
            fixed_of(identity, Bytes32, "identity"),
            point,
            Boot.decode(boot) if boot else None,
            Height(uint_of(since, "since", 8)),
            bytes_of(following, "next", POINT_BYTES),
        )


def by_place(points: Mapping[int, bytes]) -> tuple[bytes, ...]:
    """Put seat i's point into place i; the places of others are empty."""
    highest = max(points, default=0)
    return tuple(points.get(seat, b"") for seat in range(1, highest + 1))


def by_seat(places: Sequence[bytes]) -> dict[int, bytes]:
    """Give the points by seat again."""
    return {seat: point for seat, point in enumerate(places, 1) if point}
