"""Ask enclaves, several at once, and never wait long for one of them.

An enclave may hang, or its machine may be too busy. Whoever asks goes on after a stated time
with what the others said; who owes an answer is asked no more until that one comes, so that
nothing piles up before a process that reads nothing.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog

from keymoot.base.errors import KeymootError
from keymoot.node.seats import SeatHolder

RECOVERY_SECONDS = 10.0
"""How long an enclave may take for a step of a recovery before the others go on without it."""

A = TypeVar("A")

Ask = Callable[[SeatHolder], Awaitable[A]]

log = structlog.get_logger("keymoot.asking")


@dataclass(frozen=True, slots=True)
class Said(Generic[A]):
    """What came of a question.

    Attributes:
        found: Answers, by seat.
        refused: What others said no with, by seat; also that their process has ended.
        silent: Seats that have not answered in time, or owe an answer to an earlier question.
    """

    found: dict[int, A]
    refused: dict[int, KeymootError]
    silent: frozenset[int]


class Asking:
    """The node's questions to its enclaves about who comes, who goes, and when."""

    def __init__(self) -> None:
        """Begin with nobody asked."""
        self._owed: dict[int, asyncio.Future[Any]] = {}

    @property
    def silent(self) -> frozenset[int]:
        """Seats whose last question has waited longer than its time for an answer."""
        return frozenset(seat for seat, one in self._owed.items() if not one.done())

    async def each(self, seats: Sequence[SeatHolder], ask: Ask[A], seconds: float) -> Said[A]:
        """Put one question to some enclaves, and give what they say within `seconds`.

        Raises:
            Exception: what `ask` raised that is no error of ours.
        """
        silent = self.silent
        asked = {one.seat: _begin(ask, one) for one in seats if one.seat not in silent}
        if asked:
            await asyncio.wait(asked.values(), timeout=seconds)
        said: Said[A] = Said({}, {}, silent & {one.seat for one in seats} | _open(asked))
        for seat, task in asked.items():
            if seat in said.silent:
                self._owed[seat] = task
                continue
            self._owed.pop(seat, None)
            error = task.exception()
            if error is None:
                said.found[seat] = task.result()
            elif isinstance(error, KeymootError):
                said.refused[seat] = error
            else:
                raise error
        return said

    def forget(self) -> None:
        """Let go of what is owed: the enclaves are about to end."""
        for task in self._owed.values():
            task.cancel()
        self._owed.clear()


async def of_each(seats: Sequence[SeatHolder], ask: Ask[A]) -> dict[int, A]:
    """Give what enclaves answer in a recovery, by seat: each is asked, whatever it owes.

    Who says no, or nothing for long, is left out.
    """
    asking = Asking()
    said = await asking.each(seats, ask, RECOVERY_SECONDS)
    asking.forget()
    for seat, error in said.refused.items():
        log.warning("enclave.does_not_recover", seat=seat, reason=str(error))
    for seat in sorted(said.silent):
        log.warning("enclave.does_not_recover", seat=seat, reason="it does not answer")
    return said.found


def _begin(ask: Ask[A], seat: SeatHolder) -> asyncio.Future[A]:
    async def one() -> A:
        return await ask(seat)

    task = asyncio.ensure_future(one())
    # What comes too late is taken, so that nobody complains that it was never looked at.
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return task


def _open(asked: dict[int, asyncio.Future[A]]) -> frozenset[int]:
    return frozenset(seat for seat, task in asked.items() if not task.done())
