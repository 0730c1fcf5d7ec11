"""An enclave without a process: the real one behind its frames, on the time of a virtual loop.

Frames go in and out with delays and take the enclave some time, one after the other, as on a
socket. It can be frozen, thawed and killed, as a process can. Its long arithmetic is done
beside it. Of a clone and of an old disk it knows nothing: these are its folder's affairs.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from random import Random

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds, seconds_of
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.task import SeatTask
from keymoot.enclave import frames, messages
from keymoot.enclave.channel import Channel
from keymoot.enclave.measurement import measure, own_package
from keymoot.enclave.messages import EnclaveGreeting
from keymoot.enclave.process import respond
from keymoot.enclave.remote import Remote
from keymoot.enclave.service import Enclave
from keymoot.enclave.simulated import SimulatedPlatform
from keymoot.enclave.worker import Report, Worker
from keymoot.engine.reads import StateViews, answer
from keymoot.node.feed.process import Process
from keymoot.store.questions import LENGTH_BYTES, read_question
from keymoot.testing.loop import VirtualLoop
from keymoot.threshold.rng import SEED_BYTES, SeededRng

OTHER_CODE = Measurement(b"other code".ljust(Measurement.LENGTH, b"."))
"""What enclaves of a run say that they run where they are to be kept out."""

KILLED = -9
"""Exit status of a process that was killed."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things take, in seconds: the shortest and the longest.

    Attributes:
        way: A frame's way between node and enclave.
        work: What a frame takes the enclave.
        task: What a task takes its worker.
    """

    way: tuple[float, float] = (0.0001, 0.001)
    work: tuple[float, float] = (0.0005, 0.004)
    task: tuple[float, float] = (0.002, 0.02)


QUICK = Pace()
"""How long things take where nothing is wrong."""


@lru_cache
def own_code() -> Measurement:
    return measure(own_package())


class SeededPlatform(SimulatedPlatform):
    """A simulated CPU whose generator a run's replaces: nothing sealed here is secret."""

    def __init__(self, seat: int, code: Measurement, rng: Random) -> None:
        super().__init__(Secret(bytes((seat,)) * 32), code)
        self._rng = rng

    def entropy(self, count: int) -> bytes:
        return self._rng.randbytes(count)


class _Beside(Worker):
    """A worker on the loop's time, which works on one task after the other."""

    def __init__(self, report: Report, process: "MemoryProcess") -> None:
        self._report, self._process = report, process
        self._tasks: deque[SeatTask] = deque()
        self.failures = 0

    def do(self, tasks: list[SeatTask]) -> None:
        idle = not self._tasks
        self._tasks.extend(tasks)
        if idle and self._tasks:
            self._process.soon(self._process.pace.task, self._work)

    def close(self) -> None:
        self._tasks.clear()

    def _work(self) -> None:
        if not self._tasks:
            return
        task = self._tasks[0]
        try:
            said = task.run(SeededRng(Secret(self._process.rng.randbytes(SEED_BYTES))))
        except Exception:  # noqa: BLE001  as the real one: others' bad bytes must not end ours
            self.failures += 1
            said = []
        self._report(task, said)
        self._tasks.popleft()
        if self._tasks:
            self._process.soon(self._process.pace.task, self._work)


class _Wire(asyncio.Transport):
    """What the server's end of the channel writes to, in a socket's place."""

    def __init__(self, sent: Callable[[bytes], None]) -> None:
        super().__init__()
        self._sent, self._closing = sent, False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send a frame; it comes whole."""
        self._sent(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._closing = True

    abort = close


class MemoryProcess(Process):
    """One start of an enclave.

    Attributes:
        enclave: The enclave itself.
        pace: How long things take it.
        rng: Decide that, and its keys.
        asked: Words that it was asked, in their order.
        step: Is told of each of them, before it is asked and after it is answered.
        cheats: Whether it deals what nobody can use.
        lies: Whether what it answers of blocks and requests is altered.
        loses: How much of what it says is lost on the way, of 1.
    """

    def __init__(
        self,
        seat: int,
        folder: Path,
        loop: VirtualLoop,
        rng: Random,
        pace: Pace = QUICK,
        code: Measurement | None = None,
    ) -> None:
        """Start on a folder, which is no other seat's. `code` None: what does run."""
        folder.mkdir(parents=True, exist_ok=True)
        self.seat, self.pace, self.rng = seat, pace, rng
        self.asked: list[str] = []
        self.step: Callable[[str, str], None] = lambda _, __: None
        self.cheats = self.lies = False
        self.loses = 0.0
        self._loop = loop
        self._wire = _Wire(self._sent)
        self._channel = Channel()
        self._channel.connection_made(self._wire)
        self._channel.over.add_done_callback(lambda _: self.kill())
        self._inbox: deque[bytes] = deque()
        self._busy = False
        self._frozen: list[Callable[[], None]] | None = None
        self._out_at = 0.0
        self._ended: asyncio.Future[int] = loop.create_future()
        self._views: StateViews | None = None
        self._told = b""
        self.enclave = Enclave(
            folder,
            SeededPlatform(seat, code or own_code(), rng),
            Remote(self),  # type: ignore[arg-type]
            self._say,
            lambda report: _Beside(report, self),
            self._clock,
        )
        self.enclave.wake = lambda: self.soon((0.0, 0.0), self._look)

    async def greet(self) -> None:
        nonce = Bytes32(self.rng.randbytes(Bytes32.LENGTH))
        self.identity = EnclaveGreeting.of_item(await self._ask(messages.HELLO, nonce))

    # -- as the node sees it

    @property
    def asked_at(self) -> float | None:
        return self._channel.asked_at

    async def serve(self, views: StateViews) -> None:
        self._views = views
        self._next()
        await asyncio.shield(self._ended)

    def listen(self, hear: Callable[[bytes], None]) -> None:
        self._channel.listen(hear)

    def kill(self) -> None:
        """End it at once; what it had in memory is gone."""
        if self._ended.done():
            return
        self._ended.set_result(KILLED)
        self._frozen = None
        self._inbox.clear()
        self._wire.close()
        self._channel.connection_lost(None)

    async def ended(self) -> int:
        return await asyncio.shield(self._ended)

    async def close(self) -> None:
        self.kill()

    # -- what befalls it

    @property
    def runs(self) -> bool:
        return not self._ended.done()

    def freeze(self) -> None:
        """Have it stand still, as a stopped process does: what is under way comes later."""
        if self._frozen is None and self.runs:
            self._frozen = []

    def thaw(self) -> None:
        held, self._frozen = self._frozen or [], None
        for work in held:
            self._loop.call_soon(self._if_runs, work)

    def mend(self) -> None:
        self.pace, self.cheats, self.lies, self.loses = QUICK, False, False, 0.0

    def soon(self, pace: tuple[float, float], work: Callable[[], None]) -> None:
        """Have something done on its behalf after a while, unless it ends."""
        self._loop.call_later(self.rng.uniform(*pace), self._if_runs, work)

    def _if_runs(self, work: Callable[[], None]) -> None:
        if not self.runs:
            return
        if self._frozen is not None:
            self._frozen.append(work)
        else:
            work()

    # -- frames

    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        self.asked.append(word)
        self.step(word, "before")
        answer = await self._channel.ask(word, body)
        self.step(word, "after")
        return self._altered(word, answer) if self.lies else answer

    def _sent(self, frame: bytes) -> None:
        payload = frame[messages.LENGTH_BYTES :]
        self._loop.call_later(self.rng.uniform(*self.pace.way), self._arrive, payload)

    def _arrive(self, frame: bytes) -> None:
        self._inbox.append(frame)
        self._next()

    def _next(self) -> None:
        """Begin with the next frame; those that read the ledger wait until reads are served."""
        if self._busy or not self._inbox or not self.runs:
            return
        _, word, _ = messages.parse(self._inbox[0])
        if self._views is None and word not in (messages.HELLO, messages.JOIN):
            return
        self._busy = True
        self.soon(self.pace.work, self._work)

    def _work(self) -> None:
        self._busy = False
        self._send(respond(self.enclave, self._inbox.popleft()))
        self._next()

    def _look(self) -> None:
        self.enclave.poll()

    def _say(self, raw: bytes) -> None:
        if self.loses and self.rng.random() < self.loses:
            return
        said = self._spoiled(raw) if self.cheats else raw
        self._send(messages.frame(0, messages.SEND, said))

    def _spoiled(self, raw: bytes) -> bytes:
        """Give a dealing with one bit changed, signed anew; anything else as it is."""
        message, start = NodeMessage.decode(raw), self.enclave.start
        if message.kind not in (Kind.FIRST, Kind.SECOND) or start is None:
            return raw
        body = bytearray(message.body)
        body[self.rng.randrange(len(body))] ^= 1 << self.rng.randrange(8)
        key = start.participant.session.signing
        return replace(message, body=bytes(body)).signed(key).encode()

    def _altered(self, word: str, body: rlp.Decoded) -> rlp.Decoded:
        """Give an answer with one bit changed somewhere."""
        if word not in (frames.EXECUTE, frames.CERTIFY, frames.OUTCOME, frames.ANSWER):
            return body
        raw = bytearray(rlp.encode(body))
        raw[self.rng.randrange(len(raw))] ^= 1 << self.rng.randrange(8)
        try:
            return rlp.decode(bytes(raw), max_items=1 << 20)
        except Malformed:
            return b""

    def _send(self, frame: bytes) -> None:
        """Have a frame arrive at the node, after those that were sent before it."""
        way = self.rng.uniform(*self.pace.way)
        self._out_at = max(self._out_at, self._loop.time() + way)
        self._loop.call_at(self._out_at, self._channel.data_received, frame)

    # -- its channel to the state, as `Remote` uses a socket

    def sendall(self, raw: bytes) -> None:
        if self._views is None:
            raise OSError("nobody serves reads")
        self._told += _framed(answer(self._views, read_question(raw[LENGTH_BYTES:])))

    def recv(self, size: int) -> bytes:
        part, self._told = self._told[:size], self._told[size:]
        return part

    def _clock(self) -> UnixSeconds:
        return seconds_of(self._loop.clock())


def _framed(entries: Iterable[bytes]) -> bytes:
    payload = rlp.encode(list(entries))
    return len(payload).to_bytes(LENGTH_BYTES, "big") + payload
