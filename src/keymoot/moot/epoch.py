"""An epoch and its end: all roots are shared anew, their public keys stay.

    LIVING → DEALING → VERDICTS → HOLDING → LIVING, one epoch later

Each seat posts a fresh sealing key while an epoch lives. The members deal their shares to
the keys of the next ones; these say which dealings are bad, and when they hold their new
shares. With n−f holders of the next members the epoch changes in one block, which the members
before certify; with fewer the attempt is dropped, and the old shares serve on.
`threshold.reshare` has the steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, optional_fixed_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.seat import POINT_BYTES, by_seat
from keymoot.moot.seat_lists import item_of_pairs, item_of_seats, pairs_of, seats_of
from keymoot.threshold.committee import Committee
from keymoot.threshold.errors import BadCommittee

PATIENCE_BLOCKS = 4
PATIENCE_SECONDS = 10
"""How long a stage waits for silent seats: so many heights and so many seconds of block time."""

RETRY_SECONDS = 60
"""How long an epoch whose end failed lives on before the next attempt."""


class Stage(IntEnum):
    """What an epoch is doing."""

    LIVING = 0
    DEALING = 1
    VERDICTS = 2
    HOLDING = 3


@dataclass(frozen=True, slots=True)
class Epoch:
    """The page of the living epoch.

    Attributes:
        number: Its number; 0 is the one of the key generation.
        since_height: The block that began it.
        since_time: That block's time.
        stage: What is being said now.
        stage_height: When the stage began.
        stage_time: When the stage began, block time.
        attempt: How many attempts to end it failed.
        wants: Seats that want it to end now.
        said: Seats that have spoken in this stage.
        out: Seats whose dealings are out of this attempt.
        keys: Sealing keys of the next epoch, seat i's in place i, fixed when dealing begins;
            places of seats that the next epoch does not have are empty.
        votes: Which new roots (their digest) a seat holds shares of.
        generation: In which dealing began; None while the epoch lives.
    """

    number: int
    since_height: Height
    since_time: UnixSeconds
    stage: Stage = Stage.LIVING
    stage_height: Height = Height(0)
    stage_time: UnixSeconds = UnixSeconds(0)
    attempt: int = 0
    wants: frozenset[int] = frozenset()
    said: frozenset[int] = frozenset()
    out: frozenset[int] = frozenset()
    keys: tuple[bytes, ...] = ()
    votes: Mapping[int, bytes] = field(default_factory=dict)
    generation: Hash32 | None = None

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.number),
                uint(self.since_height),
                uint(self.since_time),
                uint(self.stage),
                uint(self.stage_height),
                uint(self.stage_time),
                uint(self.attempt),
                item_of_seats(self.wants),
                item_of_seats(self.said),
                item_of_seats(self.out),
                list(self.keys),
                item_of_pairs(self.votes),
                self.generation or b"",
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Epoch":
        """Read the page.

        Raises:
            Malformed: not an epoch.
        """
        fields = list_of(rlp.decode(raw), 13, "epoch")
        stage = uint_of(fields[3], "stage", 1)
        if stage > Stage.HOLDING:
            raise Malformed(f"no stage has the number {stage}", "stage")
        return Epoch(
            uint_of(fields[0], "number", 8),
            Height(uint_of(fields[1], "sinceHeight", 8)),
            UnixSeconds(uint_of(fields[2], "sinceTime", 8)),
            Stage(stage),
            Height(uint_of(fields[4], "stageHeight", 8)),
            UnixSeconds(uint_of(fields[5], "stageTime", 8)),
            uint_of(fields[6], "attempt", 4),
            seats_of(fields[7], "wants"),
            seats_of(fields[8], "said"),
            seats_of(fields[9], "out"),
            tuple(bytes_of(key, "key", POINT_BYTES) for key in list_of(fields[10], None, "keys")),
            _votes_of(fields[11]),
            optional_fixed_of(fields[12], Hash32, "generation"),
        )

    @property
    def next_seats(self) -> tuple[int, ...]:
        """The seats of the next epoch, once dealing has begun."""
        return tuple(by_seat(self.keys))

    def overdue(self, height: Height, time: UnixSeconds) -> bool:
        """Tell whether the stage has waited long enough for silent seats."""
        return height - self.stage_height >= PATIENCE_BLOCKS and self.stale(time)

    def stale(self, time: UnixSeconds) -> bool:
        """Tell whether the stage has lasted long enough, if blocks have come meanwhile."""
        return time - self.stage_time >= PATIENCE_SECONDS

    def over(self, time: UnixSeconds, seconds: int) -> bool:
        """Tell whether an epoch of so many seconds is over, and no attempt just failed."""
        if self.attempt and time - self.stage_time < RETRY_SECONDS:
            return False
        return time - self.since_time >= seconds

    def at(self, stage: Stage, height: Height, time: UnixSeconds) -> "Epoch":
        """Give the epoch in another stage."""
        return replace(self, stage=stage, stage_height=height, stage_time=time, said=frozenset())

    def dropped(self, height: Height, time: UnixSeconds) -> "Epoch":
        """Give the epoch after an attempt that failed."""
        return Epoch(
            self.number,
            self.since_height,
            self.since_time,
            Stage.LIVING,
            height,
            time,
            self.attempt + 1,
        )


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the living epoch's shares come from: what a seat needs to compute its own again.

    Attributes:
        generation: In which the dealings were made.
        attempt: The attempt that succeeded.
        dealers: The members before, who dealt.
    """

    generation: Hash32
    attempt: int
    dealers: Committee

    def encode(self) -> bytes:
        """Give the page."""
        seats: rlp.Item = [uint(seat) for seat in self.dealers.indices]
        return rlp.encode([self.generation, uint(self.attempt), seats])

    @staticmethod
    def decode(raw: bytes) -> "Origin":
        """Read the page.

        Raises:
            Malformed: not an origin.
        """
        generation, attempt, dealers = list_of(rlp.decode(raw), 3, "origin")
        try:
            committee = Committee.among(seats_of(dealers, "dealers"))
        except BadCommittee as error:
            raise Malformed(str(error), "dealers") from error
        return Origin(
            fixed_of(generation, Hash32, "generation"),
            uint_of(attempt, "attempt", 4),
            committee,
        )


def _votes_of(item: rlp.Decoded) -> dict[int, bytes]:
    pairs = pairs_of(item, "votes").items()
    return {seat: bytes_of(one, "votes", Hash32.LENGTH) for seat, one in pairs}
