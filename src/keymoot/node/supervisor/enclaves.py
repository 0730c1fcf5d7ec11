"""All enclaves of this machine: members, who comes, and who has left and not erased all yet."""

import asyncio

import structlog

from keymoot.base.errors import Refused
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.engine.chain_store import Covered
from keymoot.engine.ledger import Ledger
from keymoot.engine.replicas import Replica
from keymoot.node.clock import Clock
from keymoot.node.feed.process import Launch, Process
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.node.tasks import Tasks

log = structlog.get_logger("keymoot.seats")


class SeatRuns(Refused):
    """An enclave of this seat runs already."""

    code = "SEAT_RUNS"

    def __init__(self, seat: int) -> None:
        """Name the seat."""
        super().__init__(f"the enclave of seat {seat} runs already")


class Enclaves:
    """The enclaves that run here, by seat."""

    def __init__(self, ledger: Ledger, launch: Launch, clock: Clock, tasks: Tasks) -> None:
        """Begin with none.

        Args:
            ledger: What they execute.
            launch: Starts the enclave of a seat.
            clock: The time of day.
            tasks: Keep them running.
        """
        self._ledger, self._launch, self._clock, self._tasks = ledger, launch, clock, tasks
        self._holders: dict[int, SeatHolder] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        ledger.sequencer.on_written(self._written)
        ledger.sequencer.on_lost(self._lost)
        ledger.sequencer.on_blamed(_blame)

    @property
    def seats(self) -> tuple[SeatHolder, ...]:
        """Them all, in the order of their seats."""
        return tuple(self._holders[seat] for seat in sorted(self._holders))

    def holder(self, seat: int) -> SeatHolder | None:
        """Give the enclave of a seat; None if it does not run here."""
        return self._holders.get(seat)

    def saw(self, height: Height) -> frozenset[int]:
        """Give the seats of enclaves that run, and began below a height."""
        return frozenset(one.seat for one in self.seats if one.alive and one.saw(height))

    async def add(self, seat: int) -> None:
        """Start one more enclave, unless it runs; it follows the ledger from here on.

        Raises:
            EnclaveRefused: it cannot start.
            OSError: this machine lacks what that takes.
        """
        if seat in self._holders:
            return
        process = await self._launch(seat)
        try:
            await process.join(self._ledger.genesis.encode(), seat)
            await self.enter(seat, process)
        except BaseException:
            await process.close()
            raise

    async def enter(self, seat: int, process: Process) -> None:
        """Have a start that has joined begin, and keep its seat's enclave running from here on.

        Raises:
            SeatRuns: another one runs already.
            KeymootError: it does not begin; it is ended.
        """
        if seat in self._holders:
            raise SeatRuns(seat)
        holder = SeatHolder(seat, process, self._launch, self._clock, self._ledger)
        begun: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._holders[seat] = holder
        self._running[seat] = self._tasks.start(holder.run(begun))
        try:
            await begun
        except BaseException:
            await self.remove(seat)
            raise

    async def remove(self, seat: int) -> None:
        """End an enclave, if it runs; its folder stays."""
        running = self._running.pop(seat, None)
        if self._holders.pop(seat, None) is None or running is None:
            return
        running.cancel()
        await asyncio.wait({running})

    def _written(self, _: Covered) -> None:
        for one in self.seats:
            one.show()

    def _lost(self, replica: Replica[Answer], error: Exception) -> None:
        one = self._holders.get(replica.seat)
        if one is not None:
            one.lost(replica, error)


def _blame(seat: int, height: Height, words: str) -> None:
    log.warning("enclave.blamed", seat=seat, height=height, reason=words)
