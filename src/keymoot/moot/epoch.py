"""An epoch and its end: all roots are shared anew, their public keys stay.

    LIVING → DEALING → VERDICTS → HOLDING → LIVING, one epoch later

Each seat posts a fresh sealing key while an epoch lives, deals its shares to the keys of
the next one, says which dealings are bad, and says when it holds its new shares. With n−f
holders the epoch changes in one block; with fewer the attempt is dropped, and the old
shares serve on. `threshold.reshare` has the steps.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat import POINT_BYTES
from keymoot.threshold import reshare
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.errors import TooFew
from keymoot.threshold.root import Root
from keymoot.threshold.session import Session

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
        keys: Sealing keys of the next epoch by seat, fixed when dealing begins.
        votes: Which new roots (their digest) a seat holds shares of.
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
                [uint(seat) for seat in sorted(self.wants)],
                [uint(seat) for seat in sorted(self.said)],
                [uint(seat) for seat in sorted(self.out)],
                list(self.keys),
                [[uint(seat), self.votes[seat]] for seat in sorted(self.votes)],
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Epoch":
        """Read the page.

        Raises:
            Malformed: not an epoch.
        """
        fields = list_of(rlp.decode(raw), 12, "epoch")
        stage = uint_of(fields[3], "stage", 1)
        if stage > Stage.HOLDING:
            raise Malformed(f"no stage has the number {stage}", "stage")
        votes = {}
        for pair in list_of(fields[11], None, "votes"):
            seat, vote = list_of(pair, 2, "votes")
            votes[uint_of(seat, "seat", 2)] = bytes_of(vote, "vote", Hash32.LENGTH)
        return Epoch(
            uint_of(fields[0], "number", 8),
            Height(uint_of(fields[1], "sinceHeight", 8)),
            UnixSeconds(uint_of(fields[2], "sinceTime", 8)),
            Stage(stage),
            Height(uint_of(fields[4], "stageHeight", 8)),
            UnixSeconds(uint_of(fields[5], "stageTime", 8)),
            uint_of(fields[6], "attempt", 4),
            _seats(fields[7]),
            _seats(fields[8]),
            _seats(fields[9]),
            tuple(bytes_of(key, "key", POINT_BYTES) for key in list_of(fields[10], None, "keys")),
            votes,
        )

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
    """

    generation: Hash32
    attempt: int

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode([self.generation, uint(self.attempt)])

    @staticmethod
    def decode(raw: bytes) -> "Origin":
        """Read the page.

        Raises:
            Malformed: not an origin.
        """
        generation, attempt = list_of(rlp.decode(raw), 2, "origin")
        return Origin(fixed_of(generation, Hash32, "generation"), uint_of(attempt, "attempt", 4))


Dealings = Mapping[int, tuple[Dealing, ...]]
"""What seats dealt, one dealing for each root."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the steps from one epoch to the next share.

    Attributes:
        session: Network, generation, the next epoch's number and the attempt.
        committee: How many there are.
        keys: Sealing keys of the next epoch, by seat.
        roots: The roots, in the order of `ROOTS`.
    """

    session: Session
    committee: Committee
    keys: Mapping[int, Any]
    roots: tuple[Root, ...]

    def recipients(self, place: int) -> Recipients:
        """Give to whom dealings for root number `place` go."""
        kind, one = ROOTS[place], self.session
        session = Session(one.network, one.generation, f"{one.name}/{kind.name}")
        return Recipients(kind.group, session, kind.degree(self.committee), self.keys)

    def check(self, seat: int, given: tuple[Dealing, ...]) -> None:
        """Check a seat's dealings as everyone does.

        Raises:
            Cheated: one is bad, or of something else than the seat's share.
        """
        for place, one in enumerate(given):
            reshare.check(self.recipients(place), self.roots[place], seat, one)

    def chosen(self, place: int, given: Dealings) -> dict[int, Dealing]:
        """Give the dealings that make the new shares: the first degree+1 that stand.

        Raises:
            TooFew: too few stand.
        """
        need = self.roots[place].degree + 1
        if len(given) < need:
            raise TooFew("dealings", len(given), need)
        return {seat: given[seat][place] for seat in sorted(given)[:need]}

    def next_roots(self, given: Dealings) -> tuple[Root, ...]:
        """Compute the roots of the next epoch.

        Raises:
            TooFew: too few dealings stand.
        """
        return tuple(
            reshare.root(self.recipients(place), self.roots[place], self.chosen(place, given))
            for place in range(len(ROOTS))
        )


def write_dealings(given: tuple[Dealing, ...]) -> bytes:
    """Write a seat's dealings."""
    return rlp.encode([one.encode() for one in given])


def read_dealings(raw: bytes) -> tuple[Dealing, ...]:
    """Read a seat's dealings, one for each root.

    Raises:
        Malformed: not that.
    """
    return tuple(Dealing.decode(one) for one in list_of(rlp.decode(raw), len(ROOTS), "dealings"))


def write_turn(number: int, attempt: int, content: bytes = b"") -> bytes:
    """Write what a seat says in an attempt to reach epoch `number`."""
    return rlp.encode([uint(number), uint(attempt), content])


def read_turn(body: bytes) -> tuple[int, int, bytes]:
    """Read what a seat says in an attempt to reach an epoch.

    Raises:
        Malformed: not that.
    """
    number, attempt, content = list_of(rlp.decode(body), 3, "turn")
    return (
        uint_of(number, "number", 8),
        uint_of(attempt, "attempt", 4),
        bytes_of(content, "content"),
    )


def _seats(item: rlp.Decoded) -> frozenset[int]:
    return frozenset(uint_of(seat, "seat", 2) for seat in list_of(item, None, "seats"))
