"""Real clients of a network in memory: `Owner`, `Account` and all others, as they are.

    with memory(seed, folder) as world, served(world) as net:
        owner = net.owner()
        …
        account = Account(credential, net.url)
        account.sign_transaction(…)

What they send goes to the node's own gateway without a socket. While the block lasts, the time of
this process is the network's: `time.time`, `time.monotonic`, `time.thread_time` and `time.sleep`
are its. Waiting costs only what the network does meanwhile, and nothing depends on how fast the
machine is: nobody owes for what its queries took here.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlsplit

from starlette.applications import Starlette

from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base.errors import Portable
from keymoot.gateway.app import create_app
from keymoot.gateway.door import Door
from keymoot.node.wiring import Node
from keymoot.testing.network import World
from keymoot.testing.turns import Beside, Turns

T = TypeVar("T")

URL = "http://127.0.0.1:1"
"""Where a client finds the network; nothing listens there outside of the block."""


class PowerCut(Portable, Exception):
    """The node has ended as a power cut ends it, at the step that was asked for."""

    def __init__(self) -> None:
        super().__init__("the power was cut at the step that was asked for")


class Served:
    """A network in memory, and the door to it at `url`, for clients of this process.

    `defects` are errors that the gateway had not foreseen: there should be none.
    """

    def __init__(self, world: World, url: str = URL) -> None:
        self.world, self.url = world, url
        self.defects: list[Exception] = []
        self._turns = Turns(world)
        self._app: Starlette | None = None
        self._over = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    @property
    def network(self) -> Network:
        return Network(self.url)

    def owner(self) -> Owner:
        owner = Owner(self.network, new_key())
        owner.network.faucet(owner.address)
        return owner

    # -- the node

    def start(self) -> None:
        """Start the node, and wait until it can sign; PowerCut where the cut of `kill_at` came."""
        self.wait(self._start())

    def stop(self) -> None:
        self.wait(self._stop())

    def kill(self) -> None:
        """End the node as a power cut does: what is not on the disk is lost."""
        self.world.host.cut_power()
        self.wait(self._stop())

    def kill_at(self, word: str, count: int, moment: str) -> None:
        """Have the power cut come at a step, as `Machine.at` names it.

        `start` raises `PowerCut` where that is before its end.
        """
        self.world.host.at(word, count, moment, self._cut)

    @property
    def runs(self) -> bool:
        return self._running is not None and not self._over.is_set()

    def _cut(self) -> None:
        self.world.host.cut_power()
        self._over.set()
        if self._running is not None:
            self._running.cancel()

    async def _start(self) -> None:
        if self.runs:
            raise RuntimeError("the node runs already")
        await self._stop()
        self._over = asyncio.Event()
        ready: asyncio.Future[None] = self.world.loop.create_future()
        self._running = self.world.loop.create_task(self._run(ready))
        await asyncio.wait({ready, self._running}, return_when=asyncio.FIRST_COMPLETED)
        if self._running.done():
            ended, self._running = self._running, None
            if self._over.is_set():
                raise PowerCut
            ended.result()

    async def _run(self, ready: asyncio.Future[None]) -> None:
        async with self.world.running() as node:
            self._app = self._gateway(node)
            ready.set_result(None)
            try:
                await self._over.wait()
            finally:
                self._app = None

    async def _stop(self) -> None:
        running, self._running = self._running, None
        self._over.set()
        if running is not None:
            await asyncio.wait({running})
            if not running.cancelled():
                running.result()

    def _gateway(self, node: Node) -> Starlette:
        return create_app(node.services, lambda _, error: self.defects.append(error), Door())

    # -- whoever waits

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self._turns.wait(work)

    def until(self, true: Callable[[], Any], what: str = "what was waited for") -> Any:
        """`true` may look at the network, and asks it nothing that takes time."""
        return self.wait(self.world.until(true, what))

    def sleep(self, seconds: float) -> None:
        self._turns.sleep(seconds)

    def beside(self, work: Callable[[], T]) -> Beside[T]:
        """Do something beside whatever else happens, as in a thread; see `Beside.result`."""
        return self._turns.beside(work)

    # -- what clients send

    def exchange(
        self, verb: str, path: str, body: bytes | None, deadline: float
    ) -> tuple[int, bytes]:
        """Status and content of the gateway's answer; the deadline is by the network's clock.

        Raises:
            NetworkUnreachable: no node runs.
            ConnectionLost: no answer came in time, or the node ended.
        """
        if self._app is None:
            raise NetworkUnreachable(self.url, "Connection refused")
        return self.wait(self._exchange(self._app, verb, path, body, deadline))

    async def _exchange(
        self, app: Starlette, verb: str, path: str, body: bytes | None, deadline: float
    ) -> tuple[int, bytes]:
        asked = asyncio.ensure_future(self._asked(app, verb, path, body))
        over = asyncio.ensure_future(self._over.wait())
        left = max(deadline - self.world.loop.time(), 0.0)
        await asyncio.wait({asked, over}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
        over.cancel()
        if asked.done():
            return asked.result()
        asked.cancel()
        why = "closed the connection" if self._over.is_set() else "timed out"
        raise ConnectionLost(f"{self.url}: {why}")

    async def _asked(
        self, app: Starlette, verb: str, path: str, body: bytes | None
    ) -> tuple[int, bytes]:
        """Speak ASGI with the gateway: one request, one answer."""
        parts = urlsplit(path)
        host = urlsplit(self.url)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": verb,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(b"host", host.netloc.encode()), (b"content-type", b"application/json")],
            "client": (host.hostname, 2),
            "server": (host.hostname, host.port),
        }
        waiting = [{"type": "http.request", "body": body or b"", "more_body": False}]
        status, raw = 0, bytearray()

        async def receive() -> dict[str, Any]:
            if waiting:
                return waiting.pop()
            await asyncio.Event().wait()  # It does not hang up.
            raise AssertionError

        async def send(message: Any) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                raw.extend(message.get("body", b""))

        await app(scope, receive, send)
        return status, bytes(raw)


@contextmanager
def served(world: World, url: str = URL) -> Iterator[Served]:
    """Start the node, and let this process's clients in beside a block; they name it by `url`."""
    with not_yet_served(world, url) as net:
        net.start()
        yield net


@contextmanager
def not_yet_served(world: World, url: str = URL) -> Iterator[Served]:
    """As `served`, for a block that starts the node itself."""
    net = Served(world, url)
    plain = Transport._exchange  # noqa: SLF001  the one place at which bytes leave a client

    def exchange(
        transport: Transport,
        verb: str,
        path: str,
        body: bytes | None,
        deadline: float,
        longest: int,
    ) -> tuple[int, bytes]:
        if transport.url != net.url:
            return plain(transport, verb, path, body, deadline, longest)
        return net.exchange(verb, path, body, deadline)

    with ExitStack() as stack:
        stack.enter_context(patch.object(Transport, "_exchange", exchange))
        stack.enter_context(patch.object(time, "monotonic", world.loop.time))
        stack.enter_context(patch.object(time, "thread_time", world.loop.time))
        stack.enter_context(patch.object(time, "time", lambda: world.loop.clock() / 1e9))
        stack.enter_context(patch.object(time, "sleep", net.sleep))
        stack.callback(net.stop)
        yield net
