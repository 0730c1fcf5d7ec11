"""One seat: an enclave that is kept running, each of its starts a replica of its own.

A start joins, begins at the newest certified block, or watches until it has the state secret,
and ends with its process; then there is a new one. What enclaves say goes to the ledger; they
never speak to each other. Of secrets nothing leaves them.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from functools import partial

import structlog

from keymoot.base.errors import KeymootError, Malformed, Refused
from keymoot.base.units import Height
from keymoot.enclave.answer import RequestAnswer
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.frames import CertifiedPlace
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.enclave.start import NoStateSecret
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.ledger import Ledger
from keymoot.engine.replicas import BlockExecutor
from keymoot.engine.whereabouts import arose
from keymoot.node.clock import Clock
from keymoot.node.feed.postbox import Postbox, SaysTooMuch
from keymoot.node.feed.process import Launch, Process
from keymoot.node.feed.replica import EnclaveReplica
from keymoot.node.supervisor.health import Health
from keymoot.node.tasks import background
from keymoot.runtime.committee_pages import gather_pages

RESTART_SECONDS = 0.2
MAX_RESTART_SECONDS = 10.0
"""Pause before an enclave that ended is started again; it doubles while it keeps ending."""

PULSE_SECONDS = 1.0
"""How often an enclave may see that time has passed."""

log = structlog.get_logger("keymoot.seats")


class BlockMissing(Refused, code="BLOCK_MISSING"):
    """The data folder has lost a block."""

    def __init__(self, height: Height) -> None:
        super().__init__(f"block {height} is missing in the data folder: restore it whole")


class FoundingEnded(Refused, code="FOUNDING_ENDED"):
    """An enclave ended while its network was being founded."""

    def __init__(self, seat: int) -> None:
        super().__init__(
            f"the enclave of seat {seat} ended while its network was being founded, and each "
            "founder signs with the keys of one start: run `keymoot up` again, which begins anew"
        )
        self.seat = seat


class SeatHolder:
    """The enclave of one seat.

    Attributes:
        process: Its present start, or its last one.
        restarts: How often it was started again.
        alive: Whether its process runs, and has begun or watches.
    """

    def __init__(
        self, seat: int, process: Process, launch: Launch, clock: Clock, ledger: Ledger
    ) -> None:
        """Take over a start that has joined; nothing is asked of it before `run`."""
        self.seat = seat
        self.process = process
        self.restarts = 0
        self.alive = False
        self.health = Health(seat, clock)
        self._launch = launch
        self._ledger = ledger
        self._postbox = Postbox(ledger)
        self._replica: EnclaveReplica | None = None
        self._newer = asyncio.Event()
        process.listen(partial(self._hear, process))

    @property
    def identity(self) -> EnclaveGreeting:
        return self.process.identity

    @property
    def begun(self) -> bool:
        """Whether it executes; else it watches until it has the state secret."""
        return self._replica is not None

    def saw(self, height: Height) -> bool:
        """Tell whether it executes, and began below a height."""
        return self._replica is not None and self._replica.begun < height

    def show(self) -> None:
        """Say that there is a newer certified block: who watches is shown it."""
        self._newer.set()

    def lost(self, replica: BlockExecutor[RequestAnswer], error: Exception) -> None:
        """End a start that is over, or broke the protocol; a new one follows."""
        if replica is self._replica:
            self._unseat()
            self._over(self.process, error)

    async def stored(self) -> bool:
        """Say what is on disk; tell whether it has left, with nothing kept of its seat."""
        return await self.process.stored(self._ledger.height())

    # -- life

    async def run(self, begun: asyncio.Future[None]) -> None:
        """Keep the enclave running until cancelled; it is ended then.

        Of its first start `begun` is told that it has begun, or watches; or why it does not, and
        then nothing is kept running. FoundingEnded: its network can be founded no more.
        """
        try:
            async with background() as tasks:
                tasks.start(self._postbox.run())
                tasks.start(self._look())
                try:
                    status = await self._live(partial(_tell, begun))
                except KeymootError as error:
                    if not begun.done():
                        begun.set_exception(error)
                    return
                while True:
                    self.health.ended(status)
                    if self._ledger.founding_record() is None:
                        raise FoundingEnded(self.seat)
                    status = await self._live_again()
        finally:
            await self.process.close()

    async def _live_again(self) -> int:
        """Start the enclave again, however often that takes; give the status of its next end."""
        while True:
            pause = RESTART_SECONDS * 2 ** min(max(self.health.ends - 1, 0), 8)
            await asyncio.sleep(min(pause, MAX_RESTART_SECONDS))
            with suppress(OSError):
                await self.process.close()
            try:
                self.process = await self._launch(self.seat)
                self.process.listen(partial(self._hear, self.process))
                await self.process.join(self._ledger.genesis.encode(), self.seat)
                return await self._live(self._is_back)
            except (KeymootError, OSError) as error:
                # Strangers can use up what a process needs to start: for a time, not for good.
                self.process.kill()
                self.health.starts_not(error)

    def _is_back(self) -> None:
        self.restarts += 1
        self.health.started()

    async def _live(self, begun: Callable[[], None]) -> int:
        """Follow the ledger with the present start until its process ends; give its status."""
        process = self.process
        try:
            async with background() as tasks:
                tasks.start(self._serve(process))
                executes = await self._begin(process)
                self.alive = True
                begun()
                tasks.start(self._pulse(process))
                if not executes:
                    tasks.start(self._watch(process))
                return await process.ended()
        finally:
            self.alive = False
            self._unseat()

    async def _begin(self, process: Process) -> bool:
        """Begin at the newest certified block; tell whether it has what that takes."""
        chain = self._ledger.chain
        place, height = place_of(chain), chain.tip.height
        try:
            await process.begin(place)
        except EnclaveRefused as error:
            if error.code != NoStateSecret.code:
                raise
            log.info("enclave.watches", seat=self.seat, height=height)
            return False
        self._replica = EnclaveReplica(self.seat, height, process, self.health.refused)
        self._ledger.sequencer.seat(self._replica)
        return True

    async def _serve(self, process: Process) -> None:
        try:
            await process.serve(self._ledger.chain)
        except KeymootError as error:
            # It asks for what is no state, or the disk has none: it cannot go on with that.
            log.warning("enclave.cannot_read", seat=self.seat, reason=str(error))
            process.kill()
        except Exception as error:  # noqa: BLE001  what one enclave asks stops no other one
            log.error("enclave.reads_fail", seat=self.seat, error=arose(error))  # noqa: TRY400
            process.kill()

    async def _watch(self, process: Process) -> None:
        """Show certified states to an enclave until it has the state secret; then begin."""
        chain = self._ledger.chain
        self._newer.set()
        try:
            while True:
                await self._newer.wait()
                self._newer.clear()
                place = place_of(chain)
                if place is None:
                    continue
                root, network = chain.tip.state_root, chain.genesis.network
                witness = gather_pages(chain.snapshot, root, network, chain.cache)
                if await process.watch(place, witness) and await self._begin(process):
                    return
        except (Malformed, Refused) as error:
            self._over(process, error)

    async def _pulse(self, process: Process) -> None:
        """Let the enclave see that time has passed, and what is on disk, until cancelled."""
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            try:
                await process.pulse()
                await self.stored()
                self.health.well()
            except Refused as error:
                self.health.refused(error)
            except Malformed as error:
                self._over(process, error)

    async def _look(self) -> None:
        """Look whether the enclave answers what it was asked, until cancelled."""
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            self.health.observe(self.process.asked_at if self.alive else None)

    def _hear(self, process: Process, raw: bytes) -> None:
        try:
            self._postbox.put(raw)
        except SaysTooMuch as error:
            process.listen(_overhear)
            self._over(process, error)

    def _over(self, process: Process, error: Exception) -> None:
        log.warning("enclave.start_over", seat=self.seat, reason=str(error))
        process.kill()

    def _unseat(self) -> None:
        replica, self._replica = self._replica, None
        if replica is not None:
            self._ledger.sequencer.unseat(replica)


def _tell(begun: asyncio.Future[None]) -> None:
    """Tell who waits; that may have been given up."""
    if not begun.done():
        begun.set_result(None)


def _overhear(_: bytes) -> None:
    """Take no notice of what is said."""


def place_of(chain: ChainStore) -> CertifiedPlace | None:
    """Give the newest certified block as an enclave is shown it; None before the founding."""
    record, height = chain.record, chain.tip.height
    if record is None:
        return None
    block = chain.block(height)
    if block is None:
        raise BlockMissing(height)
    return CertifiedPlace(record.encode(), block.header.encode(), chain.certificate(height) or b"")
