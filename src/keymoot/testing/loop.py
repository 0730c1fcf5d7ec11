"""An event loop whose time is its own: it passes when everybody waits, and costs nothing.

What waits for a moment has it at once, in the order of the moments. So an hour of a network takes
as long as its work, and a run happens again as it was. Threads are not allowed: work for an
executor is done by the loop itself, a moment later.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine, Mapping
from random import Random
from typing import Any, TypeVar

from keymoot.base.errors import Portable
from keymoot.base.units import UnixNanos

T = TypeVar("T")

MAX_DISK_SECONDS = 0.004
"""Longest time that work for an executor takes: what a synced write takes on an ordinary disk."""


class NothingHappens(Portable, AssertionError):
    """Everybody waits for somebody, and nothing is due: no time will change that."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"after {seconds:.3f} s nothing is due, and everybody waits for somebody")


class _Selector(selectors.BaseSelector):
    """Lets the loop's clock jump to the next moment instead of waiting for it."""

    def __init__(self, jump: Callable[[float | None], None]) -> None:
        self._real = selectors.SelectSelector()
        self._jump = jump

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        return self._real.register(fileobj, events, data)

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        return self._real.unregister(fileobj)

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Give what is there; if that is nothing, let the time pass."""
        events = self._real.select(0)
        if not events and timeout != 0:
            self._jump(timeout)
        return events

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return self._real.get_map()

    def close(self) -> None:
        self._real.close()


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop for one run."""

    def __init__(self, rng: Random, start: UnixNanos) -> None:
        """Begin at `start` on everybody's clock; `rng` says how long a disk takes."""
        super().__init__(_Selector(self._jump))
        self._seconds, self._start, self._rng = 0.0, start, rng
        self.broken: BaseException | None = None
        """The first error that no task was there to take."""

    def time(self) -> float:
        return self._seconds

    def clock(self) -> UnixNanos:
        return UnixNanos(self._start + round(self._seconds * 1e9))

    def run_in_executor(  # type: ignore[override]
        self,
        executor: Any,  # noqa: ARG002
        func: Any,
        *args: Any,
    ) -> asyncio.Future[Any]:
        """Have work done a moment from now, in this thread; `executor` is of no account."""
        done: asyncio.Future[Any] = self.create_future()

        def work() -> None:
            if done.cancelled():
                return
            try:
                done.set_result(func(*args))
            except Exception as error:  # noqa: BLE001  whoever waits is told
                done.set_exception(error)

        self.call_later(self._rng.uniform(0.0001, MAX_DISK_SECONDS), work)
        return done

    def run_whole(self, story: Coroutine[Any, Any, T]) -> T:
        """Run to the end, or the first error that no task was there to take."""
        task = self.create_task(story)

        def broke(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
            error = context.get("exception")
            if self.broken is None and isinstance(error, Exception):
                self.broken = error
                task.cancel()

        self.set_exception_handler(broke)
        try:
            return self.run_until_complete(task)
        except asyncio.CancelledError:
            if self.broken is not None:
                raise self.broken from None
            raise

    def _jump(self, timeout: float | None) -> None:
        if timeout is None:
            raise NothingHappens(self._seconds)
        self._seconds += timeout
