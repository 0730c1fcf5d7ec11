"""Queries that need confidential state: the server hands each to one of its enclaves.

One at a time for all of them, since they share the machine with the certificates. Who waits is
bounded, and so is the time. An enclave that ends, or is behind, is no answer: the next is asked.
"""

import asyncio
from collections.abc import Callable, Sequence

from keymoot.base.errors import KeymootError, Refused
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.queries import QueryStopped
from keymoot.enclave.sideline import QUERY_SECONDS
from keymoot.gateway.services import QueriesBusy, Ran
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.runtime.asked import Asked, Found

MAX_WAITING = 16
"""Queries that wait for their turn."""

ASK_SECONDS = 2 * QUERY_SECONDS
"""How long all enclaves together may take over one query."""


class NoEnclaveAnswers(Refused):
    """No enclave here can answer a query now."""

    code = "NO_ENCLAVE"

    def __init__(self, why: str) -> None:
        """Say why, and what to do."""
        super().__init__(
            f"confidential state opens in an enclave, and none here answers now ({why}): ask again"
        )


class EnclaveQueries:
    """Has enclaves answer."""

    def __init__(self, seats: Callable[[], Sequence[SeatHolder]]) -> None:
        """Ask those that `seats` gives."""
        self._seats = seats
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._next = 0

    async def ask(self, asked: Asked, ran: Ran) -> Found:
        """Have a query answered; tell `ran` for how many seconds it was worked on.

        Raises:
            QueriesBusy: too many wait.
            NoEnclaveAnswers: none here executes, or none answers in time.
            EnclaveRefused: it runs too long.
        """
        if self._waiting >= MAX_WAITING:
            raise QueriesBusy(MAX_WAITING)
        self._waiting += 1
        try:
            async with self._turn:
                clock = asyncio.get_running_loop().time
                started = clock()
                try:
                    return await self._ask(asked)
                finally:
                    ran(clock() - started)
        finally:
            self._waiting -= 1

    async def _ask(self, asked: Asked) -> Found:
        why = "none of them executes yet"
        able = [one for one in self._seats() if one.alive and one.begun]
        self._next += 1
        at = self._next % len(able) if able else 0
        try:
            async with asyncio.timeout(ASK_SECONDS):
                for one in (*able[at:], *able[:at]):
                    try:
                        return await one.process.query(asked)
                    except EnclaveRefused as error:
                        if error.code == QueryStopped.code:
                            raise
                        why = str(error)
                    except KeymootError as error:
                        why = str(error)
        except TimeoutError:
            why = f"not within {ASK_SECONDS:g} s"
        raise NoEnclaveAnswers(why)
