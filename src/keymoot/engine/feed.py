"""Feeds one replica: every decided block in order, and certificates as they come.

Each replica has its own pace: nobody waits for one that is behind or hangs. It gets the
certificate of a block before the next block, wherever there is one by then: only so does it
sign the next, and answer what the block bound.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from keymoot.base.errors import Refused
from keymoot.base.units import Height
from keymoot.engine.replicas import BlockExecutor, ReleasedOutcomes
from keymoot.engine.tail import BlockTail
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote

A = TypeVar("A")

RETRY_SECONDS = 0.1
"""Pause before a replica is asked again for what it could not do."""


class Feed(Generic[A]):
    """One replica and how far it is.

    Attributes:
        shown: The newest certificate that it was shown.
        telling: What it is to tell with the next certificate.
        told: What it was asked to tell with the newest one.
        resting: Blocks under whose certificate enough others answer.
        doubted: How often what it was asked to tell was not believed, or did not come in time.
    """

    def __init__(
        self,
        replica: BlockExecutor[A],
        tail: BlockTail,
        hear: Callable[[int, Height, Vote], None],
        release: "Callable[[Feed[A], Height, ReleasedOutcomes[A]], None]",
    ) -> None:
        self.replica = replica
        self.executed = self.shown = replica.begun
        self.telling = self.told = Disclosure.NOTHING
        self.resting: set[Height] = set()
        self.doubted = 0
        self.task: asyncio.Task[Any] | None = None
        self._tail = tail
        self._hear, self._release = hear, release
        self._again: list[Height] = []
        self._wake = asyncio.Event()

    @property
    def tells(self) -> bool:
        """Whether it is to tell anything with the next certificate."""
        return self.telling is not Disclosure.NOTHING

    def wake(self) -> None:
        self._wake.set()

    def ask_again(self) -> None:
        """Have it asked once more for what it gives for blocks that it executed.

        For the lowest that is not certified, whose parent's certificate it may know by now, and
        for the newest.
        """
        lowest = Height(self._tail.certified + 1)
        if lowest <= self.executed:
            self._again = list(dict.fromkeys((lowest, self.executed)))
            self.wake()

    async def run(self) -> None:
        """Feed it until cancelled."""
        while True:
            self._wake.clear()
            try:
                busy = await self._step()
            except Refused:
                await asyncio.sleep(RETRY_SECONDS)
                continue
            if not busy:
                await self._wake.wait()

    async def _step(self) -> bool:
        """Do what comes next; tell whether there was anything."""
        certified = self._to_show()
        if certified is not None:
            proof = self._tail.proof(certified)
            self.told, self.telling = self.telling, Disclosure.NOTHING
            rests = certified in self.resting
            released = await self.replica.certify(certified, proof, self.told, rests=rests)
            self.shown = certified
            self.resting = {height for height in self.resting if height > certified}
            # What it executed above waits for this: it may sign now.
            self.ask_again()
            self._release(self, certified, released)
        elif self.executed < self._tail.top:
            await self._execute(Height(self.executed + 1))
        elif self._again:
            await self._execute(self._again.pop(0))
        else:
            return False
        return True

    async def _execute(self, height: Height) -> None:
        ballot = await self.replica.execute(self._tail.raw(height))
        self.executed = max(self.executed, height)
        self._hear(self.replica.seat, height, ballot)

    def _to_show(self) -> Height | None:
        """Give the newest certified block that it executed and knows no certificate of."""
        for height in (self.executed, self._tail.certified):
            if self.shown < height <= self.executed and self._tail.proof(height):
                return height
        return None
