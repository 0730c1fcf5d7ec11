"""Tasks beside a block: they end with it, and what they raise reaches it."""

import asyncio

import pytest

from keymoot.node.tasks import Ending, background

pytestmark = pytest.mark.own_time


async def forever(ended: list[str]) -> None:
    try:
        await asyncio.sleep(600)
    finally:
        await asyncio.sleep(0)
        ended.append("ended")


async def breaks() -> None:
    raise RuntimeError("it broke")


async def test_tasks_have_ended_when_the_block_has():
    ended: list[str] = []
    async with background() as tasks:
        tasks.start(forever(ended))
        await asyncio.sleep(0)
    assert ended == ["ended"]


async def test_what_a_task_raises_ends_the_block_and_the_others():
    ended: list[str] = []
    with pytest.raises(ExceptionGroup) as found:
        async with background() as tasks:
            tasks.start(forever(ended))
            tasks.start(breaks())
            await asyncio.sleep(600)
    assert found.group_contains(RuntimeError, match="it broke")
    assert ended == ["ended"]


async def test_what_the_block_raises_is_raised_as_it_is():
    ended: list[str] = []
    with pytest.raises(ValueError, match="ours"):
        async with background() as tasks:
            tasks.start(forever(ended))
            await asyncio.sleep(0)
            raise ValueError("ours")
    assert ended == ["ended"]


async def test_where_both_fail_nothing_is_lost():
    async def breaks_at_its_end() -> None:
        try:
            await asyncio.sleep(600)
        finally:
            raise RuntimeError("it broke")

    with pytest.raises(ExceptionGroup) as found:
        async with background() as tasks:
            tasks.start(breaks_at_its_end())
            await asyncio.sleep(0)
            raise ValueError("ours")
    assert found.group_contains(ValueError, match="ours")
    assert found.group_contains(RuntimeError, match="it broke")


async def test_who_cancels_one_task_ends_nothing_else():
    ended: list[str] = []
    async with background() as tasks:
        first, second = tasks.start(forever(ended)), tasks.start(forever([]))
        await asyncio.sleep(0)
        first.cancel()
        await asyncio.wait({first})
        assert ended == ["ended"]
        assert not second.done()


async def test_nothing_is_begun_in_a_block_that_ends():
    async with background() as tasks:
        pass
    with pytest.raises(Ending, match="ask again when it runs"):
        tasks.start(breaks())


async def test_tasks_are_ended_in_the_order_in_which_they_began():
    ended: list[int] = []

    async def one(number: int) -> None:
        try:
            await asyncio.sleep(600)
        finally:
            ended.append(number)

    async with background() as tasks:
        for number in range(50):
            tasks.start(one(number))
        await asyncio.sleep(0)
    assert ended == [*range(50)]
