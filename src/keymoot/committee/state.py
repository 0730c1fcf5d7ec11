"""Who sits in the committee, in which generation, with which roots: typed access to pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Annotated, Any

from keymoot.base import rlp
from keymoot.base.errors import Defect, Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.forms import U16, U32, U64, Cut
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.committee.attestation import ATTESTATION, Attestation
from keymoot.committee.errors import NotReady
from keymoot.committee.pages import Pages
from keymoot.committee.roots import ROOTS
from keymoot.committee.seat import Seat
from keymoot.committee.seat_lists import Seats
from keymoot.threshold.committee import Committee
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

HEAD = "head"
MAX_CHEATS = 64
"""Names remembered; the log has the rest."""


@dataclass(frozen=True, slots=True)
class Cheat(Record):
    """Somebody who was caught, and the rule that was broken."""

    seat: U16
    height: Height
    what: Annotated[str, Cut(256)]


@dataclass(frozen=True, slots=True)
class CommitteeRecord(Record):
    """The page on which everything else hangs.

    Attributes:
        members: The seats of those who keep the keys, in rising order; there may be gaps.
        generation: Names the recovery since which one-time secrets live; zeros at first.
        recoveries: How many there were.
        out: Seats that deal no more in this generation, for they cheated.
        cheats: Who was caught, the newest last.
        epoch_seconds: How long an epoch lives before the roots are shared anew.
        since: The block in which the generation began; 0 at first.
    """

    REMEMBERED = 64

    members: tuple[U16, ...]
    generation: Hash32
    recoveries: U32
    out: Seats
    cheats: tuple[Cheat, ...]
    epoch_seconds: U64
    since: Height = Height(0)


class CommitteeState:
    """Reads and writes the pages that every part of the committee needs."""

    def __init__(self, pages: Pages, network: NetworkId) -> None:
        self.pages = pages
        self.network = network

    @property
    def founded(self) -> bool:
        return self.pages.get(HEAD) is not None

    @property
    def record(self) -> CommitteeRecord:
        raw = self.pages.get(HEAD)
        if raw is None:
            raise NotReady
        return CommitteeRecord.decode(raw)

    @record.setter
    def record(self, record: CommitteeRecord) -> None:
        self.pages.set(HEAD, record.encode())

    @property
    def committee(self) -> Committee:
        return _committee(self.record.members)

    def seat(self, index: int) -> Seat:
        raw = self.pages.get(f"seat/{index}")
        if raw is None:
            raise Defect(f"there is no seat {index}")
        return Seat.decode(raw)

    def has_seat(self, index: int) -> bool:
        return self.founded and index in self.record.members

    def put_seat(self, index: int, seat: Seat) -> None:
        self.pages.set(f"seat/{index}", seat.encode())

    def take_seats(self, seats: Mapping[int, Seat]) -> None:
        """Seat these members and no others."""
        record = self.record
        for index in record.members:
            if index not in seats:
                self.pages.set(f"seat/{index}", None)
        for index, seat in seats.items():
            self.put_seat(index, seat)
        # a number that is given anew is not to blame for who had it before
        self.record = replace(record, members=tuple(sorted(seats)), out=record.out & seats.keys())

    def seats(self) -> dict[int, Seat]:
        return {index: self.seat(index) for index in self.committee.indices}

    def epoch_keys(self) -> dict[int, Any]:
        return {at: SECP256K1.decode(seat.sealing) for at, seat in self.seats().items()}

    def session(self, name: str) -> Session:
        return Session(self.network, self.record.generation, name)

    def caught(self, seat: int, height: Height, what: str, *, out: bool) -> None:
        """Write down who cheated; `out` keeps him from dealing in this generation."""
        record = self.record
        cheats = (*record.cheats, Cheat(seat, height, what[:200]))[-MAX_CHEATS:]
        banned = record.out | {seat} if out else record.out
        self.record = replace(record, cheats=cheats, out=banned)

    @property
    def attestation(self) -> Attestation:
        """What evidence has to show of whoever is to keep keys; nothing suffices unless said."""
        raw = self.pages.get(ATTESTATION)
        return Attestation() if raw is None else Attestation.decode(raw)

    @attestation.setter
    def attestation(self, attestation: Attestation) -> None:
        self.pages.set(ATTESTATION, attestation.encode())

    # -- roots

    @property
    def ready(self) -> bool:
        return self.pages.get("roots/voted") is not None

    def root(self, name: str) -> Root:
        """Raise NotReady until the roots are voted for."""
        raw = self.pages.get(f"root/{name}")
        if raw is None or not self.ready:
            raise NotReady
        return read_root(name, raw)

    def put_roots(self, roots: tuple[Root, ...] | None) -> None:
        """Write the roots that are voted for now, or take them back."""
        self._put_roots("root", roots)

    def put_next_roots(self, roots: tuple[Root, ...] | None) -> None:
        """Write the roots of the next epoch, or take them back."""
        self._put_roots("next", roots)

    def _put_roots(self, which: str, roots: tuple[Root, ...] | None) -> None:
        for place, kind in enumerate(ROOTS):
            content = None if roots is None else rlp.encode(roots[place].encode())
            self.pages.set(f"{which}/{kind.name}", content)

    def take_next_roots(self) -> None:
        for kind in ROOTS:
            self.pages.set(f"root/{kind.name}", self.pages.get(f"next/{kind.name}"))
            self.pages.set(f"next/{kind.name}", None)


_committee = lru_cache(maxsize=64)(Committee)
"""Members change seldom, and making a committee is pure."""


@lru_cache(maxsize=64)
def read_root(name: str, raw: bytes) -> Root:
    for kind in ROOTS:
        if kind.name == name:
            return Root.decode(kind.group, rlp.decode(raw))
    raise Malformed(f'there is no root "{name}"')
