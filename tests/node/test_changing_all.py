"""All members of a node change at once, and newcomers end on their way: the ledger goes on."""

import asyncio

import pytest

from keymoot.node.admin.standing import standing_json
from keymoot.testing.network import World
from tests.examples import some
from tests.node.stories import story

pytestmark = pytest.mark.long


def members(world: World) -> tuple[int, ...]:
    return world.machine.state.record.members


async def goes_on(world: World) -> None:
    """The members, whoever they are, certify blocks and make stock."""
    await world.until_ready()
    height, left = world.ledger.height(), world.machine.stock.left()
    assert left
    await world.changes.turn()
    number = world.machine.epochs.current.number
    await world.until(lambda: world.machine.epochs.current.number > number)
    assert world.ledger.height() > height
    await world.until_ready()


async def all_change(world: World) -> None:
    """Ask for four that come, and for all four to go."""
    for _ in range(4):
        await world.changes.join()
    for seat in (1, 2, 3, 4):
        await world.changes.leave(seat)


def holders(world: World) -> frozenset[int]:
    return world.machine.state_key.status.holders


def settled(world: World) -> bool:
    told = standing_json(world.membership)
    asked = [*told["joining"].values(), *told["leaving"].values()]
    return len(asked) == 8 and all(one["settled"] for one in asked)


@story
async def test_all_four_change_and_change_back(world: World) -> None:
    async with world.running():
        await all_change(world)
        await world.until(lambda: settled(world))
        await world.changes.turn()
        await world.until(lambda: members(world) == (5, 6, 7, 8))
        await world.until(lambda: [one.seat for one in world.enclaves.seats] == [5, 6, 7, 8])
        await goes_on(world)
    # They go on after the node ended, too.
    async with world.running():
        assert members(world) == (5, 6, 7, 8)
        await goes_on(world)


@pytest.mark.parametrize("step", some(["admitted", "holding", "ending", "member"], 2))
@story
async def test_newcomers_that_end_on_their_way_start_again(world: World, step: str) -> None:
    async with world.running():
        await all_change(world)
        await world.until(lambda: settled(world))
        if step == "admitted":
            world.process(5).kill()
            world.process(6).kill()
        await world.until(lambda: {5, 6, 7, 8} <= holders(world))
        if step == "holding":
            world.process(5).kill()
            world.process(6).kill()
            await world.until(lambda: all(world.holder(at).begun for at in (5, 6, 7, 8)))
        await world.changes.turn()
        if step == "ending":
            await world.until(lambda: world.machine.epochs.current.stage)
            world.process(5).kill()
        await world.until(lambda: members(world) == (5, 6, 7, 8))
        if step == "member":
            world.process(5).kill()
            await asyncio.sleep(0)
        await goes_on(world)


@story
async def test_a_generation_begins_while_all_change(world: World) -> None:
    """Three members end as they deal: nobody comes with that attempt, and all with the next."""
    async with world.running():
        await all_change(world)
        await world.until(lambda: settled(world) and {5, 6, 7, 8} <= holders(world))
        await world.changes.turn()
        await world.until(lambda: world.machine.epochs.current.stage)
        for seat in (1, 2, 3):
            world.process(seat).kill()
        await world.until(lambda: world.machine.state.record.recoveries)
        assert members(world) == (1, 2, 3, 4)
        await world.until(lambda: settled(world) and {5, 6, 7, 8} <= holders(world))
        await world.changes.turn()
        await world.until(lambda: members(world) == (5, 6, 7, 8))
        await goes_on(world)
