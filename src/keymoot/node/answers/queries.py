"""Queries that need confidential state: the server hands each to one of its enclaves.

One at a time for all of them, since they share the machine with the certificates. Who waits is
bounded, and so is the time. An enclave that ends, or is behind, is no answer: the next is asked.
"""

import asyncio
from collections.abc import Callable, Sequence

from keymoot.base.errors import KeymootError, Refused
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.queries import QueryStopped
from keymoot.enclave.query_thread import QUERY_SECONDS
from keymoot.gateway.services import QueriesBusy, Ran
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.runtime.asked import ExecutedQuery, QueryResult

MAX_WAITING = 16
"""Queries that wait for their turn."""

ASK_SECONDS = 2 * QUERY_SECONDS
"""How long all enclaves together may take over one query."""


class NoEnclaveAnswers(Refused, code="NO_ENCLAVE"):
    def __init__(self, why: str) -> None:
        super().__init__(
            f"confidential state opens in an enclave, and none here answers now ({why}): ask again"
        )


class EnclaveQueries:
    def __init__(self, seats: Callable[[], Sequence[SeatHolder]]) -> None:
        self._seats = seats
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._next = 0

    async def ask(self, asked: ExecutedQuery, ran: Ran) -> QueryResult:
        """Have a query answered; tell `ran` for how many seconds it was worked on."""
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

    async def _ask(self, asked: ExecutedQuery) -> QueryResult:
        why = "none of them executes yet"
        able = [seat for seat in self._seats() if seat.alive and seat.begun]
        self._next += 1
        at = self._next % len(able) if able else 0
        try:
            async with asyncio.timeout(ASK_SECONDS):
                for enclave in (*able[at:], *able[:at]):
                    try:
                        return await enclave.process.query(asked)
                    except EnclaveRefused as error:
                        if error.code == QueryStopped.code:
                            raise
                        why = str(error)
                    except KeymootError as error:
                        why = str(error)
        except TimeoutError:
            why = f"not within {ASK_SECONDS:g} s"
        raise NoEnclaveAnswers(why)
