"""When a block waits for company: while requests of the blocks before it are being answered.

Certificate and sync to disk cost the same for one request as for many. Whoever is alone waits
for nobody.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

COMPANY_SECONDS = 0.05
"""How long a block waits at most for more transactions."""

RECENT_BLOCKS = 4
"""Requests of so many newest blocks are waited for."""


class BlockDelay:
    """Counts who is being answered."""

    def __init__(self) -> None:
        self._answered = 0
        self._go = asyncio.Event()

    @property
    def answered(self) -> bool:
        return self._answered > 0

    @contextmanager
    def answering(self, age: int) -> Iterator[None]:
        """Let blocks wait: a request is answered, `age` blocks after the one that bound it.

        Not for one that a block long ago has bound: whoever fetches it again and again would
        make all others wait.
        """
        counts = age < RECENT_BLOCKS
        self._answered += counts
        try:
            yield
        finally:
            self._answered -= counts
            if not self._answered:
                self._go.set()

    async def gather(self) -> None:
        """Wait until nobody is being answered, or time is up."""
        if not self.answered:
            return
        self._go.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(COMPANY_SECONDS):
                await self._go.wait()
