"""A seat of the committee: whose it is, and the keys of its present start."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from keymoot.attest import simulated
from keymoot.attest.machines import check_known
from keymoot.base.fixed import Bytes32
from keymoot.base.forms import LATER, AtMost, Check
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.threshold.secp256k1 import SECP256K1

POINT_BYTES = SECP256K1.POINT_BYTES


def _check_vendor(vendor: str) -> None:
    check_known((vendor,))


VendorName: TypeAlias = Annotated[str, AtMost(32), Check(_check_vendor), LATER]
"""Who vouches for an enclave; what was written before there were others is SIMULATED."""

Point: TypeAlias = Annotated[bytes, AtMost(POINT_BYTES), Check(SECP256K1.decode)]
"""A point of secp256k1, compressed, that is one."""


@dataclass(frozen=True, slots=True)
class SessionKeys(Record):
    """The keys that a node made when it started; their secrets are in memory only.

    Attributes:
        signing: Ed25519: signs what the node says.
        sealing: A point of secp256k1: presignature dealings are encrypted to it.
    """

    signing: Bytes32
    sealing: Point

    def point(self) -> Any:
        return SECP256K1.decode(self.sealing)


@dataclass(frozen=True, slots=True)
class NewSession(Record):
    """What a seat says that has started anew.

    Attributes:
        before: The signing key of the start that it follows; None: it follows none.
        session: The keys of this one.
    """

    before: Bytes32 | None
    session: SessionKeys


@dataclass(frozen=True, slots=True)
class Seat(Record):
    """One seat.

    Attributes:
        identity: Ed25519: signs answers, and new session keys.
        sealing: A point of secp256k1: root dealings are encrypted to it, for one epoch.
        next: The point for the next epoch; empty until the seat has posted one.
        session: The present start's keys; None after a recovery that did not name them.
        since: The height whose block brought them: they count above it.
        vendor: Who vouched for the enclave when it was taken in; of a founder that has shown no
            evidence yet nobody has, as of a SIMULATED one.
    """

    REMEMBERED = 256

    identity: Bytes32
    sealing: Point
    session: SessionKeys | None
    since: Height
    next: Annotated[bytes, AtMost(POINT_BYTES)] = b""
    vendor: VendorName = simulated.VENDOR


def by_place(points: Mapping[int, bytes]) -> tuple[bytes, ...]:
    """Put seat i's point into place i; the places of others are empty."""
    highest = max(points, default=0)
    return tuple(points.get(seat, b"") for seat in range(1, highest + 1))


def by_seat(places: Sequence[bytes]) -> dict[int, bytes]:
    return {seat: point for seat, point in enumerate(places, 1) if point}
