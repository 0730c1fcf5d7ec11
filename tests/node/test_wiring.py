"""A node that somebody holds runs; when it is let go of, nothing of it is left."""

import asyncio
from pathlib import Path

import pytest

from keymoot.base.errors import Defect, Refused
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.clock import system_clock
from keymoot.node.config import Config
from keymoot.node.feed.process import Process
from keymoot.node.supervisor.absent import TooManyAbsent
from keymoot.node.wiring import started
from tests.node.inside import InsideClient


class Machine:
    """Starts enclaves in this process, and remembers them."""

    def __init__(self, folder: Path) -> None:
        self.config = Config(folder / "data", folder / "cpu" / "fuse.key")
        self.made: list[InsideClient] = []

    async def launch(self, seat: int) -> Process:
        made = await InsideClient.greeted(seat, self.config)
        self.made.append(made)
        return made

    def node(self):
        return started(self.config, self.launch, system_clock)

    async def nothing_is_left(self) -> bool:
        """Tell whether all enclaves have ended, no task runs, and the folder can be opened."""
        assert all(one._ended.done() for one in self.made)
        LmdbStore(self.config.data).close()
        async with asyncio.timeout(60):
            # A thread of an enclave in this process may still be about its last answer.
            while len(asyncio.all_tasks()) > 1:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return True


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


async def test_all_of_it_ends_with_the_block_that_holds_it(machine):
    async with machine.node() as node:
        enclaves = node.membership.enclaves
        assert [one.seat for one in enclaves.seats if one.alive and one.begun] == [1, 2, 3, 4]
    assert len(machine.made) == 4
    assert await machine.nothing_is_left()


async def test_what_breaks_in_a_task_cancels_the_block_and_is_raised(machine, monkeypatch):
    reached = []
    with pytest.raises(ExceptionGroup) as broken:
        async with machine.node() as node:

            async def breaks() -> None:
                raise Defect("an invariant of ours")

            monkeypatch.setattr(node.membership.changes, "tend", breaks)
            sequencer = node.membership.ledger.sequencer
            monkeypatch.setattr(type(sequencer), "founding", False)
            reached.append("the block")
            await asyncio.sleep(600)
            reached.append("its end")
    assert broken.group_contains(Defect, match="an invariant of ours")
    assert reached == ["the block"]
    assert await machine.nothing_is_left()


async def test_what_the_block_raises_is_raised_as_it_is(machine):
    with pytest.raises(ValueError, match="ours"):
        async with machine.node():
            raise ValueError("ours")
    assert await machine.nothing_is_left()


@pytest.mark.parametrize("step", ["launch", "join", "begin"])
async def test_a_founder_that_does_not_start_leaves_nothing_running(machine, monkeypatch, step):
    launch = machine.launch

    async def no(*_: object) -> None:
        raise Refused(f"it does not {step}")

    async def launches(seat: int) -> Process:
        if seat == 3 and step == "launch":
            await no()
        made = await launch(seat)
        if seat == 3:
            monkeypatch.setattr(made, step, no, raising=False)
        return made

    monkeypatch.setattr(machine, "launch", launches)
    with pytest.raises(TooManyAbsent, match=f"seat 3: it does not {step}"):
        async with machine.node():
            raise AssertionError
    assert await machine.nothing_is_left()
