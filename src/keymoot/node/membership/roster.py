"""Who keeps the keys, as the ledger has it after its newest certified block."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.units import Height
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.signers import sessions
from keymoot.engine.ledger import Ledger
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.runtime.committee_pages import committee_in
from keymoot.threshold.committee import Committee


@dataclass(frozen=True, slots=True)
class CommitteeSnapshot:
    """What every request needs of the committee, looked up once a block.

    The heights in `since` are those from which on the present starts of members count.
    """

    height: Height
    committee: Committee
    since: tuple[Height, ...]

    @staticmethod
    def of(machine: CommitteeMachine, height: Height) -> "CommitteeSnapshot":
        seats = machine.state.seats().values()
        since = tuple(seat.since for seat in seats if seat.session is not None)
        return CommitteeSnapshot(height, machine.state.committee, since)

    def forgotten(self, height: Height, needed: int) -> bool:
        """Tell whether fewer than `needed` starts of a height are left to answer for it."""
        return sum(1 for since in self.since if since < height) < needed


class Roster:
    """The committee of a ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._snapshot: CommitteeSnapshot | None = None

    def machine(self) -> CommitteeMachine:
        """Give the committee as the newest certified state has it; while founding, the newest.

        It is read until the next block comes, and not after that.
        """
        ledger = self._ledger
        return committee_in(ledger.sequencer.working_state(), ledger.network)

    @property
    def snapshot(self) -> CommitteeSnapshot:
        height = self._ledger.height()
        if self._snapshot is None or self._snapshot.height != height:
            self._snapshot = CommitteeSnapshot.of(self.machine(), height)
        return self._snapshot

    @property
    def committee(self) -> Committee:
        return self.snapshot.committee

    def seated(self, seats: Iterable[SeatHolder]) -> bool:
        """Tell whether so many of these starts run and are known that they can certify blocks."""
        named = sessions(self.machine())
        known = [
            seat for seat in seats if seat.alive and named.get(seat.seat) == seat.identity.session
        ]
        return len(known) > self.committee.degree
