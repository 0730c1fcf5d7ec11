"""Tasks that end with the block that began them, and whose errors reach it."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from keymoot.base.errors import Refused

T = TypeVar("T")


class Ending(Refused, code="NODE_STOPS"):
    message = "the node is stopping: ask again when it runs"


class Tasks:
    """What a block of `background` runs beside itself."""

    def __init__(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        # In the order in which they began, and so they are ended: a run can be repeated.
        self._running: dict[asyncio.Task[Any], None] = {}

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run something until it ends, or the block does.

        What it raises ends the block, and everything else in it. Whoever cancels the task ends
        nothing but that.
        """
        try:
            task = self._group.create_task(work)
        except RuntimeError as error:
            work.close()
            raise Ending from error
        self._running[task] = None
        task.add_done_callback(self._ended)
        return task

    def stop(self) -> None:
        """Cancel what runs, and is not being cancelled: that would break off how it ends."""
        for task in list(self._running):
            if not task.cancelling():
                task.cancel()

    def _ended(self, task: asyncio.Task[Any]) -> None:
        del self._running[task]


@asynccontextmanager
async def background() -> AsyncIterator[Tasks]:
    """Run tasks beside a block: they are cancelled, and have ended, when it has.

    Raises:
        Exception: what the block raised, as it is.
        ExceptionGroup: what tasks raised; the block was cancelled then.
    """
    failed: Exception | None = None
    try:
        async with asyncio.TaskGroup() as group:
            tasks = Tasks(group)
            try:
                yield tasks
            except Exception as error:  # noqa: BLE001  raised below, once all tasks have ended
                failed = error
            # Where the block is cancelled the group does this.
            tasks.stop()
    except BaseExceptionGroup as others:
        if failed is not None:
            raise others.derive([failed, *others.exceptions]) from None
        raise
    if failed is not None:
        raise failed
