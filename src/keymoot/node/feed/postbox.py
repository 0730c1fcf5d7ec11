"""What one enclave says, on its way to the ledger.

A bounded queue: an enclave has few messages waiting, each for a moment. One that says more
than the ledger takes is broken, and must not fill the node's memory.
"""

import asyncio

import structlog

from keymoot.base.errors import Fault, KeymootError
from keymoot.engine.ledger import Ledger
from keymoot.engine.whereabouts import arose

MAX_WAITING = 1_024
"""Messages of one enclave that wait: many times what a step of a protocol has it say."""

MAX_BYTES = 16_777_216
"""What all of them have together: a quarter of what the ledger lets wait for everybody."""

CARRIERS = 8
"""Messages of one enclave that are handed to the ledger side by side; one may have to wait."""

log = structlog.get_logger("keymoot.postbox")


class SaysTooMuch(Fault, code="SAYS_TOO_MUCH"):
    """An enclave says more than the ledger takes."""

    def __init__(self, count: int, size: int) -> None:
        super().__init__(
            f"{count} messages of {size} bytes would wait, at most {MAX_WAITING} of {MAX_BYTES} may"
        )


class Postbox:
    """Hands what an enclave says to the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._count = self._bytes = 0

    def put(self, raw: bytes) -> None:
        """Take a message."""
        count, size = self._count + 1, self._bytes + len(raw)
        if count > MAX_WAITING or size > MAX_BYTES:
            raise SaysTooMuch(count, size)
        self._count, self._bytes = count, size
        self._queue.put_nowait(raw)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            for _ in range(CARRIERS):
                tasks.create_task(self._carry())

    async def _carry(self) -> None:
        while True:
            raw = await self._queue.get()
            await self._post(raw)
            self._count -= 1
            self._bytes -= len(raw)

    async def _post(self, raw: bytes) -> None:
        ledger = self._ledger
        while True:
            try:
                await ledger.submit(raw)
            except KeymootError as error:
                # It may follow from a block whose certificate enclaves know, and readers not yet.
                if ledger.sequencer.tail.certified > ledger.height():
                    await ledger.new_block()
                    continue
                # What came too late is not wanted any more; nothing is lost.
                log.debug("message.unwanted", reason=str(error))
            except Exception as error:  # noqa: BLE001  what one enclave says stops no other one
                log.error("message.fails", error=arose(error))  # noqa: TRY400  no words of others
            return
