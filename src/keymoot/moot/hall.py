"""Who sits in the assembly, in which generation, with which roots: typed access to pages."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from keymoot.base import rlp
from keymoot.base.errors import Defect, Malformed
from keymoot.base.fields import fixed_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.moot.errors import NotReady
from keymoot.moot.pages import Pages
from keymoot.moot.roots import ROOTS
from keymoot.moot.seat import Seat
from keymoot.moot.seat_lists import item_of_seats, seats_of
from keymoot.threshold.committee import Committee
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

HEAD = "head"
MAX_CHEATS = 64
"""Names remembered; the log has the rest."""


@dataclass(frozen=True, slots=True)
class Cheat:
    """Somebody who was caught.

    Attributes:
        seat: Who.
        height: When.
        what: The broken rule.
    """

    seat: int
    height: Height
    what: str


@dataclass(frozen=True, slots=True)
class Head:
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

    members: tuple[int, ...]
    generation: Hash32
    recoveries: int
    out: frozenset[int]
    cheats: tuple[Cheat, ...]
    epoch_seconds: int
    since: Height = Height(0)

    def encode(self) -> bytes:
        """Give the page."""
        cheats: list[rlp.Item] = [
            [uint(one.seat), uint(one.height), one.what.encode()] for one in self.cheats
        ]
        return rlp.encode(
            [
                [uint(seat) for seat in self.members],
                self.generation,
                uint(self.recoveries),
                item_of_seats(self.out),
                cheats,
                uint(self.epoch_seconds),
                uint(self.since),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Head":
        """Read the page.

        Raises:
            Malformed: not a head.
        """
        fields = list_of(rlp.decode(raw), 7, "head")
        members, generation, recoveries, out, cheats, seconds, since = fields
        found = []
        for item in list_of(cheats, None, "cheats"):
            seat, height, what = list_of(item, 3, "cheats")
            found.append(
                Cheat(
                    uint_of(seat, "seat", 2),
                    Height(uint_of(height, "height", 8)),
                    text_of(what, "what", 256),
                )
            )
        return Head(
            tuple(uint_of(seat, "seat", 2) for seat in list_of(members, None, "members")),
            fixed_of(generation, Hash32, "generation"),
            uint_of(recoveries, "recoveries", 4),
            seats_of(out, "out"),
            tuple(found),
            uint_of(seconds, "epochSeconds", 8),
            Height(uint_of(since, "since", 8)),
        )


class Hall:
    """Reads and writes the pages that every part of the assembly needs."""

    def __init__(self, pages: Pages, network: NetworkId) -> None:
        """Stand on `pages` of a network."""
        self.pages = pages
        self.network = network

    @property
    def founded(self) -> bool:
        """Whether this network has an assembly at all."""
        return self.pages.get(HEAD) is not None

    @property
    def head(self) -> Head:
        """The head."""
        raw = self.pages.get(HEAD)
        if raw is None:
            raise NotReady
        return _head(raw)

    @head.setter
    def head(self, head: Head) -> None:
        self.pages.set(HEAD, head.encode())

    @property
    def committee(self) -> Committee:
        """Who keeps the keys, and how many of them may fail."""
        return _committee(self.head.members)

    def seat(self, index: int) -> Seat:
        """Give a seat.

        Raises:
            Defect: none of that number.
        """
        raw = self.pages.get(f"seat/{index}")
        if raw is None:
            raise Defect(f"there is no seat {index}")
        return _seat(raw)

    def has_seat(self, index: int) -> bool:
        """Tell whether a member has that seat."""
        return self.founded and index in self.head.members

    def put_seat(self, index: int, seat: Seat) -> None:
        """Write a seat."""
        self.pages.set(f"seat/{index}", seat.encode())

    def take_seats(self, seats: Mapping[int, Seat]) -> None:
        """Seat these members and no others."""
        head = self.head
        for index in head.members:
            if index not in seats:
                self.pages.set(f"seat/{index}", None)
        for index, seat in seats.items():
            self.put_seat(index, seat)
        # a number that is given anew is not to blame for who had it before
        self.head = replace(head, members=tuple(sorted(seats)), out=head.out & seats.keys())

    def seats(self) -> dict[int, Seat]:
        """Give all seats by index."""
        return {index: self.seat(index) for index in self.committee.indices}

    def epoch_keys(self) -> dict[int, Any]:
        """Give the points to which root dealings are encrypted."""
        return {at: SECP256K1.decode(seat.sealing) for at, seat in self.seats().items()}

    def session(self, name: str) -> Session:
        """Name a session of the present generation."""
        return Session(self.network, self.head.generation, name)

    def caught(self, seat: int, height: Height, what: str, *, out: bool) -> None:
        """Write down who cheated; `out` keeps him from dealing in this generation."""
        head = self.head
        cheats = (*head.cheats, Cheat(seat, height, what[:200]))[-MAX_CHEATS:]
        banned = head.out | {seat} if out else head.out
        self.head = replace(head, cheats=cheats, out=banned)

    # -- roots

    @property
    def ready(self) -> bool:
        """Whether the roots are made and voted for."""
        return self.pages.get("roots/voted") is not None

    def root(self, name: str) -> Root:
        """Give a root.

        Raises:
            NotReady: it is not made yet.
        """
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
        """Put the roots of the next epoch in the place of the living ones."""
        for kind in ROOTS:
            self.pages.set(f"root/{kind.name}", self.pages.get(f"next/{kind.name}"))
            self.pages.set(f"next/{kind.name}", None)


_head = lru_cache(maxsize=64)(Head.decode)
_committee = lru_cache(maxsize=64)(Committee)
_seat = lru_cache(maxsize=256)(Seat.decode)
"""Pages are read far more often than they change; decoding is pure, so remembering it is safe."""


@lru_cache(maxsize=64)
def read_root(name: str, raw: bytes) -> Root:
    """Read a root's page.

    Raises:
        Malformed: not a root of that kind.
    """
    for kind in ROOTS:
        if kind.name == name:
            return Root.decode(kind.group, rlp.decode(raw))
    raise Malformed(f'there is no root "{name}"')
