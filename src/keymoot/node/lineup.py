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
    """

    height: Height
    committee: Committee
    since: tuple[Height, ...]

    @staticmethod
    def of(assembly: Assembly, height: Height) -> "Lineup":
        """Look it up."""
        seats = assembly.hall.seats().values()
        since = tuple(seat.since for seat in seats if seat.boot is not None)
        return Lineup(height, assembly.hall.committee, since)

    def forgotten(self, height: Height, needed: int) -> bool:
        """Tell whether fewer than `needed` starts of a height are left to answer for it."""
        return sum(1 for since in self.since if since < height) < needed
