"""One attempt to end an epoch: what its steps share, and what its dealings carry."""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.committee.roots import ROOTS, RootDealing
from keymoot.threshold import reshare
from keymoot.threshold.dealing import Dealing
from keymoot.threshold.errors import TooFew
from keymoot.threshold.root import Root

Dealings = Mapping[int, tuple[Dealing, ...]]
"""What seats dealt, one dealing for each root."""


@dataclass(frozen=True, slots=True)
class ReshareRound(RootDealing):
    """What the steps from one epoch to the next share.

    `roots` are those that the dealers share, in the order of `ROOTS`.
    """

    roots: tuple[Root, ...]

    def check(self, seat: int, given: tuple[Dealing, ...]) -> None:
        """Raise Cheated where one is bad, or of something else than the seat's share."""
        for place, dealing in enumerate(given):
            reshare.check(self.recipients(place), self.roots[place], seat, dealing)

    def chosen(self, place: int, given: Dealings) -> dict[int, Dealing]:
        """The first degree+1 dealings that stand; they make the new shares. Else TooFew."""
        need = self.roots[place].degree + 1
        if len(given) < need:
            raise TooFew("dealings", len(given), need)
        return {seat: given[seat][place] for seat in sorted(given)[:need]}

    def next_roots(self, given: Dealings) -> tuple[Root, ...]:
        return tuple(
            reshare.root(self.recipients(place), self.roots[place], self.chosen(place, given))
            for place in range(len(ROOTS))
        )
