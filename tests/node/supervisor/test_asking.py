"""Enclaves are asked side by side, and none of them is waited for long."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest

from keymoot.base.errors import Refused
from keymoot.node.supervisor.asking import Asking
from keymoot.node.tasks import background

pytestmark = pytest.mark.own_time

TWO = cast("Any", [SimpleNamespace(seat=1), SimpleNamespace(seat=2)])


async def test_who_owes_answers_is_asked_no_more():
    asked, come = [], asyncio.Event()

    async def answer(one):
        asked.append(one.seat)
        if one.seat == 2:
            await come.wait()
        return "answer"

    async with background() as tasks:
        asking = Asking(tasks)
        for _ in range(3):
            said = await asking.each(TWO, answer, 0.05)
            assert (said.answers, said.silent) == ({1: "answer"}, {2})
        assert asked == [1, 2, 1, 1]
        come.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert (await asking.each(TWO, answer, 60)).answers == {1: "answer", 2: "answer"}


async def test_who_says_no_does_not_stop_the_others():
    async def answer(one):
        if one.seat == 1:
            raise Refused("not now")
        return "answer"

    async with background() as tasks:
        said = await Asking(tasks).each(TWO, answer, 60)
    assert said.answers == {2: "answer"}
    assert str(said.refused[1]) == "not now"
    assert not said.silent


async def test_what_is_no_word_of_an_enclave_ends_whoever_asked():
    async def answer(one):
        raise RuntimeError("a defect")

    with pytest.raises(ExceptionGroup) as broken:
        async with background() as tasks:
            await Asking(tasks).each(TWO, answer, 60)
    assert broken.group_contains(RuntimeError, match="a defect")
