"""All enclaves of this machine: members, who comes, and who has left and not erased all yet."""

import asyncio

import structlog

from keymoot.base.errors import Refused
from keymoot.base.units import Height
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.chain_store import CertifiedRun
from keymoot.engine.ledger import Ledger
from keymoot.engine.replicas import BlockExecutor
from keymoot.node.clock import Clock
from keymoot.node.feed.process import Launch, Process
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.node.tasks import Tasks

log = structlog.get_logger("keymoot.seats")


class SeatRuns(Refused, code="SEAT_RUNS"):
    """An enclave of this seat runs already."""

    def __init__(self, seat: int) -> None:
        super().__init__(f"the enclave of seat {seat} runs already")


class Enclaves:
    """The enclaves that run here, by seat."""

    def __init__(self, ledger: Ledger, launch: Launch, clock: Clock, tasks: Tasks) -> None:
        self._ledger, self._launch, self._clock, self._tasks = ledger, launch, clock, tasks
        self._holders: dict[int, SeatHolder] = {}
        self._running: dict[int, asyncio.Task[None]] = {}
        ledger.sequencer.on_written(self._written)
        ledger.sequencer.on_lost(self._lost)
        ledger.sequencer.on_blamed(_blame)

    @property
    def seats(self) -> tuple[SeatHolder, ...]:
        return tuple(self._holders[seat] for seat in sorted(self._holders))

    def holder(self, seat: int) -> SeatHolder | None:
        return self._holders.get(seat)

    def saw(self, height: Height) -> frozenset[int]:
        """Give the seats of enclaves that run, and began below a height."""
        return frozenset(seat.seat for seat in self.seats if seat.alive and seat.saw(height))

    async def add(self, seat: int) -> None:
        """Start one more enclave, unless it runs; it follows the ledger from here on."""
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
        """Have a start that has joined begin, and keep its seat's enclave running from here on."""
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

    def _written(self, _: CertifiedRun) -> None:
        for seat in self.seats:
            seat.show()

    def _lost(self, replica: BlockExecutor[RequestAnswer], error: Exception) -> None:
        holder = self._holders.get(replica.seat)
        if holder is not None:
            holder.lost(replica, error)


def _blame(seat: int, height: Height, words: str) -> None:
    log.warning("enclave.blamed", seat=seat, height=height, reason=words)
