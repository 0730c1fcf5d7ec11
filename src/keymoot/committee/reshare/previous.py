"""The last epoch whose shares all members held, kept until all hold those of the living one.

A switch needs n−f holders, and f of these may lie: a dealer whose box for a seat was bad, and who
then falls silent, leaves too few shares. So what the old shares are computed from stays public
until every member has said that it holds living ones, over more than one switch where a member
stays away. A recovery before that goes back. Who stays away for good is to be voted out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated

from keymoot.base.errors import Defect
from keymoot.base.forms import ENCODED, U16, AtMost
from keymoot.base.record import Record
from keymoot.committee.reshare.record import Epoch, Origin
from keymoot.committee.roots import ROOTS
from keymoot.committee.seat import Seat
from keymoot.committee.seat_lists import Seats
from keymoot.committee.state import CommitteeState
from keymoot.threshold.committee import MAX_SIZE, Committee

BEFORE = "before"


@dataclass(frozen=True, slots=True)
class KeptEpoch(Record):
    """The page of the epoch before: of the last one that all its members held.

    Attributes:
        epoch: Its page, as it was when it ended.
        members: Who kept its keys.
        digest: Of its roots, as they were voted for.
        origin: Page of where its shares come from; empty for the key generation.
        holders: Members of the living epoch that hold its shares.
    """

    REMEMBERED = 64

    epoch: Annotated[Epoch, ENCODED]
    members: Annotated[tuple[U16, ...], AtMost(MAX_SIZE)]
    digest: Annotated[bytes, AtMost(32)]
    origin: bytes
    holders: Annotated[Seats, AtMost(MAX_SIZE)]

    @property
    def committee(self) -> Committee:
        return Committee(self.members)


class PreviousEpoch:
    """What a state keeps of the epoch before the living one."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    @property
    def page(self) -> KeptEpoch | None:
        """The page; None where nothing is kept: all members hold the living shares."""
        raw = self._state.pages.get(BEFORE)
        return None if raw is None else KeptEpoch.decode(raw)

    def seat(self, index: int) -> Seat | None:
        raw = self._state.pages.get(_seat_page(index))
        return None if raw is None else Seat.decode(raw)

    def seats(self) -> dict[int, Seat]:
        page = self.page
        former = {index: self.seat(index) for index in (() if page is None else page.members)}
        return {index: seat for index, seat in former.items() if seat is not None}

    def names(self) -> Iterator[str]:
        yield BEFORE
        page = self.page
        if page is not None:
            yield from (_root_page(kind.name) for kind in ROOTS)
            yield from (_seat_page(index) for index in page.members)
            yield from _sources(page)

    def keep(self, page: KeptEpoch, following: Iterable[int]) -> None:
        """Keep the living epoch, which ends; or go on keeping the one that is kept.

        `page` has who holds shares of the next epoch, whose members are `following`.
        """
        pages, kept = self._state.pages, self.page
        if kept is not None:
            # Nothing goes back to the living epoch: not all members held its shares.
            for name in _sources(page):
                pages.set(name, None)
            pages.set(BEFORE, replace(kept, holders=page.holders).encode())
            self._settle(following)
            return
        for kind in ROOTS:
            pages.set(_root_page(kind.name), pages.get(f"root/{kind.name}"))
        for index, seat in self._state.seats().items():
            pages.set(_seat_page(index), seat.encode())
        pages.set(BEFORE, page.encode())
        self._settle(following)

    def hold(self, seat: int) -> None:
        """Note that a member holds the living shares: with the last one nothing is kept."""
        page = self.page
        if page is not None:
            held = replace(page, holders=page.holders | {seat})
            self._state.pages.set(BEFORE, held.encode())
            self._settle(self._state.committee.indices)

    def forget(self) -> None:
        """Remove what is kept, and what its shares could be computed from."""
        for name in list(self.names()):
            self._state.pages.set(name, None)

    def _settle(self, members: Iterable[int]) -> None:
        page = self.page
        if page is not None and page.holders.issuperset(members):
            self.forget()

    def restore(self, seats: Mapping[int, Seat]) -> KeptEpoch:
        """Put its roots, and its seats with their present starts, in the living ones' place."""
        page, pages = self.page, self._state.pages
        if page is None:
            raise Defect("the epoch before is not kept")
        for kind in ROOTS:
            pages.set(f"root/{kind.name}", pages.get(_root_page(kind.name)))
        pages.set("roots/voted", page.digest)
        self._state.take_seats(seats)
        for name in (BEFORE, *(_root_page(kind.name) for kind in ROOTS)):
            pages.set(name, None)
        for index in page.members:
            pages.set(_seat_page(index), None)
        return page


def dealing_page(number: int, seat: int) -> str:
    return f"dealing/{number}/{seat}"


def _sources(page: KeptEpoch) -> Iterator[str]:
    if not page.origin:
        yield from (f"opening/{seat}" for seat in page.members)
        return
    dealers = Origin.decode(page.origin).dealers
    yield from (dealing_page(page.epoch.number, seat) for seat in dealers.indices)


def _root_page(name: str) -> str:
    return f"before/root/{name}"


def _seat_page(index: int) -> str:
    return f"before/seat/{index}"
