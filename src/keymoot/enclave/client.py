"""The server's end of the channel to its enclave."""

import asyncio
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from keymoot.base import rlp
from keymoot.base.errors import Defect, KeymootError, Refused
from keymoot.base.fields import bytes_of, list_of, uint
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import Height
from keymoot.enclave import frames, messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.frames import Ballot, Place, Released, Want
from keymoot.enclave.measurement import libraries
from keymoot.enclave.messages import Identity
from keymoot.runtime.asked import Asked, Found

BOOT = str(Path(__file__).resolve().with_name("boot.py"))

COMMAND: tuple[str, ...] = ("-I", "-S", BOOT, str(libraries()))
"""What Python is started with: isolated, without what lies around, from what `boot` measures."""

ENVIRONMENT: dict[str, str] | None = {}
"""What it sees of ours: nothing. A double that runs other code needs ours: None."""

CLOSE_SECONDS = 5.0
"""How long a closing enclave may take before it is killed."""


class EnclaveRefused(Refused):
    """The enclave said no."""

    def __init__(self, code: str, message: str) -> None:
        """Repeat its word and message."""
        super().__init__(message)
        self.code = code  # type: ignore[misc]


class EnclaveGone(Refused):
    """The enclave's process ended."""

    code = "ENCLAVE_GONE"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__("the enclave's process has ended: start the node again")


class EnclaveClient:
    """Speaks with one enclave process, which it has started."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        reads: socket.socket,
    ) -> None:
        """Take over a started process; see `start`."""
        self._reads: socket.socket | None = reads
        self._process = process
        self._reader = reader
        self._writer = writer
        self._numbers = 0
        self._waiting: dict[int, asyncio.Future[rlp.Decoded]] = {}
        self._asked_at: dict[int, float] = {}
        self._pump: asyncio.Task[None] | None = None
        self._hear: Callable[[bytes], None] | None = None
        self._unheard: list[bytes] = []
        self.identity: Identity | None = None

    @classmethod
    async def start(cls, folder: Path, data: Path, fuse: Path) -> Self:
        """Start an enclave and greet it.

        Args:
            folder: Where its sealed files live.
            data: The node's data folder.
            fuse: The simulated CPU's fuse file.

        Raises:
            EnclaveRefused: it cannot start: fuse file, sealed files.
        """
        ours, theirs = socket.socketpair()
        reads, asks = socket.socketpair()
        arguments = ["--folder", str(folder), "--data", str(data), "--fuse", str(fuse)]
        arguments += ["--reads", str(asks.fileno())]
        try:
            # Its standard input is the channel: a number that is small, whatever is open here.
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *COMMAND,
                *arguments,
                stdin=theirs.fileno(),
                pass_fds=[asks.fileno()],
                env=ENVIRONMENT,
            )
        except BaseException:
            ours.close()
            reads.close()
            raise
        finally:
            theirs.close()
            asks.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=messages.MAX_FRAME_BYTES)
        client = cls(process, reader, writer, reads)
        try:
            await client._greet()
        except BaseException:
            # It does not start, or whoever waited has given up: nothing of it stays behind.
            writer.close()
            reads.close()
            with suppress(ProcessLookupError):
                client.kill()
            raise
        return client

    @property
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, in seconds since 1970."""
        return next(iter(self._asked_at.values()), None)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def take_reads(self) -> socket.socket:
        """Hand over, once, our end of the channel on which it reads the ledger's state.

        Whoever takes it answers there, and closes it.
        """
        reads, self._reads = self._reads, None
        if reads is None:
            raise Defect("the channel was taken already")
        return reads

    async def join(self, genesis: bytes, seat: int = 0) -> None:
        """Let it join the network of a genesis.

        Args:
            genesis: The genesis.
            seat: The seat that it has or wants; 0 for the one that the genesis lists.

        Raises:
            EnclaveRefused: it belongs to another network, or is not listed.
        """
        await self._ask(messages.JOIN, messages.join_item(genesis, seat))

    async def begin(self, place: Place | None) -> None:
        """Let it begin at a certified block, once; None: at the genesis of a new network.

        Raises:
            EnclaveRefused: it does not believe the block, or has no state secret: let it watch.
        """
        await self._ask(frames.BEGIN, frames.begin_item(place))

    async def watch(self, place: Place, witness: dict[bytes, bytes]) -> bool:
        """Show the assembly at a certified block; tell whether it can begin now.

        Args:
            place: The block; newer than those before.
            witness: What leads from its state root to the assembly's pages.

        Raises:
            EnclaveRefused: it does not believe the block or the pages.
        """
        (ready,) = list_of(
            await self._ask(frames.WATCH, frames.watch_item(place, witness)), 1, "watched"
        )
        return bool(bytes_of(ready, "ready"))

    async def execute(self, block: bytes) -> Ballot:
        """Have the next block executed.

        Raises:
            EnclaveRefused: not now, or this start is over.
        """
        return Ballot.decode(await self._ask(frames.EXECUTE, block))

    async def certify(
        self, height: Height, proof: bytes, want: Want, *, rests: bool = False
    ) -> Released:
        """Show the certificate of an executed block; give what leaves under it.

        Args:
            height: The block's.
            proof: 48 bytes, or the founding record.
            want: What is wanted of the blocks that it covers.
            rests: Whether what enough others answer is answered only when asked for.

        Raises:
            EnclaveRefused: it does not vouch for what was executed.
        """
        item = frames.certify_item(height, proof, want, rests=rests)
        return Released.decode(await self._ask(frames.CERTIFY, item))

    async def outcome(self, height: Height, want: Want) -> bytes:
        """Give what a certified block did, or the digest of that.

        Raises:
            EnclaveRefused: no certificate covers it, or it is not known any more.
        """
        item = frames.outcome_item(height, want)
        return bytes_of(await self._ask(frames.OUTCOME, item), "outcome")

    async def answer(self, requests: Sequence[Hash32]) -> list[Answer]:
        """Have bound requests answered (again)."""
        item = frames.requests_item(requests)
        return messages.read_answers(await self._ask(frames.ANSWER, item))

    async def query(self, asked: Asked) -> Found:
        """Have a call run without effect on its newest certified state.

        Raises:
            EnclaveRefused: it runs no query here, or not now, or not to its end.
        """
        return Found.decode(await self._ask(frames.QUERY, asked.encode()))

    async def endorse(self, order: bytes) -> bytes:
        """Have the terms of a recovery order signed.

        Raises:
            EnclaveRefused: they do not name this start, or build on no block that it knows.
        """
        return bytes_of(await self._ask(messages.ENDORSE, order), "signature", 64)

    async def pulse(self) -> None:
        """Let it see that time has passed."""
        await self._ask(messages.PULSE, b"")

    async def turn(self) -> None:
        """Have it vote for the end of the epoch."""
        await self._ask(messages.TURN, b"")

    async def admit(self, identity: Bytes32) -> None:
        """Have it invite another enclave to join with the next epoch."""
        await self._ask(messages.ADMIT, identity)

    async def part(self, seat: int) -> None:
        """Have it say that a member is to leave with the next epoch."""
        await self._ask(messages.PART, bytes((seat,)))

    async def stored(self, height: Height) -> bool:
        """Say that a certified block is on our disk: only now may it erase what that lets go of.

        Gives whether it has no seat any more, and has erased what it had for it.
        """
        (left,) = list_of(await self._ask(messages.STORED, uint(height)), 1, "left")
        return bool(bytes_of(left, "left"))

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._process.kill()

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Give `hear` what the enclave wants to be posted, and has wanted so far."""
        self._hear = hear
        waiting, self._unheard = self._unheard, []
        for raw in waiting:
            hear(raw)

    async def ended(self) -> int:
        """Wait until the process ends; give its exit status."""
        return await self._process.wait()

    async def close(self) -> None:
        """End the enclave: it stops when its socket closes."""
        if self._pump is not None:
            self._pump.cancel()
        self._writer.close()
        if self._reads is not None:
            self._reads.close()
        with suppress(ConnectionError):
            await self._writer.wait_closed()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()

    async def _greet(self) -> None:
        number, word, body = messages.parse(await self._read_frame())
        if number != 0 or word != messages.OK:
            await self._process.wait()
            raise EnclaveRefused(word, bytes_of(body, "message").decode("utf-8", "replace"))
        self._pump = asyncio.create_task(self._receive())
        nonce = Bytes32(os.urandom(Bytes32.LENGTH))
        self.identity = Identity.decode(await self._ask(messages.HELLO, nonce))

    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        if (self._pump is not None and self._pump.done()) or self._writer.is_closing():
            raise EnclaveGone
        self._numbers += 1
        number = self._numbers
        future: asyncio.Future[rlp.Decoded] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if word != frames.QUERY:
            # A query takes as long as it may, and says nothing of how the enclave is.
            self._asked_at[number] = time.time()
        frame = messages.frame(number, word, body)
        try:
            self._writer.write(frame)
            await self._writer.drain()
        except (ConnectionError, RuntimeError) as error:
            # It ended before the receiver has noticed; uvloop calls that a RuntimeError.
            self._waiting.pop(number, None)
            self._asked_at.pop(number, None)
            raise EnclaveGone from error
        return await future

    async def _receive(self) -> None:
        try:
            while True:
                number, word, body = messages.parse(await self._read_frame())
                if not number and word == messages.SAY:
                    self._unasked(body)
                    continue
                self._asked_at.pop(number, None)
                future = self._waiting.pop(number, None)
                if future is None or future.done():
                    continue
                if word == messages.OK:
                    future.set_result(body)
                else:
                    text = bytes_of(body, "message").decode("utf-8", "replace")
                    future.set_exception(EnclaveRefused(word, text))
        except (EnclaveGone, KeymootError, ConnectionError):
            for future in self._waiting.values():
                if not future.done():
                    future.set_exception(EnclaveGone())
            self._waiting.clear()
            self._asked_at.clear()

    def _unasked(self, body: rlp.Decoded) -> None:
        """Hand on what nobody asked for; frames come in the order in which they were sent."""
        raw = bytes_of(body, "say")
        if self._hear is None:
            self._unheard.append(raw)
        else:
            self._hear(raw)

    async def _read_frame(self) -> bytes:
        try:
            head = await self._reader.readexactly(messages.LENGTH_BYTES)
            length = int.from_bytes(head, "big")
            if length > messages.MAX_ANSWER_BYTES:
                # A broken one would have us remember whatever it sends.
                raise EnclaveGone
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EnclaveGone from error
