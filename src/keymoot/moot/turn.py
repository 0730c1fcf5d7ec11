"""One attempt to end an epoch: what its steps share, and what its messages carry."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.moot.roots import ROOTS
from keymoot.threshold import reshare
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Dealing, Recipients
from keymoot.threshold.errors import TooFew
from keymoot.threshold.root import Root
from keymoot.threshold.session import Session

Dealings = Mapping[int, tuple[Dealing, ...]]
"""What seats dealt, one dealing for each root."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What the steps from one epoch to the next share.

    Attributes:
        session: Network, generation, the next epoch's number and the attempt.
        committee: Who gets new shares.
        keys: Sealing keys of the next epoch, by seat.
        roots: The roots as the dealers share them, in the order of `ROOTS`.
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
