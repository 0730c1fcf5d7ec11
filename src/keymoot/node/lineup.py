"""How the assembly stands after a block, as far as every request needs it."""

from dataclasses import dataclass

from keymoot.base.units import Height
from keymoot.moot.assembly import Assembly
from keymoot.threshold.committee import Committee


@dataclass(frozen=True, slots=True)
class Lineup:
    """What is looked up once a block.

    Attributes:
        height: The block.
        committee: Who keeps the keys.
        since: From which heights on the present starts of members count.
        successions: How often the members have changed.
    """

    height: Height
    committee: Committee
    since: tuple[Height, ...]
    successions: int

    @staticmethod
    def of(assembly: Assembly, height: Height) -> "Lineup":
        """Look it up."""
        seats = assembly.hall.seats().values()
        return Lineup(
            height,
            assembly.hall.committee,
            tuple(seat.since for seat in seats if seat.boot is not None),
            assembly.turning.handover.latest.count,
        )

    def forgotten(self, height: Height) -> bool:
        """Tell whether too many enclaves started anew since a height to answer for it."""
        alive = sum(1 for since in self.since if since < height)
        return alive <= self.committee.degree
