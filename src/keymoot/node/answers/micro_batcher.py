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


class TooManyWait(Refused, code="TOO_MANY_WAIT"):
    message = f"{MAX_WAITING} requests wait for enclaves already: ask again in a moment"


class MicroBatcher(Generic[Q, A]):
    """Answers questions that came while the ones before were answered, all at once."""

    def __init__(self, answer: Callable[[list[Q]], Awaitable[list[A]]]) -> None:
        self._answer = answer
        self._queue: list[tuple[Q, asyncio.Future[A]]] = []
        self._wake = asyncio.Event()

    async def ask(self, question: Q) -> A:
        if len(self._queue) >= MAX_WAITING:
            raise TooManyWait
        future: asyncio.Future[A] = asyncio.get_running_loop().create_future()
        self._queue.append((question, future))
        self._wake.set()
        return await future

    async def run(self) -> None:
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
