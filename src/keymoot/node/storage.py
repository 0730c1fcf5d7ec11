"""Watch the disk: say when it takes nothing, and find out when it does again.

The engine tries its own blocks again by itself. Where it has none, somebody has to knock.
"""

import asyncio
from contextlib import suppress

import structlog

from keymoot.base.storage import CannotWrite
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.chain_store import put_probe
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.sequencer import Sequencer
from keymoot.store.table import Batch

LOOK_SECONDS = 1.0

PROBE_BYTES = 262_144
"""What the disk has to take before it counts as one that takes something again."""

log = structlog.get_logger("keymoot.storage")


class StorageWatch:
    """Tells the log, and the ledger, how the node's disk is."""

    def __init__(self, store: LmdbStore, sequencer: Sequencer[RequestAnswer]) -> None:
        self._store = store
        self._sequencer = sequencer
        self._told: str | None = None

    async def run(self) -> None:
        while True:
            self.poll()
            await asyncio.sleep(LOOK_SECONDS)

    def poll(self) -> None:
        """Say what has changed; knock where nobody else does, and say what that has changed."""
        self._tell()
        if self._store.shortage is not None and not self._writes():
            with suppress(CannotWrite):
                for content in (bytes(PROBE_BYTES), None):
                    batch: Batch = {}
                    put_probe(batch, content)
                    self._store.write(batch)
            self._tell()

    def _tell(self) -> None:
        shortage = self._store.shortage
        if shortage is not None and self._told != str(shortage):
            log.error("storage.takes_nothing", reason=str(shortage))
        elif shortage is None and self._told is not None:
            log.info("storage.takes_again")
        self._told = None if shortage is None else str(shortage)

    def _writes(self) -> bool:
        """Tell whether the engine has something to write, and so tries by itself."""
        return self._sequencer.tail.certified > self._sequencer.chain.tip.height
