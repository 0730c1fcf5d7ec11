"""Blocks come while enclaves are asked: what was read before may not be read from again."""

from pathlib import Path
from types import SimpleNamespace
from typing import cast

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.reshare.record import EpochStage
from keymoot.engine.ledger import Ledger
from keymoot.node.membership.changes import SeatChanges
from keymoot.node.membership.roster import Roster
from keymoot.node.membership.wanted import WantedSeats
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.tasks import background


class Stale(Exception):
    """The snapshot is closed; LMDB says so with an error of its own."""


class Aging:
    """A machine with four members and one newcomer; each answer of an enclave brings a block."""

    def __init__(self) -> None:
        self.height = Height(10)
        self.admitted: list[int] = []
        self.removed: list[int] = []
        self.seats = [self._holder(index) for index in (1, 2, 3, 4, 5, 6)]

    def _holder(self, index: int) -> SimpleNamespace:
        identity = SimpleNamespace(identity_key=Hash32(bytes([index]) * 32), session=index)
        process = SimpleNamespace(admit=lambda _: self._admit(index))
        return SimpleNamespace(
            seat=index, identity=identity, process=process, alive=True, stored=self._stored
        )

    async def _admit(self, voter: int) -> None:
        self.admitted.append(voter)
        self.height = Height(self.height + 1)

    async def _stored(self) -> bool:
        return True

    async def remove(self, index: int) -> None:
        self.removed.append(index)

    def machine(self) -> "Reading":
        return Reading(self, self.height)


class Reading:
    """What the committee is at one height, for as long as there is no newer block."""

    def __init__(self, machine: Aging, height: Height) -> None:
        self._machine = machine
        self._height = height

    def _check(self) -> None:
        if self._machine.height != self._height:
            raise Stale

    @property
    def state(self) -> SimpleNamespace:
        self._check()
        seats = {index: SimpleNamespace(session=index) for index in (1, 2, 3, 4)}
        record = SimpleNamespace(members=(1, 2, 3, 4))
        return SimpleNamespace(ready=True, record=record, seats=lambda: seats)

    @property
    def epochs(self) -> SimpleNamespace:
        self._check()
        page = SimpleNamespace(joining={}, leaving=(), invited={})
        return SimpleNamespace(
            current=SimpleNamespace(stage=EpochStage.LIVING, since_height=Height(1)),
            previous=SimpleNamespace(page=None),
            membership=SimpleNamespace(page=page),
        )


async def test_blocks_that_come_while_members_invite_do_not_stop_the_node(tmp_path: Path) -> None:
    machine = Aging()
    ledger = SimpleNamespace(height=lambda: machine.height)
    wanted = WantedSeats(tmp_path / "changes.json", {5}, set())
    async with background() as tasks:
        changes = SeatChanges(
            cast("Ledger", ledger),
            cast("Roster", machine),
            cast("Enclaves", machine),
            Asking(tasks),
            wanted,
        )
        await changes.reconcile()
    assert machine.admitted == [1, 2, 3, 4]
    assert machine.removed == [6]
