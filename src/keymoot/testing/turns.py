"""Code that waits, beside a loop whose time is its own: of all of it, one runs at a time.

An owner's or an agent's code calls, waits and sleeps as if nobody else were there. Here it lets
the network go on meanwhile: what it waits for is done by the loop, in the loop's time. Whose turn
it is, is the loop's order, and no clock's: the same run has the same order.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar, cast

from keymoot.testing.network import World

T = TypeVar("T")

_mine = threading.local()


class Turns:
    """Who waits for a network in memory: the thread that made it, and others beside it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._maker = threading.get_ident()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        """Have the loop do it; only for the maker's thread, and those of `beside`."""
        own: Beside[Any] | None = getattr(_mine, "turn", None)
        if own is not None:
            return cast("T", own.wait(work))
        if threading.get_ident() != self._maker or self._world.loop.is_running():
            work.close()
            raise RuntimeError("a network in memory is used by the thread that made it: see beside")
        return self._world.run(work)

    def sleep(self, seconds: float) -> None:
        self.wait(asyncio.sleep(seconds))

    def beside(self, work: Callable[[], T]) -> "Beside[T]":
        """Do something beside whatever else happens; it begins when somebody waits."""
        return Beside(self, self._world.loop, work)


class Beside(Generic[T]):
    """Something that somebody does beside the others."""

    def __init__(
        self, turns: Turns, loop: asyncio.AbstractEventLoop, work: Callable[[], T]
    ) -> None:
        self._turns, self._loop, self._work = turns, loop, work
        self._ours, self._loops = threading.Semaphore(0), threading.Semaphore(0)
        self._done: asyncio.Future[T] = loop.create_future()
        # Who never asks for the result is told nothing.
        self._done.add_done_callback(lambda future: future.exception())
        threading.Thread(target=self._run, daemon=True, name="beside").start()
        loop.call_soon(self._go_on)

    @property
    def done(self) -> bool:
        return self._done.done()

    def result(self) -> T:
        """Wait for its end; give what it gave, or raise what it raised."""
        return self._turns.wait(self._ended())

    async def _ended(self) -> T:
        return await self._done

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Have something done by the loop; called by its own thread, in its turn."""
        task = self._loop.create_task(work)
        task.add_done_callback(lambda _: self._go_on())
        self._loops.release()
        self._ours.acquire()
        return task.result()

    def _go_on(self) -> None:
        """Give the thread its turn; it is the loop's again when that waits, or ends."""
        self._ours.release()
        self._loops.acquire()

    def _run(self) -> None:
        self._ours.acquire()
        _mine.turn = self
        try:
            self._done.set_result(self._work())
        except Exception as error:  # noqa: BLE001  whoever asks for the result is told
            self._done.set_exception(error)
        finally:
            self._loops.release()
