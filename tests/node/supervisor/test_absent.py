"""Enclaves that do not start, or hang, with the node: up to a third are left behind, and named."""

import asyncio

import pytest

from keymoot.base.errors import Refused
from keymoot.node.feed.process import Process
from keymoot.node.supervisor import absent as module
from keymoot.node.supervisor.absent import Absent, TooManyAbsent
from tests.node.supervisor.process import Begins

pytestmark = pytest.mark.own_time


class Machine:
    """Starts enclaves, of which some do not start and some hang."""

    def __init__(self, **kinds: str) -> None:
        self.kinds = {int(name[1:]): kind for name, kind in kinds.items()}
        self.made: dict[int, Begins] = {}
        self.given_up: list[int] = []

    async def launch(self, seat: int) -> Process:
        kind = self.kinds.get(seat)
        if kind == "refuses":
            raise Refused(f"seat {seat} does not open its file")
        if kind == "lacks":
            raise OSError(24, "Too many open files")
        if kind == "hangs":
            try:
                await asyncio.sleep(600)
            except asyncio.CancelledError:
                self.given_up.append(seat)
                raise
        made = self.made[seat] = Begins()
        return made  # type: ignore[return-value]


async def test_all_that_start_are_given_and_the_other_is_named():
    machine, absent = Machine(_2="lacks"), Absent((1, 2, 3, 4), fresh=False)
    assert [*await absent.start(machine.launch)] == [1, 3, 4]
    assert absent.reasons == {2: "[Errno 24] Too many open files"}


async def test_with_two_of_four_missing_none_is_left_running():
    machine, absent = Machine(_2="refuses", _3="lacks"), Absent((1, 2, 3, 4), fresh=False)
    with pytest.raises(TooManyAbsent, match="2 of 4 enclaves do not start") as error:
        await absent.start(machine.launch)
    assert "seat 2: seat 2 does not open its file" in str(error.value)
    assert all(one.closed for one in machine.made.values())


async def test_who_hangs_is_waited_for_a_while_and_then_left_behind(monkeypatch):
    monkeypatch.setattr(module, "HANG_SECONDS", 0.05)
    machine, absent = Machine(_3="hangs"), Absent((1, 2, 3, 4), fresh=False)
    assert [*await absent.start(machine.launch)] == [1, 2, 4]
    assert machine.given_up == [3]
    assert "does not answer" in absent.reasons[3]


async def test_without_whom_nothing_goes_is_waited_for(monkeypatch):
    monkeypatch.setattr(module, "HANG_SECONDS", 0.05)
    for absent, kinds in (
        (Absent((1, 2, 3, 4), fresh=True), {"_3": "hangs"}),
        (Absent((1, 2, 3, 4), fresh=False), {"_3": "hangs", "_4": "refuses"}),
    ):
        machine = Machine(**kinds)
        starting = asyncio.create_task(absent.start(machine.launch))
        await asyncio.sleep(0.3)
        assert not starting.done()
        starting.cancel()
        await asyncio.wait({starting})
        # Whoever gives up leaves nothing running.
        assert all(one.closed for one in machine.made.values())


async def test_who_does_not_do_the_next_step_is_ended(monkeypatch):
    monkeypatch.setattr(module, "HANG_SECONDS", 0.05)
    machine, absent = Machine(), Absent(range(1, 8), fresh=False)
    processes = await absent.start(machine.launch)

    async def step(seat: int, _: Process) -> None:
        if seat == 2:
            raise Refused("no")
        if seat == 3:
            await asyncio.sleep(600)

    assert [*await absent.each(processes, step)] == [1, 4, 5, 6, 7]
    assert [seat for seat, one in machine.made.items() if one.closed] == [2, 3]


async def test_who_is_missing_is_tried_again_until_it_starts_or_has_left(monkeypatch):
    monkeypatch.setattr(module, "TRY_SECONDS", 0.01)
    machine, absent = Machine(_2="refuses", _9="refuses"), Absent((1, 2, 3, 4), (9,), fresh=False)
    await absent.start(machine.launch)
    assert [*absent.reasons] == [2, 9]
    tries: list[int] = []

    async def add(seat: int) -> None:
        tries.append(seat)
        if len(tries) < 3:
            raise Refused("still not")

    reconciling = asyncio.create_task(absent.reconcile(add, lambda: (1, 2, 3, 4)))
    async with asyncio.timeout(60):
        while absent.reasons:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert tries == [2, 2, 2]
    reconciling.cancel()
