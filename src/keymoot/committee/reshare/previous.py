"""The last epoch whose shares all members held, kept until all hold those of the living one.

A switch needs n−f holders, and f of these may lie: a dealer whose box for a seat was bad, and who
then falls silent, leaves too few shares. So what the old shares are computed from stays public
until every member has said that it holds living ones, over more than one switch where a member
stays away. A recovery before that goes back. Who stays away for good is to be voted out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.fixed import Hash32
from keymoot.committee.pages import (
    DEALINGS,
    KEPT_EPOCH,
    KEPT_ROOT,
    KEPT_SEAT,
    OPENINGS,
    ROOT,
    VOTED_DIGEST,
    PageName,
)
from keymoot.committee.reshare.record import KeptEpoch
from keymoot.committee.seat import Seat
from keymoot.committee.state import CommitteeState


class PreviousEpoch:
    """What a state keeps of the epoch before the living one."""

    def __init__(self, state: CommitteeState) -> None:
        self._state = state

    @property
    def page(self) -> KeptEpoch | None:
        """The page; None where nothing is kept: all members hold the living shares."""
        return KEPT_EPOCH.read(self._state.pages)

    def seat(self, index: int) -> Seat | None:
        return KEPT_SEAT.of(index).read(self._state.pages)

    def seats(self) -> dict[int, Seat]:
        page = self.page
        former = {index: self.seat(index) for index in (() if page is None else page.members)}
        return {index: seat for index, seat in former.items() if seat is not None}

    def names(self) -> Iterator[PageName[Any]]:
        yield KEPT_EPOCH
        page = self.page
        if page is not None:
            yield from KEPT_ROOT.values()
            yield from map(KEPT_SEAT.of, page.members)
            yield from _sources(page)

    def keep(self, page: KeptEpoch, following: Iterable[int]) -> None:
        """Keep the living epoch, which ends; or go on keeping the one that is kept.

        `page` has who holds shares of the next epoch, whose members are `following`.
        """
        pages, kept = self._state.pages, self.page
        if kept is not None:
            # Nothing goes back to the living epoch: not all members held its shares.
            for name in _sources(page):
                name.remove(pages)
            KEPT_EPOCH.write(pages, replace(kept, holders=page.holders))
            self._settle(following)
            return
        for kind, root in KEPT_ROOT.items():
            root.take(pages, ROOT[kind])
        for index, seat in self._state.seats().items():
            KEPT_SEAT.of(index).write(pages, seat)
        KEPT_EPOCH.write(pages, page)
        self._settle(following)

    def hold(self, seat: int) -> None:
        """Note that a member holds the living shares: with the last one nothing is kept."""
        page = self.page
        if page is not None:
            held = replace(page, holders=page.holders | {seat})
            KEPT_EPOCH.write(self._state.pages, held)
            self._settle(self._state.committee.indices)

    def forget(self) -> None:
        """Remove what is kept, and what its shares could be computed from."""
        for name in list(self.names()):
            name.remove(self._state.pages)

    def _settle(self, members: Iterable[int]) -> None:
        page = self.page
        if page is not None and page.holders.issuperset(members):
            self.forget()

    def restore(self, seats: Mapping[int, Seat]) -> KeptEpoch:
        """Put its roots, and its seats with their present starts, in the living ones' place."""
        page, pages = self.page, self._state.pages
        if page is None:
            raise Defect("the epoch before is not kept")
        for kind, root in ROOT.items():
            root.take(pages, KEPT_ROOT[kind])
        VOTED_DIGEST.write(pages, Hash32(page.digest))
        self._state.take_seats(seats)
        KEPT_EPOCH.remove(pages)
        for root in KEPT_ROOT.values():
            root.remove(pages)
        for index in page.members:
            KEPT_SEAT.of(index).remove(pages)
        return page


def _sources(page: KeptEpoch) -> Iterator[PageName[Any]]:
    if page.origin is None:
        yield from map(OPENINGS.of, page.members)
        return
    dealers = page.origin.dealers
    yield from (DEALINGS.of(page.epoch.number, seat) for seat in dealers.indices)
