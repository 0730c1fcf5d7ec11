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

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.forms import U32
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
    hashes: BySeat[bytes] = field(default_factory=dict)
    out: Seats = frozenset()
    votes: BySeat[bytes] = field(default_factory=dict)

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


def read_hashes(body: bytes) -> tuple[bytes, ...]:
    if len(body) != HASH_BYTES * len(ROOTS):
        raise Malformed(f"the hashes have {HASH_BYTES * len(ROOTS)} bytes, got {len(body)}")
    return tuple(body[at : at + HASH_BYTES] for at in range(0, len(body), HASH_BYTES))


def write_openings(openings: tuple[Opening, ...]) -> bytes:
    return rlp.encode([opening.item() for opening in openings])


def read_openings(body: bytes) -> tuple[Opening, ...]:
    items = list_of(rlp.decode(body), len(ROOTS), "openings")
    return tuple(Opening.of_item(item) for item in items)


def write_verdict(complaints: list[tuple[int, Complaint]]) -> bytes:
    """Write complaints, each with the place of its root."""
    return rlp.encode([[uint(place), complaint.item()] for place, complaint in complaints])


def read_verdict(body: bytes) -> list[tuple[int, Complaint]]:
    items = list_of(rlp.decode(body), None, "verdict")
    if len(items) > MAX_COMPLAINTS * len(ROOTS):
        raise Malformed("too many complaints")
    verdict = []
    for pair in items:
        place, complaint = list_of(pair, 2, "verdict")
        number = uint_of(place, "root", 1)
        if number >= len(ROOTS):
            raise Malformed(f"no root has the number {number}", "root")
        verdict.append((number, Complaint.of_item(complaint)))
    return verdict


def check_openings(
    setting: RootDealing, seat: int, hashes: bytes, openings: tuple[Opening, ...]
) -> None:
    """Raise Cheated where one is not what was promised, or bad."""
    for place, (promised, opening) in enumerate(zip(read_hashes(hashes), openings, strict=True)):
        dkg.check(setting.recipients(place), seat, promised, opening)


def weigh(
    body: bytes, seat: int, out: frozenset[int], judge_one: Callable[[int, Complaint], int]
) -> list[tuple[int, str]]:
    """Say whom a seat's complaints put out, and for what, in order.

    `judge_one` gives who is guilty in a complaint over root number so-and-so.
    """
    faults: list[tuple[int, str]] = []
    gone = set(out)
    for place, complaint in read_verdict(body):
        if complaint.accuser != seat:
            faults.append((seat, "complained in another's name"))
            gone.add(seat)
            continue
        if complaint.dealer in gone:
            # Others complained over him before; there is nothing left to judge.
            continue
        guilty = judge_one(place, complaint)
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
