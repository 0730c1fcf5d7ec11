"""Writes what certificates cover, one synced write each, and tells of it afterwards."""

import asyncio
from collections.abc import Callable

from keymoot.base.storage import CannotWrite
from keymoot.engine.chain_store import CertifiedRun, ChainStore
from keymoot.engine.tail import BlockTail
from keymoot.store.table import Batch

WRITE_AGAIN_SECONDS = 1.0
"""Pause before what the disk did not take is tried again."""


class Writer:
    """The only one that writes blocks.

    Attributes:
        listeners: Called with what is on disk now, in the order in which they stand here.
    """

    def __init__(self, chain: ChainStore, tail: BlockTail) -> None:
        self.listeners: list[Callable[[CertifiedRun], None]] = []
        self._chain, self._tail = chain, tail

    async def write(self, covered: CertifiedRun, beside: Batch) -> None:
        """Write until the disk takes it; then let readers see it, and tell.

        Entries `beside` the chain, which are no part of it, go into the same write.
        """
        batch = {**beside, **self._chain.batch(covered)}
        while True:
            try:
                await self._in_a_thread(batch)
                break
            except CannotWrite:
                await asyncio.sleep(WRITE_AGAIN_SECONDS)
        self._chain.adopt(covered)
        self._tail.written()
        for listener in self.listeners:
            listener(covered)

    async def _in_a_thread(self, batch: Batch) -> None:
        """Write beside everything else; who is cancelled waits, for the file is closed next."""
        writing = asyncio.get_running_loop().run_in_executor(None, self._chain.write, batch)
        try:
            await asyncio.shield(writing)
        except asyncio.CancelledError:
            await asyncio.wait([writing])
            writing.exception()  # Whoever would have been told has ended.
            raise
