"""A sequencer in a temporary folder, with a committee in memory and a clock that tests move."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.engine.folder import open_chain
from keymoot.engine.ledger import Included, Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.mempool import Mempool
from keymoot.engine.sequencer import Sequencer
from tests.engine.committee import Chained, Lies, MemoryReplica, genesis_of, message
from tests.engine.parts import Clock

PATIENCE_SECONDS = 60


class House:
    """One node's chain, sequencer and replicas; `reopen` is a restart."""

    def __init__(self, folder: Path, seats: tuple[int, ...] = (1, 2, 3, 4)) -> None:
        self.folder, self.seats = folder, seats
        self.clock = Clock()
        self.genesis = genesis_of()
        self.lies = {seat: Lies() for seat in seats}
        self.blamed: list[tuple[int, Height, str]] = []
        self.lost: list[tuple[int, Exception]] = []
        self.answers: list[tuple[int, Height, str]] = []
        self.open()

    def open(self) -> None:
        self.store = LmdbStore(self.folder, map_bytes=1 << 28)
        self.chain = open_chain(self.store, self.genesis)
        self.sequencer: Sequencer[str] = Sequencer(self.chain, Mempool(), self.clock)
        self.ledger = Ledger(self.sequencer, self.clock)
        chained = Chained(self.chain)
        self.replicas = {
            seat: MemoryReplica(seat, chained, self.chain.tip.height, self.lies[seat])
            for seat in self.seats
        }
        for replica in self.replicas.values():
            self.sequencer.seat(replica)
        self.sequencer.on_blamed(lambda *one: self.blamed.append(one))
        self.sequencer.on_lost(lambda one, why: self.lost.append((one.seat, why)))
        self.sequencer.on_answers(
            lambda seat, height, said: self.answers.extend((seat, height, one) for one in said)
        )

    def close(self) -> None:
        self.chain.close()
        self.store.close()

    def reopen(self) -> None:
        self.close()
        self.open()

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[asyncio.Task[None]]:
        running = self.running = asyncio.create_task(self.sequencer.run())
        try:
            yield running
        finally:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    async def found(self) -> None:
        """Found the network: any message makes the first block."""
        async with self.at_work():
            await self.include(self.word())

    def word(self) -> bytes:
        """Give something that a founder says."""
        return message(self.genesis, 1)

    async def include(self, *raws: bytes) -> list[Included]:
        names = [await self.ledger.submit(raw) for raw in raws]
        return [await self.included(name) for name in names]

    async def included(self, name: Hash32) -> Included:
        waiting = asyncio.create_task(self.ledger.wait(name, PATIENCE_SECONDS))
        await asyncio.wait([waiting, self.running], return_when=asyncio.FIRST_COMPLETED)
        if not waiting.done():
            waiting.cancel()
            self.running.result()
        found = await waiting
        assert found is not None
        return found

    def thaw(self, seat: int) -> None:
        """Have a replica that hangs answer what it was asked, and go on."""
        self.lies[seat].silent = False
        self.lies[seat].thawed.set()

    async def settle(self) -> None:
        """Make blocks until nothing waits that could go into one."""
        async with self.at_work():
            while self.sequencer._candidates() or self.sequencer.waits_for_shares:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            await self.sequencer._applied()

    @property
    def height(self) -> int:
        return self.ledger.height()


@asynccontextmanager
async def founded(folder: Path) -> AsyncIterator[House]:
    """Give a node whose network is founded."""
    house = House(folder)
    try:
        await house.found()
        yield house
    finally:
        house.close()
