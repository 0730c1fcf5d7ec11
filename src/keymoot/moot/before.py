"""The last epoch whose shares all members held, kept until all hold those of the living one.

A switch needs n−f holders, and f of these may lie: a dealer whose box for a seat was bad, and who
then falls silent, leaves too few shares. So what the old shares are computed from stays public
until every member has said that it holds living ones, over more than one switch where a member
stays away. A recovery before that goes back. Who stays away for good is to be voted out.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import Defect, Malformed
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.moot.epoch import Epoch, Origin
from keymoot.moot.hall import Hall
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat import Seat
from keymoot.moot.seat_lists import item_of_seats, seats_of
from keymoot.threshold.committee import MAX_SIZE, Committee

BEFORE = "before"


@dataclass(frozen=True, slots=True)
class Kept:
    """The page of the epoch before: of the last one that all its members held.

    Attributes:
        epoch: Its page, as it was when it ended.
        members: Who kept its keys.
        digest: Of its roots, as they were voted for.
        origin: Page of where its shares come from; empty for the key generation.
        holders: Members of the living epoch that hold its shares.
    """

    epoch: Epoch
    members: tuple[int, ...]
    digest: bytes
    origin: bytes
    holders: frozenset[int]

    @property
    def committee(self) -> Committee:
        """Who kept the keys then, and how many of them may fail."""
        return Committee(self.members)

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode(
            [
                self.epoch.encode(),
                [uint(seat) for seat in self.members],
                self.digest,
                self.origin,
                item_of_seats(self.holders),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Kept":
        """Read the page.

        Raises:
            Malformed: not that.
        """
        epoch, members, digest, origin, holders = list_of(rlp.decode(raw), 5, BEFORE)
        return Kept(
            Epoch.decode(bytes_of(epoch, "epoch")),
            _seats(members),
            bytes_of(digest, "digest", 32),
            bytes_of(origin, "origin"),
            seats_of(holders, "holders", MAX_SIZE),
        )


_kept = lru_cache(maxsize=64)(Kept.decode)
_seat = lru_cache(maxsize=256)(Seat.decode)
"""Decoding is pure, and pages are read far more often than they change."""


class Before:
    """What a hall keeps of the epoch before the living one."""

    def __init__(self, hall: Hall) -> None:
        """Work on `hall`."""
        self._hall = hall

    @property
    def page(self) -> Kept | None:
        """The page; None where nothing is kept: all members hold the living shares."""
        raw = self._hall.pages.get(BEFORE)
        return None if raw is None else _kept(raw)

    def seat(self, index: int) -> Seat | None:
        """Give a seat of the epoch before, as it was; None where nothing is kept of it."""
        raw = self._hall.pages.get(_seat_page(index))
        return None if raw is None else _seat(raw)

    def seats(self) -> dict[int, Seat]:
        """Give the seats of the epoch before, as they were; empty where nothing is kept."""
        page = self.page
        found = {index: self.seat(index) for index in (() if page is None else page.members)}
        return {index: seat for index, seat in found.items() if seat is not None}

    def names(self) -> Iterator[str]:
        """Name every page that is kept."""
        yield BEFORE
        page = self.page
        if page is not None:
            yield from (_root_page(kind.name) for kind in ROOTS)
            yield from (_seat_page(index) for index in page.members)
            yield from _sources(page)

    def keep(self, page: Kept, following: Iterable[int]) -> None:
        """Keep the living epoch, which ends; or go on keeping the one that is kept.

        Args:
            page: Of the living epoch, and who holds the shares of the next one.
            following: The members of the next one.
        """
        pages, kept = self._hall.pages, self.page
        if kept is not None:
            # Nothing goes back to the living epoch: not all members held its shares.
            for name in _sources(page):
                pages.set(name, None)
            pages.set(BEFORE, replace(kept, holders=page.holders).encode())
            self._settle(following)
            return
        for kind in ROOTS:
            pages.set(_root_page(kind.name), pages.get(f"root/{kind.name}"))
        for index, seat in self._hall.seats().items():
            pages.set(_seat_page(index), seat.encode())
        pages.set(BEFORE, page.encode())
        self._settle(following)

    def hold(self, seat: int) -> None:
        """Note that a member holds the living shares: with the last one nothing is kept."""
        page = self.page
        if page is not None:
            held = replace(page, holders=page.holders | {seat})
            self._hall.pages.set(BEFORE, held.encode())
            self._settle(self._hall.committee.indices)

    def forget(self) -> None:
        """Remove what is kept, and what its shares could be computed from."""
        for name in list(self.names()):
            self._hall.pages.set(name, None)

    def _settle(self, members: Iterable[int]) -> None:
        page = self.page
        if page is not None and page.holders.issuperset(members):
            self.forget()

    def restore(self, seats: Mapping[int, Seat]) -> Kept:
        """Put roots and seats of the epoch before in the place of the living ones.

        Args:
            seats: Its seats, with the keys of their present starts.
        """
        page, pages = self.page, self._hall.pages
        if page is None:
            raise Defect("the epoch before is not kept")
        for kind in ROOTS:
            pages.set(f"root/{kind.name}", pages.get(_root_page(kind.name)))
        pages.set("roots/voted", page.digest)
        self._hall.take_seats(seats)
        for name in (BEFORE, *(_root_page(kind.name) for kind in ROOTS)):
            pages.set(name, None)
        for index in page.members:
            pages.set(_seat_page(index), None)
        return page


def dealing_page(number: int, seat: int) -> str:
    """Name the page of a seat's dealings towards an epoch."""
    return f"dealing/{number}/{seat}"


def _sources(page: Kept) -> Iterator[str]:
    """Name the pages that the shares of the epoch before are computed from."""
    if not page.origin:
        yield from (f"opening/{seat}" for seat in page.members)
        return
    dealers = Origin.decode(page.origin).dealers
    yield from (dealing_page(page.epoch.number, seat) for seat in dealers.indices)


def _root_page(name: str) -> str:
    return f"before/root/{name}"


def _seat_page(index: int) -> str:
    return f"before/seat/{index}"


def _seats(item: rlp.Decoded) -> tuple[int, ...]:
    found = tuple(uint_of(seat, "seat", 2) for seat in list_of(item, None, "seats"))
    if len(found) > MAX_SIZE:
        raise Malformed(f"at most {MAX_SIZE} seats", "seats")
    return found
