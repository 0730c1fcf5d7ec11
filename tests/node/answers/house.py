"""Enclaves that answer, and where their answers come together: for tests of `share_collector`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.answers.response_cache import ResponseCache
from keymoot.node.answers.share_collector import Heard, ShareCollector
from keymoot.node.answers.signing_material import SigningMaterial
from tests.loops import own_time

REQUEST, OTHER = Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)
ECDSA = SigningMaterial(Height(7), UnixSeconds(10**6), 2, 3)
PATIENCE = 30.0


def good(seat: int, request: Hash32 = REQUEST) -> RequestAnswer:
    return RequestAnswer(request, bytes([seat]), b"s")


def no(code: str = "NOT_HELD", request: Hash32 = REQUEST) -> RequestAnswer:
    return RequestAnswer(request, b"", b"", code, "no")


class House:
    """A store, four enclaves that saw everything, and what they are asked."""

    def __init__(self, folder: Path, need: SigningMaterial | None = ECDSA) -> None:
        self.store = LmdbStore(folder, map_bytes=1 << 20)
        self.given = ResponseCache(self.store)
        self.expected = frozenset({1, 2, 3, 4})
        self.asked: list[list[Hash32]] = []
        self.again: Heard = []
        self.need = need
        self.made = ShareCollector(
            self.given,
            lambda _: self.need,
            lambda _: self.expected,
            self.ask,
            lambda: UnixSeconds(100),
            lambda: ECDSA.well,
        )

    async def ask(self, requests: Sequence[Hash32]) -> Heard:
        self.asked.append(list(requests))
        return self.again

    def handle(self, seat: int, *answers: RequestAnswer) -> None:
        self.made.handle(seat, Height(7), answers or [good(seat)])

    async def of(self, seconds: float = PATIENCE) -> dict[int, RequestAnswer]:
        return await self.made.of(REQUEST, self.need or ECDSA, seconds)

    def on_disk(self) -> dict[int, RequestAnswer]:
        """Give what another start of the node would find."""
        return ResponseCache(self.store).get(REQUEST, (self.need or ECDSA).until) or {}


def scenario(house: House, story: Callable[[], Awaitable[Any]]) -> None:
    async def whole() -> None:
        running = asyncio.create_task(house.made.run())
        try:
            await story()
        finally:
            running.cancel()
            house.store.close()

    with asyncio.Runner(loop_factory=own_time) as runner:
        runner.run(whole())
