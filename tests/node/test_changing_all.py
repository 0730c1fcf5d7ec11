"""All members of a node change at once, and newcomers end on their way: the ledger goes on."""

import asyncio
from pathlib import Path

import pytest

from keymoot.node.admin.standing import standing_json
from tests.node.inside import Inside, inside

__all__ = ["inside"]


def members(node: Inside) -> tuple[int, ...]:
    return node.assembly().hall.head.members


async def goes_on(node: Inside) -> None:
    """The members, whoever they are, certify blocks and make stock."""
    await node.until_seated()
    height, left = node.ledger.height(), node.assembly().stock.left()
    assert left
    await node.changes.turn()
    number = node.assembly().turning.epoch.number
    await node.until(lambda: node.assembly().turning.epoch.number > number)
    assert node.ledger.height() > height
    await node.until_seated()


async def all_change(node: Inside) -> None:
    """Ask for four that come, and for all four to go."""
    for _ in range(4):
        await node.changes.join()
    for seat in (1, 2, 3, 4):
        await node.changes.leave(seat)


def holders(node: Inside) -> frozenset[int]:
    return node.assembly().handout.standing.holders


def settled(node: Inside) -> bool:
    told = standing_json(node.membership)
    asked = [*told["joining"].values(), *told["leaving"].values()]
    return len(asked) == 8 and all(one["settled"] for one in asked)


async def test_all_four_change_and_change_back(inside, tmp_path: Path) -> None:
    async with inside(tmp_path, 4) as node:
        await all_change(node)
        await node.until(lambda: settled(node))
        await node.changes.turn()
        await node.until(lambda: members(node) == (5, 6, 7, 8))
        await node.until(lambda: [one.seat for one in node.enclaves.seats] == [5, 6, 7, 8])
        await goes_on(node)
    # They go on after the node ended, too.
    async with inside(tmp_path) as node:
        assert members(node) == (5, 6, 7, 8)
        await goes_on(node)


@pytest.mark.parametrize("step", ["admitted", "holding", "ending", "member"])
async def test_newcomers_that_end_on_their_way_start_again(
    inside, tmp_path: Path, step: str
) -> None:
    async with inside(tmp_path, 4) as node:
        await all_change(node)
        await node.until(lambda: settled(node))
        if step == "admitted":
            node.client(5).kill()
            node.client(6).kill()
        await node.until(lambda: {5, 6, 7, 8} <= holders(node))
        if step == "holding":
            node.client(5).kill()
            node.client(6).kill()
            await node.until(lambda: all(node.holder(at).begun for at in (5, 6, 7, 8)))
        await node.changes.turn()
        if step == "ending":
            await node.until(lambda: node.assembly().turning.epoch.stage)
            node.client(5).kill()
        await node.until(lambda: members(node) == (5, 6, 7, 8))
        if step == "member":
            node.client(5).kill()
            await asyncio.sleep(0)
        await goes_on(node)


async def test_a_generation_begins_while_all_change(inside, tmp_path: Path) -> None:
    """Three members end as they deal: nobody comes with that attempt, and all with the next."""
    async with inside(tmp_path, 4) as node:
        await all_change(node)
        await node.until(lambda: settled(node) and {5, 6, 7, 8} <= holders(node))
        await node.changes.turn()
        await node.until(lambda: node.assembly().turning.epoch.stage)
        for seat in (1, 2, 3):
            node.client(seat).kill()
        await node.until(lambda: node.assembly().hall.head.recoveries)
        assert members(node) == (1, 2, 3, 4)
        await node.until(lambda: settled(node) and {5, 6, 7, 8} <= holders(node))
        await node.changes.turn()
        await node.until(lambda: members(node) == (5, 6, 7, 8))
        await goes_on(node)
