"""A node that somebody holds runs; when it is let go of, nothing of it is left."""

import asyncio

import pytest

from keymoot.base.errors import Defect, Refused
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.feed.process import Process
from keymoot.node.supervisor.absent import TooManyAbsent
from keymoot.testing.network import World
from keymoot.testing.process import MemoryProcess
from tests.node.stories import story


@pytest.fixture
def made(world: World, monkeypatch) -> list[MemoryProcess]:
    """All starts of enclaves."""
    made, launch = [], world.host.launch

    async def launches(seat: int) -> Process:
        made.append(await launch(seat))
        return made[-1]

    monkeypatch.setattr(world.host, "launch", launches)
    return made


def nothing_is_left(world: World, made: list[MemoryProcess]) -> bool:
    """Tell whether all enclaves have ended, no task runs but ours, and the folder can be opened."""
    assert not any(one.runs for one in made)
    assert len(asyncio.all_tasks()) == 1
    LmdbStore(world.host.config.data).close()
    return True


@story
async def test_all_of_it_ends_with_the_block_that_holds_it(world, made):
    async with world.up() as node:
        enclaves = node.membership.enclaves
        assert [one.seat for one in enclaves.seats if one.alive and one.begun] == [1, 2, 3, 4]
    assert len(made) == 4
    assert nothing_is_left(world, made)


@story
async def test_what_breaks_in_a_task_cancels_the_block_and_is_raised(world, made, monkeypatch):
    reached = []
    with pytest.raises(ExceptionGroup) as broken:
        async with world.up() as node:

            async def breaks() -> None:
                raise Defect("an invariant of ours")

            monkeypatch.setattr(node.membership.changes, "reconcile", breaks)
            sequencer = node.membership.ledger.sequencer
            monkeypatch.setattr(type(sequencer), "founding", False)
            reached.append("the block")
            await asyncio.sleep(600)
            reached.append("its end")
    assert broken.group_contains(Defect, match="an invariant of ours")
    assert reached == ["the block"]
    assert nothing_is_left(world, made)


@story
async def test_what_the_block_raises_is_raised_as_it_is(world, made):
    with pytest.raises(ValueError, match="ours"):
        async with world.up():
            raise ValueError("ours")
    assert nothing_is_left(world, made)


@pytest.mark.parametrize("step", ["launch", "join", "begin"])
@story
async def test_a_founder_that_does_not_start_leaves_nothing_running(world, made, monkeypatch, step):
    launch = world.host.launch

    async def no(*_: object) -> None:
        raise Refused(f"it does not {step}")

    async def launches(seat: int) -> Process:
        if seat == 3 and step == "launch":
            await no()
        made = await launch(seat)
        if seat == 3:
            monkeypatch.setattr(made, step, no, raising=False)
        return made

    monkeypatch.setattr(world.host, "launch", launches)
    with pytest.raises(TooManyAbsent, match=f"seat 3: it does not {step}"):
        async with world.up():
            raise AssertionError
    assert nothing_is_left(world, made)
