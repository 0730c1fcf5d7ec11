"""A whole node in this process: its own wiring, and enclaves behind its own client.

Each enclave is the real one, with sealed files and reads over a socket; only its process is
missing. So a test can have it say something else, hang, or end.
"""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, cast

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Fault, Malformed, Refused
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.secret import Secret
from keymoot.enclave import messages
from keymoot.enclave.channel import Channel, EnclaveGone, EnclaveRefused
from keymoot.enclave.messages import Identity
from keymoot.enclave.remote import Remote
from keymoot.enclave.service import Enclave
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.engine.ledger import Ledger
from keymoot.moot import stock
from keymoot.moot.assembly import Assembly
from keymoot.node import wiring
from keymoot.node.clock import system_clock
from keymoot.node.config import Config
from keymoot.node.feed.local import LocalProcess
from keymoot.node.membership.changes import Changes
from keymoot.node.membership.membership import Membership
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.node.wiring import Node, started

CODE = Measurement(b"c" * 48)

PATIENCE_SECONDS = 240


class InsideClient(LocalProcess):
    """The server's end of an enclave that runs in threads of this process."""

    def __init__(self, seat: int, folder: Path) -> None:
        ours, theirs = socket.socketpair()
        self._loop = asyncio.get_running_loop()
        self._theirs = theirs
        self._door = threading.Lock()
        self._ended: asyncio.Future[int] = self._loop.create_future()
        folder.mkdir(parents=True, exist_ok=True)
        platform = SimulatedPlatform(Secret(bytes([seat]) * 32), CODE)
        self.enclave = Enclave(folder, platform, Remote(theirs), self._said)
        self.enclave.wake = self._woken
        self.asked: list[str] = []
        """Words that it was asked, in their order."""
        self.hangs = False
        greeted = self._handle(messages.HELLO, Bytes32(b"n" * 32))
        super().__init__(cast("Any", None), Channel(), ours, Identity.decode(greeted))

    @classmethod
    async def greeted(cls, seat: int, config: Config) -> "InsideClient":
        return cls(seat, config.enclave_folder(seat))

    @property
    def pid(self) -> int:
        return 0

    def kill(self) -> None:
        """End it as a crash does: what it had in memory is gone."""
        if not self._ended.done():
            self._ended.set_result(-9)
            self._theirs.close()

    async def ended(self) -> int:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self.kill()
        if self._reads is not None:
            self._reads.close()

    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        self.asked.append(word)
        if self._ended.done():
            raise EnclaveGone
        if self.hangs:
            await asyncio.wait({self._ended}, timeout=PATIENCE_SECONDS)
        asked = rlp.decode(rlp.encode(body), max_items=1 << 20)
        done = asyncio.ensure_future(asyncio.to_thread(self._handle, word, asked))
        done.add_done_callback(lambda one: one.cancelled() or one.exception())
        await asyncio.wait({done, self._ended}, return_when=asyncio.FIRST_COMPLETED)
        if not done.done():
            raise EnclaveGone
        return done.result()

    def _handle(self, word: str, body: rlp.Decoded) -> rlp.Decoded:
        with self._door:
            try:
                answer = self.enclave.handle(word, body)
            except (Refused, Fault, Malformed) as error:
                raise EnclaveRefused(error.code, str(error)) from error
        return rlp.decode(rlp.encode(answer), max_items=1 << 20)

    def _said(self, raw: bytes) -> None:
        self._call(lambda: self._channel.unasked(raw))

    def _woken(self) -> None:
        self._call(lambda: self._loop.run_in_executor(None, self._look))

    def _look(self) -> None:
        with self._door, suppress(OSError):
            if not self._ended.done():
                self.enclave.look()

    def _call(self, what: Callable[[], Any]) -> None:
        with suppress(RuntimeError):
            if not self._ended.done():
                self._loop.call_soon_threadsafe(what)


class Inside:
    """A node and what tests do with it."""

    def __init__(self, node: Node, config: Config) -> None:
        self.node, self.config = node, config

    @property
    def membership(self) -> Membership:
        return self.node.membership

    @property
    def enclaves(self) -> Enclaves:
        return self.membership.enclaves

    @property
    def changes(self) -> Changes:
        return self.membership.changes

    @property
    def ledger(self) -> Ledger:
        return self.membership.ledger

    def assembly(self) -> Assembly:
        return self.membership.roster.assembly()

    def holder(self, seat: int) -> SeatHolder:
        found = self.enclaves.holder(seat)
        assert found is not None
        return found

    def client(self, seat: int) -> InsideClient:
        found = self.holder(seat).process
        assert isinstance(found, InsideClient)
        return found

    async def until(self, true: Callable[[], Any]) -> Any:
        """Wait until something holds, and give it."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not (found := true()):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            return found

    async def until_seated(self) -> None:
        """Wait until all enclaves are known by their present starts, and there is stock."""

        def ready() -> bool:
            assembly = self.assembly()
            known = assembly.hall.seats() if assembly.hall.founded else {}
            starts = all(
                (one := self.enclaves.holder(at)) is not None
                and one.alive
                and one.identity.boot == seat.boot
                for at, seat in known.items()
            )
            stocked = assembly.hall.ready and assembly.handout.standing.exists
            return bool(starts and stocked and assembly.stock.left())

        await self.until(ready)


@pytest.fixture
def inside(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Give what runs a node in this process: `async with inside(folder, size) as node`."""
    monkeypatch.setattr(wiring, "measure", lambda _: CODE)
    monkeypatch.setattr(stock, "BATCH_SIZE", 2)
    monkeypatch.setattr(stock, "MIN_READY", 1)

    @asynccontextmanager
    async def running(folder: Path, size: int | None = None) -> AsyncIterator[Inside]:
        config = Config(folder / "data", folder / "cpu" / "fuse.key", nodes=size)
        made: asyncio.Future[Inside] = asyncio.get_running_loop().create_future()

        async def run() -> None:
            """Run the node in a task of its own, which a fixture of a test is not."""
            async with started(
                config, lambda seat: InsideClient.greeted(seat, config), system_clock
            ) as node:
                made.set_result(Inside(node, config))
                await (await made).until_seated()
                seated.set()
                await over.wait()

        seated, over = asyncio.Event(), asyncio.Event()
        working = asyncio.create_task(run())
        waiting = asyncio.create_task(seated.wait())
        try:
            await asyncio.wait({working, waiting}, return_when=asyncio.FIRST_COMPLETED)
            if working.done():
                working.result()
            yield made.result()
        finally:
            waiting.cancel()
            over.set()
            await asyncio.wait({working})
            working.result()

    return running
