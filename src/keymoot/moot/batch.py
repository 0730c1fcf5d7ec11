"""One batch of presignatures on the ledger, from its opening to its last use.

    FIRST → SECOND → ACKS → READY, and away when it is used up or burned

First-round dealings are taken until n−f are there, second-round ones until 2t+1; then
degree+f+1 seats must say that their shares are good. Whoever has started anew since the
batch was opened has no part in it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.units import Height, UnixSeconds

PATIENCE_BLOCKS = 4
PATIENCE_SECONDS = 10
"""How long a round waits for those whose turn it is."""


class Stage(IntEnum):
    """Where a batch stands."""

    FIRST = 0
    SECOND = 1
    ACKS = 2
    READY = 3


@dataclass(frozen=True, slots=True)
class BatchPage:
    """A batch's page.

    Attributes:
        number: Its name; never given twice in a generation.
        size: Presignatures.
        stage: Where it stands.
        since_height: When the stage began.
        since_time: When the stage began, block time.
        keys: Sealing keys of boot when it was opened, seat i's in place i; empty where is none.
        first: Dealers of the first round.
        second: Dealers of the second round.
        holders: Seats that hold valid shares, and have not started anew since.
    """

    number: int
    size: int
    stage: Stage
    since_height: Height
    since_time: UnixSeconds
    keys: tuple[bytes, ...]
    first: tuple[int, ...] = ()
    second: tuple[int, ...] = ()
    holders: tuple[int, ...] = ()

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.number),
                uint(self.size),
                uint(self.stage),
                uint(self.since_height),
                uint(self.since_time),
                list(self.keys),
                [uint(seat) for seat in self.first],
                [uint(seat) for seat in self.second],
                [uint(seat) for seat in self.holders],
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "BatchPage":
        """Read the page.

        Raises:
            Malformed: not a batch.
        """
        fields = list_of(rlp.decode(raw), 9, "batch")
        stage = uint_of(fields[2], "stage", 1)
        if stage > Stage.READY:
            raise Malformed(f"no stage has the number {stage}", "stage")
        return BatchPage(
            uint_of(fields[0], "number", 8),
            uint_of(fields[1], "size", 2),
            Stage(stage),
            Height(uint_of(fields[3], "sinceHeight", 8)),
            UnixSeconds(uint_of(fields[4], "sinceTime", 8)),
            tuple(bytes_of(key, "key", 33) for key in list_of(fields[5], None, "keys")),
            _seats(fields[6]),
            _seats(fields[7]),
            _seats(fields[8]),
        )

    def key_of(self, seat: int) -> bytes:
        """Give a seat's key; empty if it had none when the batch was opened."""
        return self.keys[seat - 1] if seat <= len(self.keys) else b""

    def overdue(self, height: Height, time: UnixSeconds) -> bool:
        """Tell whether the stage has waited long enough for those whose turn it is."""
        return height - self.since_height >= PATIENCE_BLOCKS and self.stale(time)

    def stale(self, time: UnixSeconds) -> bool:
        """Tell whether the stage has lasted long enough, if blocks have come meanwhile."""
        return time - self.since_time >= PATIENCE_SECONDS

    def forgotten(self, height: Height, time: UnixSeconds) -> bool:
        """Tell whether the stage has waited so long that nobody will come."""
        return (
            height - self.since_height >= 2 * PATIENCE_BLOCKS
            and time - self.since_time >= 3 * PATIENCE_SECONDS
        )


@dataclass(frozen=True, slots=True)
class PresignatureId:
    """Names one presignature within a generation."""

    LENGTH: ClassVar[int] = 10

    batch: int
    place: int

    def encode(self) -> bytes:
        """Give 10 bytes."""
        return self.batch.to_bytes(8, "big") + self.place.to_bytes(2, "big")

    @staticmethod
    def decode(raw: bytes) -> "PresignatureId":
        """Read 10 bytes.

        Raises:
            Malformed: another length.
        """
        if len(raw) != PresignatureId.LENGTH:
            raise Malformed(f"a presignature's name has 10 bytes, got {len(raw)}")
        return PresignatureId(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big"))


def _seats(item: rlp.Decoded) -> tuple[int, ...]:
    return tuple(uint_of(seat, "seat", 2) for seat in list_of(item, None, "seats"))
