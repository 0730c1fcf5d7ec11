"""Key generation on the ledger: four phases, in which every seat speaks once.

Hashes, openings, verdicts (complaints, or none), votes; `threshold.dkg` has the steps.
A phase ends when all seats have spoken that are still in, or when it has lasted
`PATIENCE_BLOCKS` and `PATIENCE_SECONDS` and enough have: then the silent ones stay out of
this attempt. Too few leave nothing but a new attempt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat_lists import item_of_pairs, item_of_seats, pairs_of, seats_of
from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.dkg import HASH_BYTES, Opening
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root
from keymoot.threshold.session import Session

PATIENCE_BLOCKS = 4
PATIENCE_SECONDS = 20
"""How long a phase waits for silent seats: so many heights and so many seconds of block time."""

MAX_COMPLAINTS = 64


class Phase(IntEnum):
    """Where a key generation stands."""

    HASHES = 0
    OPENINGS = 1
    VERDICTS = 2
    VOTES = 3
    DONE = 4


@dataclass(frozen=True, slots=True)
class Keygen:
    """The page of a key generation.

    Attributes:
        phase: What is being said now.
        attempt: How many failed before.
        since_height: When the phase began.
        since_time: When the phase began, block time.
        said: The seats that have spoken in this phase.
        hashes: What seats bound themselves to.
        out: Seats that are out of this attempt.
        votes: For which roots (their digest) seats have voted.
    """

    phase: Phase
    attempt: int
    since_height: Height
    since_time: UnixSeconds
    said: frozenset[int] = frozenset()
    hashes: Mapping[int, bytes] | None = None
    out: frozenset[int] = frozenset()
    votes: Mapping[int, bytes] | None = None

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                uint(self.phase),
                uint(self.attempt),
                uint(self.since_height),
                uint(self.since_time),
                item_of_seats(self.said),
                item_of_pairs(self.hashes or {}),
                item_of_seats(self.out),
                item_of_pairs(self.votes or {}),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Keygen":
        """Read the page.

        Raises:
            Malformed: not a key generation.
        """
        fields = list_of(rlp.decode(raw), 8, "keygen")
        phase = uint_of(fields[0], "phase", 1)
        if phase > Phase.DONE:
            raise Malformed(f"no phase has the number {phase}", "phase")
        return Keygen(
            Phase(phase),
            uint_of(fields[1], "attempt", 4),
            Height(uint_of(fields[2], "sinceHeight", 8)),
            UnixSeconds(uint_of(fields[3], "sinceTime", 8)),
            seats_of(fields[4], "said"),
            _words_of(fields[5]),
            seats_of(fields[6], "out"),
            _words_of(fields[7]),
        )

    def speaks(self, seat: int) -> bool:
        """Tell whether a seat is to speak in this phase."""
        if self.phase is Phase.DONE or seat in self.said or seat in self.out:
            return False
        # whoever bound himself to nothing has nothing to open, but may judge and vote
        return self.phase is not Phase.OPENINGS or seat in (self.hashes or {})

    def overdue(self, height: Height, time: UnixSeconds) -> bool:
        """Tell whether the phase has waited long enough for silent seats."""
        return height - self.since_height >= PATIENCE_BLOCKS and self.stale(time)

    def stale(self, time: UnixSeconds) -> bool:
        """Tell whether the phase has lasted long enough, if blocks have come meanwhile."""
        return time - self.since_time >= PATIENCE_SECONDS

    def next(self, height: Height, time: UnixSeconds) -> "Keygen":
        """Give the next phase."""
        return replace(
            self,
            phase=Phase(self.phase + 1),
            since_height=height,
            since_time=time,
            said=frozenset(),
        )

    def again(self, height: Height, time: UnixSeconds) -> "Keygen":
        """Give the next attempt."""
        return Keygen(Phase.HASHES, self.attempt + 1, height, time)


Openings = Mapping[int, tuple[Opening, ...]]
"""What seats opened, one opening for each root."""


@dataclass(frozen=True, slots=True)
class Setting:
    """What the steps of one attempt share.

    Attributes:
        session: Network, generation and attempt.
        committee: How many there are.
        keys: Sealing keys of the epoch, by seat.
    """

    session: Session
    committee: Committee
    keys: Mapping[int, Any]

    def recipients(self, place: int) -> Recipients:
        """Give to whom dealings for root number `place` go."""
        kind, one = ROOTS[place], self.session
        name = f"{one.name}/{kind.name}"
        session = Session(one.network, one.generation, name)
        return Recipients(kind.group, session, kind.degree(self.committee), self.keys)


def read_hashes(body: bytes) -> tuple[bytes, ...]:
    """Read a seat's hashes, one for each root.

    Raises:
        Malformed: another length.
    """
    if len(body) != HASH_BYTES * len(ROOTS):
        raise Malformed(f"the hashes have {HASH_BYTES * len(ROOTS)} bytes, got {len(body)}")
    return tuple(body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES))


def write_openings(openings: tuple[Opening, ...]) -> bytes:
    """Write a seat's openings."""
    return rlp.encode([one.encode() for one in openings])


def read_openings(body: bytes) -> tuple[Opening, ...]:
    """Read a seat's openings, one for each root.

    Raises:
        Malformed: not that.
    """
    found = list_of(rlp.decode(body), len(ROOTS), "openings")
    return tuple(Opening.decode(one) for one in found)


def write_verdict(complaints: list[tuple[int, Complaint]]) -> bytes:
    """Write complaints, each with the place of its root."""
    return rlp.encode([[uint(place), one.encode()] for place, one in complaints])


def read_verdict(body: bytes) -> list[tuple[int, Complaint]]:
    """Read complaints.

    Raises:
        Malformed: not that, or too many.
    """
    found = list_of(rlp.decode(body), None, "verdict")
    if len(found) > MAX_COMPLAINTS * len(ROOTS):
        raise Malformed("too many complaints")
    verdict = []
    for pair in found:
        place, complaint = list_of(pair, 2, "verdict")
        number = uint_of(place, "root", 1)
        if number >= len(ROOTS):
            raise Malformed(f"no root has the number {number}", "root")
        verdict.append((number, Complaint.decode(complaint)))
    return verdict


def check_openings(
    setting: Setting, seat: int, hashes: bytes, openings: tuple[Opening, ...]
) -> None:
    """Check a seat's openings as everyone does.

    Raises:
        Cheated: one is not what was promised, or bad.
    """
    for place, (promised, opening) in enumerate(zip(read_hashes(hashes), openings, strict=True)):
        dkg.check(setting.recipients(place), seat, promised, opening)


def weigh(
    body: bytes, seat: int, out: frozenset[int], judge_one: Callable[[int, Complaint], int]
) -> list[tuple[int, str]]:
    """Say whom a seat's complaints put out, and for what.

    Args:
        body: The seat's verdict.
        seat: Who speaks.
        out: Who is out already.
        judge_one: Gives who is guilty in a complaint over root number so-and-so.

    Raises:
        Malformed: not a verdict.
    """
    found: list[tuple[int, str]] = []
    gone = set(out)
    for place, complaint in read_verdict(body):
        if complaint.accuser != seat:
            found.append((seat, "complained in another's name"))
            gone.add(seat)
            continue
        if complaint.dealer in gone:
            # Others complained over him before; there is nothing left to judge.
            continue
        guilty = judge_one(place, complaint)
        if guilty not in gone:
            what = "complained over a good share" if guilty == seat else "dealt a bad share"
            found.append((guilty, what))
            gone.add(guilty)
    return found


def judge(to: Recipients, complaint: Complaint, made: Dealing | None) -> int:
    """Say who is guilty: the dealer or the accuser; None if he dealt nothing."""
    if made is None:
        return complaint.accuser
    points = dealings.decode_points(to.group, complaint.dealer, made.commitments)
    return dealings.judge(to, complaint, made, points)


def roots_of(setting: Setting, openings: Openings) -> tuple[Root, ...]:
    """Add the dealings that stand into the roots.

    Raises:
        TooFew: too few stand, or they make no key.
    """
    need = setting.committee.present
    found = []
    for place in range(len(ROOTS)):
        to = setting.recipients(place)
        one = {seat: given[place] for seat, given in openings.items()}
        try:
            found.append(dkg.root(to, one, need))
        except Cheated as error:
            raise TooFew("dealings", 0, need) from error
    return tuple(found)


def digest_of(roots: tuple[Root, ...]) -> Hash32:
    """Name the roots for a vote."""
    return keccak256(rlp.encode([root.encode() for root in roots]))


def _words_of(item: rlp.Decoded) -> dict[int, bytes]:
    return {at: bytes_of(one, "value") for at, one in pairs_of(item, "bySeat").items()}
