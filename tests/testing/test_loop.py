"""Time that passes when everybody waits."""

import asyncio
import time
from random import Random

import pytest

from keymoot.base.units import UnixNanos
from keymoot.testing.loop import NothingHappens, VirtualLoop


def run(story, seed: int = 0):  # type: ignore[no-untyped-def]
    loop = VirtualLoop(Random(seed), UnixNanos(10**18))
    try:
        return loop.run_whole(story(loop))
    finally:
        loop.close()


def test_a_day_passes_at_once_and_in_order() -> None:
    heard = []

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        heard.append(seconds)

    async def story(loop: VirtualLoop) -> tuple[float, int]:
        await asyncio.gather(wait(86_400.0), wait(0.5), wait(60.0))
        return loop.time(), loop.clock()

    began = time.monotonic()
    seconds, clock = run(story)
    assert time.monotonic() - began < 60
    assert heard == [0.5, 60.0, 86_400.0]
    assert seconds == pytest.approx(86_400.0)
    assert clock == pytest.approx(10**18 + 86_400 * 10**9, abs=1_000)


def test_a_timeout_comes_in_its_own_time() -> None:
    async def story(loop: VirtualLoop) -> float:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(7.0):
                await loop.create_future()
        return loop.time()

    assert run(story) == pytest.approx(7.0)


def test_work_for_a_thread_is_done_here_a_moment_later() -> None:
    async def story(loop: VirtualLoop) -> tuple[int, float]:
        return await asyncio.to_thread(lambda: 6 * 7), loop.time()

    found, after = run(story)
    assert found == 42
    assert 0 < after < 0.01


def test_what_such_work_raises_reaches_who_waits() -> None:
    async def story(_: VirtualLoop) -> None:
        await asyncio.to_thread(lambda: 1 // 0)

    with pytest.raises(ZeroDivisionError):
        run(story)


def test_where_nothing_can_happen_any_more_it_says_so() -> None:
    async def story(loop: VirtualLoop) -> None:
        await loop.create_future()

    with pytest.raises(NothingHappens, match="everybody waits"):
        run(story)


def test_an_error_that_no_task_takes_ends_the_run() -> None:
    async def story(loop: VirtualLoop) -> None:
        loop.call_later(1.0, lambda: 1 // 0)
        await asyncio.sleep(5.0)

    with pytest.raises(ZeroDivisionError):
        run(story)
