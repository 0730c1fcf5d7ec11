"""Key generation on the ledger: five phases, in which every seat speaks once.

First all founders show evidence of what they run; nobody deals before, however long one is
silent, for every seat is dealt to. Then hashes, openings, verdicts (complaints, or none), votes;
`threshold.dkg` has the steps. Such a phase ends when all seats have spoken that are still in, or
when it has lasted `KEYGEN_PATIENCE` and enough have: then the silent ones stay out of this attempt.
Too few leave nothing but a new attempt.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed, Hash32
from keymoot.base.forms import U32, AtMost, Check, Exactly, Uint
from keymoot.base.record import Record
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.phases import Since
from keymoot.committee.roots import ROOTS, RootDealing
from keymoot.committee.seat_lists import BySeat, Seats
from keymoot.crypto.keccak import keccak256
from keymoot.threshold import dealing as dealings
from keymoot.threshold import dkg
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.dkg import HASH_BYTES, Opening
from keymoot.threshold.envelope import Complaint
from keymoot.threshold.errors import Cheated, TooFew
from keymoot.threshold.root import Root

MAX_COMPLAINTS = 64


class Phase(IntEnum):
    """Where a key generation stands."""

    EVIDENCE = 0
    HASHES = 1
    OPENINGS = 2
    VERDICTS = 3
    VOTES = 4
    DONE = 5


class RootHashes(Fixed):
    """What a seat binds itself to: a hash for each root, one behind the other."""

    LENGTH = HASH_BYTES * len(ROOTS)
    __slots__ = ()

    @property
    def of_roots(self) -> tuple[bytes, ...]:
        return tuple(self[at : at + HASH_BYTES] for at in range(0, self.LENGTH, HASH_BYTES))


@dataclass(frozen=True, slots=True)
class Keygen(Record):
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

    REMEMBERED = 64

    phase: Phase
    attempt: U32
    since_height: Height
    since_time: UnixSeconds
    said: Seats = frozenset()
    hashes: BySeat[RootHashes] = field(default_factory=dict)
    out: Seats = frozenset()
    votes: BySeat[Hash32] = field(default_factory=dict)

    def speaks(self, seat: int) -> bool:
        if self.phase is Phase.DONE or seat in self.said or seat in self.out:
            return False
        # whoever bound himself to nothing has nothing to open, but may judge and vote
        return self.phase is not Phase.OPENINGS or seat in self.hashes

    @property
    def since(self) -> Since:
        return Since(self.since_height, self.since_time)

    def next(self, height: Height, time: UnixSeconds) -> "Keygen":
        return replace(
            self,
            phase=Phase(self.phase + 1),
            since_height=height,
            since_time=time,
            said=frozenset(),
        )

    def again(self, height: Height, time: UnixSeconds) -> "Keygen":
        return Keygen(Phase.HASHES, self.attempt + 1, height, time)


Openings = Mapping[int, tuple[Opening, ...]]
"""What seats opened, one opening for each root."""


@dataclass(frozen=True, slots=True)
class RootOpenings(Record):
    """What a seat opens: one opening for each root."""

    BARE = True
    REMEMBERED = 16

    openings: Annotated[tuple[Opening, ...], Exactly(len(ROOTS))]


def _check_root(root: int) -> None:
    if root >= len(ROOTS):
        raise Malformed(f"no root has the number {root}")


@dataclass(frozen=True, slots=True)
class RootComplaint(Record):
    """A complaint over a dealing of one root, by its place among them."""

    root: Annotated[int, Uint(1), Check(_check_root)]
    complaint: Complaint


@dataclass(frozen=True, slots=True)
class RootVerdict(Record):
    """What a seat says of all dealings: its complaints, or none."""

    BARE = True

    complaints: Annotated[tuple[RootComplaint, ...], AtMost(MAX_COMPLAINTS * len(ROOTS))] = ()


def check_openings(
    setting: RootDealing, seat: int, hashes: RootHashes, openings: tuple[Opening, ...]
) -> None:
    """Raise Cheated where one is not what was promised, or bad."""
    for place, (promised, opening) in enumerate(zip(hashes.of_roots, openings, strict=True)):
        dkg.check(setting.recipients(place), seat, promised, opening)


def weigh(
    verdict: RootVerdict,
    seat: int,
    out: frozenset[int],
    guilty_of: Callable[[int, Complaint], int],
) -> list[tuple[int, str]]:
    """Say whom a seat's complaints put out, and for what, in order.

    `guilty_of` gives who is guilty in a complaint over root number so-and-so.
    """
    faults: list[tuple[int, str]] = []
    gone = set(out)
    for place, complaint in [(said.root, said.complaint) for said in verdict.complaints]:
        if complaint.accuser != seat:
            faults.append((seat, "complained in another's name"))
            gone.add(seat)
            continue
        if complaint.dealer in gone:
            # Others complained over him before; there is nothing left to judge.
            continue
        guilty = guilty_of(place, complaint)
        if guilty not in gone:
            what = "complained over a good share" if guilty == seat else "dealt a bad share"
            faults.append((guilty, what))
            gone.add(guilty)
    return faults


def judge(to: Recipients, complaint: Complaint, made: Dealing | None) -> int:
    """Say who is guilty: the dealer, or the accuser, as where the dealer dealt nothing."""
    if made is None:
        return complaint.accuser
    points = dealings.decode_points(to.group, complaint.dealer, made.commitments)
    return dealings.judge(to, complaint, made, points)


def roots_of(setting: RootDealing, openings: Openings) -> tuple[Root, ...]:
    """Raise TooFew where too few dealings stand, or they make no key."""
    need = setting.committee.present
    roots = []
    for place in range(len(ROOTS)):
        to = setting.recipients(place)
        dealings = {seat: given[place] for seat, given in openings.items()}
        try:
            roots.append(dkg.root(to, dealings, need))
        except Cheated as error:
            raise TooFew("dealings", 0, need) from error
    return tuple(roots)


def digest_of(roots: tuple[Root, ...]) -> Hash32:
    return keccak256(rlp.encode([root.encode() for root in roots]))
