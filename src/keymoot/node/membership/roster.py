"""Who keeps the keys, as the ledger has it after its newest certified block."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.units import Height
from keymoot.engine.ledger import Ledger
from keymoot.moot.assembly import Assembly
from keymoot.moot.signers import sessions
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.runtime.assembly import assembly_in
from keymoot.threshold.committee import Committee


@dataclass(frozen=True, slots=True)
class Lineup:
    """What every request needs of the assembly, looked up once a block.

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


class Roster:
    """The assembly of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        """Read `ledger`."""
        self._ledger = ledger
        self._lineup: Lineup | None = None

    def assembly(self) -> Assembly:
        """Give the assembly as the newest certified state has it; while founding, the newest.

        It is read until the next block comes, and not after that.
        """
        ledger = self._ledger
        return assembly_in(ledger.sequencer.working_state(), ledger.network)

    @property
    def lineup(self) -> Lineup:
        """How the assembly stands after the newest certified block."""
        height = self._ledger.height()
        if self._lineup is None or self._lineup.height != height:
            self._lineup = Lineup.of(self.assembly(), height)
        return self._lineup

    @property
    def committee(self) -> Committee:
        """Who keeps the keys."""
        return self.lineup.committee

    def seated(self, seats: Iterable[SeatHolder]) -> bool:
        """Tell whether so many of these starts run and are known that they can certify blocks."""
        named = sessions(self.assembly())
        known = [one for one in seats if one.alive and named.get(one.seat) == one.identity.boot]
        return len(known) > self.committee.degree
