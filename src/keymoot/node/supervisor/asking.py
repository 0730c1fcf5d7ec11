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
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.node.tasks import Tasks, background

RECOVERY_SECONDS = 10.0
"""How long an enclave may take for a step of a recovery before the others go on without it."""

A = TypeVar("A")

Ask = Callable[[SeatHolder], Awaitable[A]]

log = structlog.get_logger("keymoot.asking")


@dataclass(frozen=True, slots=True)
class AskOutcome(Generic[A]):
    """What came of a question.

    Attributes:
        answers: Answers, by seat.
        refused: What others said no with, by seat; also that their process has ended.
        silent: Seats that have not answered in time, or owe an answer to an earlier question.
    """

    answers: dict[int, A]
    refused: dict[int, KeymootError]
    silent: frozenset[int]


class Asking:
    """Questions of one kind to the enclaves of this machine, by seat."""

    def __init__(self, tasks: Tasks) -> None:
        self._tasks = tasks
        self._owed: dict[int, asyncio.Task[Any]] = {}

    @property
    def silent(self) -> frozenset[int]:
        """Seats whose last question has waited longer than its time for an answer."""
        return frozenset(seat for seat, owed in self._owed.items() if not owed.done())

    async def each(self, seats: Sequence[SeatHolder], ask: Ask[A], seconds: float) -> AskOutcome[A]:
        """Put one question to some enclaves, and give what they say within `seconds`.

        What `ask` raises that is no error of ours ends the tasks, and whoever runs them.
        """
        silent = self.silent
        asked = {
            enclave.seat: self._tasks.start(_answer(ask, enclave))
            for enclave in seats
            if enclave.seat not in silent
        }
        if asked:
            await asyncio.wait(asked.values(), timeout=seconds)
        said: AskOutcome[A] = AskOutcome(
            {}, {}, silent & {enclave.seat for enclave in seats} | _open(asked)
        )
        for seat, task in asked.items():
            if seat in said.silent:
                self._owed[seat] = task
                continue
            self._owed.pop(seat, None)
            answer = task.result()
            if isinstance(answer, KeymootError):
                said.refused[seat] = answer
            else:
                said.answers[seat] = answer
        return said


async def of_each(seats: Sequence[SeatHolder], ask: Ask[A]) -> dict[int, A]:
    """Give what enclaves answer in a recovery, by seat: each is asked, whatever it owes.

    Who says no, or nothing for long, is left out.
    """
    async with background() as tasks:
        said = await Asking(tasks).each(seats, ask, RECOVERY_SECONDS)
    for seat, error in said.refused.items():
        log.warning("enclave.does_not_recover", seat=seat, reason=str(error))
    for seat in sorted(said.silent):
        log.warning("enclave.does_not_recover", seat=seat, reason="it does not answer")
    return said.answers


async def _answer(ask: Ask[A], seat: SeatHolder) -> A | KeymootError:
    try:
        return await ask(seat)
    except KeymootError as error:
        return error


def _open(asked: dict[int, asyncio.Task[A | KeymootError]]) -> frozenset[int]:
    """Give who has not answered, also since the node ends."""
    return frozenset(seat for seat, task in asked.items() if not task.done() or task.cancelled())
