"""An epoch and its end: all roots are shared anew, their public keys stay.

    LIVING → DEALING → VERDICTS → HOLDING → LIVING, one epoch later

Each seat posts a fresh sealing key while an epoch lives. The members deal their shares to
the keys of the next ones; these say which dealings are bad, and when they hold their new
shares. With n−f holders of the next members the epoch changes in one block, which the members
before certify; with fewer the attempt is dropped, and the old shares serve on.
`threshold.reshare` has the steps.
"""

from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, rising, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.forms import ENCODED, U16, U32, U64, AtMost, Exactly, Form
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.phases import Since
from keymoot.committee.roots import ROOTS
from keymoot.committee.seat import POINT_BYTES, by_seat
from keymoot.committee.seat_lists import BySeat, Seats
from keymoot.threshold.committee import MAX_SIZE, Committee
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.errors import BadCommittee

RETRY_SECONDS = 60
"""How long an epoch whose end failed lives on before the next attempt."""


class EpochStage(IntEnum):
    """What an epoch is doing."""

    LIVING = 0
    DEALING = 1
    VERDICTS = 2
    HOLDING = 3


@dataclass(frozen=True, slots=True)
class Epoch(Record):
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

    REMEMBERED = 64

    number: U64
    since_height: Height
    since_time: UnixSeconds
    stage: EpochStage = EpochStage.LIVING
    stage_height: Height = Height(0)
    stage_time: UnixSeconds = UnixSeconds(0)
    attempt: U32 = 0
    wants: Seats = frozenset()
    said: Seats = frozenset()
    out: Seats = frozenset()
    keys: tuple[Annotated[bytes, AtMost(POINT_BYTES)], ...] = ()
    votes: BySeat[Annotated[bytes, AtMost(Hash32.LENGTH)]] = field(default_factory=dict)
    generation: Hash32 | None = None

    @property
    def next_seats(self) -> tuple[int, ...]:
        """The seats of the next epoch, once dealing has begun."""
        return tuple(by_seat(self.keys))

    @property
    def since(self) -> Since:
        return Since(self.stage_height, self.stage_time)

    def over(self, time: UnixSeconds, seconds: int) -> bool:
        """Tell whether an epoch of so many seconds is over, and no attempt just failed."""
        if self.attempt and time - self.stage_time < RETRY_SECONDS:
            return False
        return time - self.since_time >= seconds

    def at(self, stage: EpochStage, height: Height, time: UnixSeconds) -> "Epoch":
        return replace(self, stage=stage, stage_height=height, stage_time=time, said=frozenset())

    def dropped(self, height: Height, time: UnixSeconds) -> "Epoch":
        return Epoch(
            self.number,
            self.since_height,
            self.since_time,
            EpochStage.LIVING,
            height,
            time,
            self.attempt + 1,
        )


def _read_dealers(item: rlp.Decoded) -> Committee:
    seats = rising([uint_of(seat, "", 2) for seat in list_of(item, None, "")], "")
    try:
        return Committee.among(frozenset(seats))
    except BadCommittee as error:
        raise Malformed(str(error)) from error


def _write_dealers(dealers: Committee) -> rlp.Item:
    return [uint(seat) for seat in dealers.indices]


@dataclass(frozen=True, slots=True)
class Origin(Record):
    """Where the living epoch's shares come from: what a seat needs to compute its own again.

    Attributes:
        generation: In which the dealings were made.
        attempt: The attempt that succeeded.
        dealers: The members before, who dealt.
    """

    REMEMBERED = 16

    generation: Hash32
    attempt: U32
    dealers: Annotated[Committee, Form(_read_dealers, _write_dealers)]


@dataclass(frozen=True, slots=True)
class KeptEpoch(Record):
    """The page of the epoch before: of the last one that all its members held (`previous`).

    Attributes:
        epoch: Its page, as it was when it ended.
        members: Who kept its keys.
        digest: Of its roots, as they were voted for.
        origin: Where its shares come from; None for the key generation.
        holders: Members of the living epoch that hold its shares.
    """

    REMEMBERED = 64

    epoch: Annotated[Epoch, ENCODED]
    members: Annotated[tuple[U16, ...], AtMost(MAX_SIZE)]
    digest: Annotated[bytes, AtMost(32)]
    origin: Annotated[Origin, ENCODED] | None
    holders: Annotated[Seats, AtMost(MAX_SIZE)]

    @property
    def committee(self) -> Committee:
        return Committee(self.members)


@dataclass(frozen=True, slots=True)
class RootDealings(Record):
    """What a member deals towards an epoch: its share of each root."""

    BARE = True
    REMEMBERED = 16

    dealings: Annotated[tuple[Dealing, ...], Exactly(len(ROOTS))]
