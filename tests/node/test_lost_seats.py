"""Seats whose folder was lost: another enclave runs there, and the others put the seat out."""

import shutil

import pytest

from keymoot.node.admin.standing import standing_json
from keymoot.node.membership.changes import NoChange
from keymoot.testing.network import World
from tests.examples import some
from tests.node.stories import story


async def lose_folder(world: World, seat: int) -> None:
    """Delete a seat's folder; its enclave starts as another one."""
    identity = world.holder(seat).identity.identity_key
    shutil.rmtree(world.host.config.enclave_folder(seat))
    world.process(seat).kill()
    await world.until(
        lambda: (one := world.holder(seat)).alive and one.identity.identity_key != identity
    )


def members(world: World) -> tuple[int, ...]:
    return world.machine.state.record.members


@pytest.mark.parametrize("size", some([5, 8], 1))
@story
async def test_the_others_put_a_seat_out_whose_folder_was_lost(world, size):
    async with world.running():
        await lose_folder(world, 2)
        await world.until(lambda: standing_json(world.membership)["lost"] == [2])
        await world.changes.leave(2)
        await world.until(lambda: standing_json(world.membership)["leaving"]["2"]["settled"])
        await world.changes.turn()
        await world.until(lambda: 2 not in members(world))
        assert members(world) == tuple(at for at in range(1, size + 1) if at != 2)
        await world.until(lambda: world.enclaves.holder(2) is None)
        assert standing_json(world.membership)["lost"] == []
        await world.until_ready()


@story
async def test_of_four_another_comes_as_the_lost_one_goes(world):
    async with world.running():
        await lose_folder(world, 2)
        with pytest.raises(NoChange, match="let another one join before"):
            await world.changes.leave(2)
        assert await world.changes.join() == 5
        await world.changes.leave(2)
        await world.until(lambda: standing_json(world.membership)["joining"]["5"]["settled"])
        await world.until(lambda: standing_json(world.membership)["leaving"]["2"]["settled"])
        await world.changes.turn()
        await world.until(lambda: members(world) == (1, 3, 4, 5))
        await world.until_ready()
        # and those four go on
        await world.changes.turn()
        await world.until(lambda: world.machine.epochs.current.number == 2)
