"""Who sits in the committee, in which generation, with which roots: typed access to pages."""

from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Any

from keymoot.attest.evidence import ReportData
from keymoot.attest.vendors import NOTHING_POSTED, Posted
from keymoot.base.errors import Defect
from keymoot.base.fixed import NetworkId
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.attestation import Attestation
from keymoot.committee.errors import NotReady
from keymoot.committee.page_store import Pages
from keymoot.committee.pages import (
    ATTESTATION,
    HEAD,
    NEXT_ROOT,
    ROOT,
    SEAT,
    VOTED_DIGEST,
    PageName,
)
from keymoot.committee.record import Cheat, CommitteeRecord
from keymoot.committee.roots import ROOTS
from keymoot.committee.seat import Seat
from keymoot.threshold.committee import Committee
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

MAX_CHEATS = 64
"""Names remembered; the log has the rest."""


class CommitteeState:
    """Reads and writes the pages that every part of the committee needs.

    Attributes:
        posted: What vendors publish, as it stands elsewhere on the ledger; only for executing
            messages.
    """

    def __init__(self, pages: Pages, network: NetworkId, posted: Posted = NOTHING_POSTED) -> None:
        self.pages = pages
        self.network = network
        self.posted = posted

    @property
    def founded(self) -> bool:
        return HEAD.stands(self.pages)

    @property
    def record(self) -> CommitteeRecord:
        record = HEAD.read(self.pages)
        if record is None:
            raise NotReady
        return record

    @record.setter
    def record(self, record: CommitteeRecord) -> None:
        HEAD.write(self.pages, record)

    @property
    def committee(self) -> Committee:
        return _committee(self.record.members)

    def seat(self, index: int) -> Seat:
        seat = SEAT.of(index).read(self.pages)
        if seat is None:
            raise Defect(f"there is no seat {index}")
        return seat

    def has_seat(self, index: int) -> bool:
        return self.founded and index in self.record.members

    def put_seat(self, index: int, seat: Seat) -> None:
        SEAT.of(index).write(self.pages, seat)

    def take_seats(self, seats: Mapping[int, Seat]) -> None:
        """Seat these members and no others."""
        record = self.record
        for index in record.members:
            if index not in seats:
                SEAT.of(index).remove(self.pages)
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
        return ATTESTATION.read(self.pages) or Attestation()

    @attestation.setter
    def attestation(self, attestation: Attestation) -> None:
        ATTESTATION.write(self.pages, attestation)

    @property
    def most_per_maker(self) -> int:
        """How many seats one maker of enclaves may hold; 0: nothing is asked."""
        return self.attestation.demands.most_per_maker

    def vendor_of(self, evidence: bytes, report: ReportData, time: UnixSeconds) -> str:
        """Give who vouches for evidence that suffices; else what `Attestation.check` raises."""
        return self.attestation.check(evidence, report, time, self.posted)

    def vendors(self) -> dict[int, str]:
        """Give who vouched for each member, by seat."""
        return {index: seat.vendor for index, seat in self.seats().items()}

    # -- roots

    @property
    def ready(self) -> bool:
        return VOTED_DIGEST.stands(self.pages)

    def root(self, name: str) -> Root:
        """Raise NotReady until the roots are voted for."""
        root = ROOT[name].read(self.pages)
        if root is None or not self.ready:
            raise NotReady
        return root

    def put_roots(self, roots: tuple[Root, ...] | None) -> None:
        """Write the roots that are voted for now, or take them back."""
        self._put_roots(ROOT, roots)

    def put_next_roots(self, roots: tuple[Root, ...] | None) -> None:
        """Write the roots of the next epoch, or take them back."""
        self._put_roots(NEXT_ROOT, roots)

    def _put_roots(
        self, names: Mapping[str, PageName[Root]], roots: tuple[Root, ...] | None
    ) -> None:
        for place, kind in enumerate(ROOTS):
            if roots is None:
                names[kind.name].remove(self.pages)
            else:
                names[kind.name].write(self.pages, roots[place])

    def take_next_roots(self) -> None:
        for kind in ROOTS:
            ROOT[kind.name].take(self.pages, NEXT_ROOT[kind.name])
            NEXT_ROOT[kind.name].remove(self.pages)


_committee = lru_cache(maxsize=64)(Committee)
"""Members change seldom, and making a committee is pure."""
