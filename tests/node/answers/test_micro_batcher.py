"""What comes while others are answered is answered at once, and no more waits than may."""

import asyncio

import pytest

from keymoot.enclave.messages import MAX_BATCH
from keymoot.node.answers import micro_batcher
from keymoot.node.answers.micro_batcher import MicroBatcher, TooManyWait
from keymoot.node.tasks import background

pytestmark = pytest.mark.own_time


async def test_what_came_meanwhile_is_one_question():
    asked, go = [], asyncio.Event()

    async def answer(questions):
        asked.append(questions)
        await go.wait()
        return [2 * one for one in questions]

    made: MicroBatcher[int, int] = MicroBatcher(answer)
    async with background() as tasks:
        tasks.start(made.run())
        answers = [tasks.start(made.ask(0))]
        await asyncio.sleep(0.01)
        answers += [tasks.start(made.ask(number)) for number in range(1, MAX_BATCH + 3)]
        await asyncio.sleep(0.01)
        go.set()
        found = await asyncio.gather(*answers)
    assert found == [2 * number for number in range(MAX_BATCH + 3)]
    assert [len(one) for one in asked] == [1, MAX_BATCH, 2]


async def test_who_comes_when_too_many_wait_is_told_so(monkeypatch):
    monkeypatch.setattr(micro_batcher, "MAX_WAITING", 2)

    async def answer(questions):
        return questions

    made: MicroBatcher[int, int] = MicroBatcher(answer)
    async with background() as tasks:
        waiting = [tasks.start(made.ask(number)) for number in range(2)]
        await asyncio.sleep(0)
        with pytest.raises(TooManyWait, match="ask again in a moment"):
            await made.ask(2)
        tasks.start(made.run())
        assert await asyncio.gather(*waiting) == [0, 1]


async def test_an_answer_that_fails_is_told_to_all_who_wait_and_to_nobody_else():
    fails = True

    async def answer(questions):
        if fails:
            raise ValueError("no")
        return questions

    made: MicroBatcher[int, int] = MicroBatcher(answer)
    async with background() as tasks:
        tasks.start(made.run())
        found = await asyncio.gather(made.ask(1), made.ask(2), return_exceptions=True)
        assert [type(one) for one in found] == [ValueError, ValueError]
        fails = False
        assert await made.ask(3) == 3
