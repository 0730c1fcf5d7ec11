"""The enclaves of an embedded network: n processes, each a replica, each of its own.

A `SeatHolder` is one enclave as the node sees it: it is started, joins, begins at the newest
certified block, and is started anew when its process ends or its start is over. What it says
goes to the ledger; enclaves never speak to each other. Of secrets nothing leaves it.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

import structlog

from keymoot.base.errors import KeymootError, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.enclave.client import EnclaveRefused
from keymoot.enclave.frames import Place
from keymoot.enclave.messages import Identity
from keymoot.enclave.start import NoStateSecret
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.replicas import Replica
from keymoot.node.clock import Clock
from keymoot.node.health import Health
from keymoot.node.process import Launch, Process
from keymoot.node.replica import EnclaveReplica
from keymoot.runtime.assembly import gather_pages

RESTART_SECONDS = 0.2
MAX_RESTART_SECONDS = 10.0
"""Pause before an enclave that ended is started again; it doubles while it keeps ending."""

ANSWER_SECONDS = 2.0
"""How long others wait for an enclave that has been asked for answers."""

Say = Callable[[bytes], None]
"""Takes what an enclave has to say to the ledger."""

log = structlog.get_logger("keymoot.seats")


class EnclaveSilent(Refused):
    """The enclave has not answered what it was asked."""

    code = "ENCLAVE_SILENT"

    def __init__(self, seat: int) -> None:
        """Name the seat."""
        super().__init__(f"the enclave of seat {seat} does not answer")


class FoundingEnded(Refused):
    """An enclave ended while its network was being founded."""

    code = "FOUNDING_ENDED"

    def __init__(self, seat: int) -> None:
        """Say what to do."""
        super().__init__(
            f"the enclave of seat {seat} ended while its network was being founded, and each "
            "founder signs with the keys of one start: run `keymoot up` again, which begins anew"
        )
        self.seat = seat


class Follows(Protocol):
    """Feeds replicas, as the engine does."""

    def seat(self, replica: Replica[Answer]) -> None:
        """Feed a replica from where it has begun."""
        ...

    def unseat(self, replica: Replica[Answer]) -> None:
        """Let go of a replica."""
        ...


class SeatHolder:
    """One enclave at one seat."""

    def __init__(self, seat: int, launch: Launch, clock: Clock, process: Process) -> None:
        """Take over a started enclave; `launch` starts it anew."""
        self.seat = seat
        self.process = process
        self.restarts = 0
        self._launch = launch
        self._genesis = b""
        self._chain: ChainStore | None = None
        self._follows: Follows | None = None
        self._say: Say = lambda _: None
        self._replica: EnclaveReplica | None = None
        self._reads: asyncio.Task[None] | None = None
        self._watches: asyncio.Task[None] | None = None
        self._newer = asyncio.Event()
        self._owed: asyncio.Future[list[Answer]] | None = None
        self._pulsing = False
        self.alive = True
        """Whether its process runs and has joined."""
        self.health = Health(seat, clock)

    @classmethod
    async def start(cls, seat: int, launch: Launch, clock: Clock) -> "SeatHolder":
        """Start the enclave of a seat.

        Raises:
            EnclaveRefused: it cannot start.
        """
        return cls(seat, launch, clock, await launch(seat))

    @property
    def identity(self) -> Identity:
        """Who the enclave is, with the keys of its present start."""
        return self.process.identity

    @property
    def begun(self) -> bool:
        """Whether it executes; else it watches until it has the state secret."""
        return self._replica is not None

    def saw(self, height: Height) -> bool:
        """Tell whether it executes, and began below a height."""
        return self._replica is not None and self._replica.begun < height

    # -- beginning

    async def join(self, genesis: bytes) -> None:
        """Join the network.

        Raises:
            EnclaveRefused: it belongs to another one, or is not listed.
        """
        self._genesis = genesis
        await self.process.join(genesis, self.seat)

    def attach(self, chain: ChainStore, follows: Follows, say: Say) -> None:
        """Connect the enclave to the ledger: what it says goes to `say`."""
        self._chain, self._follows, self._say = chain, follows, say
        self._connect(chain)

    async def begin(self) -> None:
        """Begin at the newest certified block, or watch where the state secret is missing.

        Raises:
            EnclaveRefused: it does not believe the block.
        """
        chain, follows = self._chain, self._follows
        if chain is None or follows is None:
            raise Refused("the enclave is not attached yet")
        process, place, height = self.process, place_of(chain), chain.tip.height
        try:
            await process.begin(place)
        except EnclaveRefused as error:
            if error.code != NoStateSecret.code:
                raise
            log.info("enclave.watches", seat=self.seat, height=height)
            self._newer.set()
            self._watches = asyncio.create_task(self._watch(chain, process))
            return
        self._replica = EnclaveReplica(self.seat, height, process, self.health.refused)
        follows.seat(self._replica)

    def show(self) -> None:
        """Say that there is a newer certified block: who watches is shown it."""
        self._newer.set()

    def lost(self, replica: Replica[Answer], error: Exception) -> None:
        """End a start that is over, or broke the protocol; a new one follows."""
        if replica is self._replica:
            log.warning("enclave.start_over", seat=self.seat, reason=str(error))
            self._end()

    # -- what it is asked

    async def answer(self, requests: Sequence[Hash32]) -> list[Answer]:
        """Have requests answered (again); one question at a time.

        Raises:
            EnclaveSilent: no answer in time; it is asked no more until that one comes.
        """
        if self._owed is not None and not self._owed.done():
            raise EnclaveSilent(self.seat)
        self._owed = asyncio.ensure_future(self.process.answer(requests))
        self._owed.add_done_callback(_look_away)
        done, _ = await asyncio.wait({self._owed}, timeout=ANSWER_SECONDS)
        if not done:
            log.warning("enclave.silent", seat=self.seat)
            raise EnclaveSilent(self.seat)
        return self._owed.result()

    async def pulse(self) -> None:
        """Let the enclave see that time has passed, unless the last time is still to come."""
        self.health.look(self.process.asked_at if self.alive else None)
        if self._pulsing:
            return
        self._pulsing = True
        try:
            await self.process.pulse()
            await self.stored()
            self.health.well()
        except Refused as error:
            self.health.refused(error)
        finally:
            self._pulsing = False

    async def stored(self) -> bool:
        """Say what is on disk; tell whether it has left, with nothing kept of its seat.

        Raises:
            EnclaveRefused: it belongs to no network yet, or this start is over.
        """
        return self._chain is not None and await self.process.stored(self._chain.tip.height)

    # -- life

    async def watch(self) -> None:
        """Start the enclave again whenever its process ends.

        Raises:
            FoundingEnded: its network was not founded yet, and cannot be any more.
        """
        while True:
            status = await self.process.ended()
            self._let_go()
            self.alive = False
            self.health.ended(status)
            if self._chain is not None and self._chain.record is None:
                raise FoundingEnded(self.seat)
            pause = RESTART_SECONDS * 2 ** min(max(self.health.ends - 1, 0), 8)
            await asyncio.sleep(min(pause, MAX_RESTART_SECONDS))
            try:
                await self._begin_anew()
                self.restarts += 1
                self.health.started()
            except (KeymootError, OSError) as error:
                # Strangers can use up what a process needs to start: for a time, not for good.
                self.health.starts_not(error)

    async def close(self) -> None:
        """End the enclave; it is shown nothing more."""
        self.alive = False
        self._let_go()
        await self.process.close()
        if self._reads is not None:
            self._reads.cancel()

    async def _begin_anew(self) -> None:
        with suppress(ConnectionError, OSError):
            await self.process.close()
        self.process = await self._launch(self.seat)
        try:
            await self.process.join(self._genesis, self.seat)
            if self._chain is not None:
                self._connect(self._chain)
                await self.begin()
        except KeymootError:
            self._end()
            raise
        self.alive = True

    def _connect(self, chain: ChainStore) -> None:
        if self._reads is not None:
            self._reads.cancel()
        self._reads = asyncio.create_task(self._serve(chain, self.process))
        self.process.listen(self._say)

    async def _serve(self, chain: ChainStore, process: Process) -> None:
        """Answer the enclave's reads until its process ends."""
        try:
            await process.serve(chain)
        except KeymootError as error:
            # It asks for what is no state, or the disk has none: it cannot go on with that.
            log.warning("enclave.cannot_read", seat=self.seat, reason=str(error))
            process.kill()

    async def _watch(self, chain: ChainStore, process: Process) -> None:
        """Show certified states to an enclave until it has the state secret; then begin."""
        try:
            while True:
                await self._newer.wait()
                self._newer.clear()
                place = place_of(chain)
                if place is None:
                    continue
                root, network = chain.tip.state_root, chain.genesis.network
                witness = gather_pages(chain.snapshot, root, network, chain.cache)
                if await process.watch(place, witness):
                    self._watches = None
                    await self.begin()
                    return
        except (Malformed, Refused) as error:
            log.warning("enclave.start_over", seat=self.seat, reason=str(error))
            process.kill()

    def _end(self) -> None:
        """Kill the process: whoever watches it starts it anew."""
        self._let_go()
        self.process.kill()

    def _let_go(self) -> None:
        if self._replica is not None and self._follows is not None:
            self._follows.unseat(self._replica)
        self._replica = None
        if self._watches is not None:
            self._watches.cancel()
            self._watches = None


def place_of(chain: ChainStore) -> Place | None:
    """Give the newest certified block as an enclave is shown it; None before the founding."""
    record, height = chain.record, chain.tip.height
    if record is None:
        return None
    block = chain.block(height)
    if block is None:
        raise Refused(f"block {height} is missing in the data folder: restore it whole")
    return Place(record.encode(), block.header.encode(), chain.certificate(height) or b"")


def _look_away(owed: asyncio.Future[Any]) -> None:
    """Take what came too late, so that nobody complains that it was never looked at."""
    if not owed.cancelled():
        owed.exception()
