"""A process of which tests say what it does: no enclave is behind it."""

import asyncio
from collections.abc import Callable


class Begins:
    """A process that begins, and ends when it is killed."""

    asked_at = None

    def __init__(self) -> None:
        self.killed, self.closed = asyncio.Event(), 0
        self.hear: Callable[[bytes], None] = lambda _: None

    def listen(self, hear: Callable[[bytes], None]) -> None:
        self.hear = hear

    async def join(self, genesis: bytes, seat: int) -> None:
        assert genesis == b"genesis"
        assert seat

    async def begin(self, place: object) -> None:
        assert place is None

    async def serve(self, views: object) -> None:
        assert views

    async def ended(self) -> int:
        await self.killed.wait()
        return -9

    def kill(self) -> None:
        self.killed.set()

    async def close(self) -> None:
        self.kill()
        self.closed += 1
