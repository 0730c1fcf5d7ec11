"""Requests that come together are answered together: one message to each enclave."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

from keymoot.enclave.messages import MAX_BATCH

Q = TypeVar("Q")
A = TypeVar("A")


class Together(Generic[Q, A]):
    """Answers questions that came while the ones before were answered, all at once."""

    def __init__(self, answer: Callable[[list[Q]], Awaitable[list[A]]]) -> None:
        """Answer by `answer`, which gives as many answers as it got questions."""
        self._answer = answer
        self._queue: list[tuple[Q, asyncio.Future[A]]] = []
        self._wake = asyncio.Event()

    async def ask(self, question: Q) -> A:
        """Wait for the answer to one question."""
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
