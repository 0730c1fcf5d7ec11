"""Requests that come together are answered together: one message to each enclave."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from keymoot.base.errors import Refused
from keymoot.enclave.messages import MAX_BATCH

MAX_WAITING = 32 * MAX_BATCH
"""Questions that wait for the answers to those before."""

Q = TypeVar("Q")
A = TypeVar("A")


class TooManyWait(Refused):
    """More is asked than enclaves answer."""

    code = "TOO_MANY_WAIT"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(f"{MAX_WAITING} requests wait for enclaves already: ask again in a moment")


class Together(Generic[Q, A]):
    """Answers questions that came while the ones before were answered, all at once."""

    def __init__(self, answer: Callable[[list[Q]], Awaitable[list[A]]]) -> None:
        """Answer by `answer`, which gives as many answers as it got questions."""
        self._answer = answer
        self._queue: list[tuple[Q, asyncio.Future[A]]] = []
        self._wake = asyncio.Event()

    async def ask(self, question: Q) -> A:
        """Wait for the answer to one question.

        Raises:
            TooManyWait: so many do already.
        """
        if len(self._queue) >= MAX_WAITING:
            raise TooManyWait
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._queue.append((question, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
        """Answer what waits, until cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                batch, self._queue = self._queue[:MAX_BATCH], self._queue[MAX_BATCH:]
                await self._serve(batch)

    async def _serve(self, batch: list[tuple[Q, asyncio.Future[A]]]) -> None:
        try:
            answers = await self._answer([question for question, _ in batch])
        except Exception as error:  # noqa: BLE001  handed to everyone who waits
            for _, future in batch:
                if not future.done():
                    future.set_exception(error)
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
