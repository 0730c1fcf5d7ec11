"""Seats whose folder was lost: another enclave runs there, and the others put the seat out."""

import shutil

import pytest

from keymoot.moot import epoch
from keymoot.node.admin.standing import standing_json
from keymoot.node.membership import changes
from keymoot.node.membership.changes import NoChange
from tests.node.inside import Inside, inside

__all__ = ["inside"]


@pytest.fixture(autouse=True)
def short_patience(monkeypatch) -> None:
    monkeypatch.setattr(epoch, "PATIENCE_BLOCKS", 12)
    monkeypatch.setattr(epoch, "PATIENCE_SECONDS", 3)
    monkeypatch.setattr(changes, "VOTE_SECONDS", 1.0)


async def lose_folder(node: Inside, seat: int) -> None:
    """Delete a seat's folder; its enclave starts as another one."""
    identity = node.holder(seat).identity.identity_key
    shutil.rmtree(node.config.enclave_folder(seat))
    node.client(seat).kill()
    await node.until(
        lambda: (one := node.holder(seat)).alive and one.identity.identity_key != identity
    )


def members(node: Inside) -> tuple[int, ...]:
    return node.assembly().hall.head.members


@pytest.mark.parametrize("size", [5, 8])
async def test_the_others_put_a_seat_out_whose_folder_was_lost(inside, tmp_path, size):
    async with inside(tmp_path, size) as node:
        await lose_folder(node, 2)
        await node.until(lambda: standing_json(node.membership)["lost"] == [2])
        await node.changes.leave(2)
        await node.until(lambda: standing_json(node.membership)["leaving"]["2"]["settled"])
        await node.changes.turn()
        await node.until(lambda: 2 not in members(node))
        assert members(node) == tuple(at for at in range(1, size + 1) if at != 2)
        await node.until(lambda: node.enclaves.holder(2) is None)
        assert standing_json(node.membership)["lost"] == []
        await node.until_seated()


async def test_of_four_another_comes_as_the_lost_one_goes(inside, tmp_path):
    async with inside(tmp_path) as node:
        await lose_folder(node, 2)
        with pytest.raises(NoChange, match="let another one join before"):
            await node.changes.leave(2)
        assert await node.changes.join() == 5
        await node.changes.leave(2)
        await node.until(lambda: standing_json(node.membership)["joining"]["5"]["settled"])
        await node.until(lambda: standing_json(node.membership)["leaving"]["2"]["settled"])
        await node.changes.turn()
        await node.until(lambda: members(node) == (1, 3, 4, 5))
        await node.until_seated()
        # and those four go on
        await node.changes.turn()
        await node.until(lambda: node.assembly().turning.epoch.number == 2)
