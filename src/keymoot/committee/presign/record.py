"""One batch of presignatures on the ledger, from its opening to its last use.

    FIRST → SECOND → ACKS → READY, and away when it is used up or burned

First-round dealings are taken until n−f are there, second-round ones until 2t+1; then
degree+f+1 seats must say that their shares are good. Whoever has started anew since the
batch was opened has no part in it.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, ClassVar

from keymoot.base.errors import Malformed
from keymoot.base.forms import U16, U64, AtMost, Check, Uint
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.phases import Since
from keymoot.threshold.envelope import Complaint

FIRST, SECOND = 1, 2
"""The two rounds of dealing."""


class BatchStage(IntEnum):
    """Where a batch stands."""

    FIRST = 0
    SECOND = 1
    ACKS = 2
    READY = 3


@dataclass(frozen=True, slots=True)
class BatchPage(Record):
    """A batch's page.

    Attributes:
        number: Its name; never given twice in a generation.
        size: Presignatures.
        stage: Where it stands.
        since_height: When the stage began.
        since_time: When the stage began, block time.
        keys: Sealing keys of sessions when it was opened, seat i's in place i; empty where is none.
        first: Dealers of the first round.
        second: Dealers of the second round.
        holders: Seats that hold valid shares, and have not started anew since.
    """

    REMEMBERED = 256

    number: U64
    size: U16
    stage: BatchStage
    since_height: Height
    since_time: UnixSeconds
    keys: tuple[Annotated[bytes, AtMost(33)], ...]
    first: tuple[U16, ...] = ()
    second: tuple[U16, ...] = ()
    holders: tuple[U16, ...] = ()

    def key_of(self, seat: int) -> bytes:
        """Give a seat's key; empty if it had none when the batch was opened."""
        return self.keys[seat - 1] if seat <= len(self.keys) else b""

    @property
    def since(self) -> Since:
        return Since(self.since_height, self.since_time)


def _check_round(round_: int) -> None:
    if round_ not in (FIRST, SECOND):
        raise Malformed(f"a batch has rounds 1 and 2, got {round_}")


@dataclass(frozen=True, slots=True)
class BatchComplaint(Record):
    """What a seat says over a dealing of a batch.

    Attributes:
        batch: Its number.
        round: Of which the dealing is.
        dealer: Whose it is.
        complaint: What is wrong with our box; None where the dealing's public part is bad.
    """

    batch: U64
    round: Annotated[int, Uint(1), Check(_check_round)]
    dealer: U16
    complaint: Complaint | None


@dataclass(frozen=True, slots=True)
class PresignatureId:
    """Names one presignature within a generation."""

    LENGTH: ClassVar[int] = 10

    batch: int
    place: int

    def encode(self) -> bytes:
        return self.batch.to_bytes(8, "big") + self.place.to_bytes(2, "big")

    @staticmethod
    def decode(raw: bytes) -> "PresignatureId":
        if len(raw) != PresignatureId.LENGTH:
            raise Malformed(f"a presignature's name has 10 bytes, got {len(raw)}")
        return PresignatureId(int.from_bytes(raw[:8], "big"), int.from_bytes(raw[8:], "big"))
