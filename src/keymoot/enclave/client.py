"""The server's end of the channel to its enclave."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Self

from keymoot.base import rlp
from keymoot.base.errors import Defect, KeymootError
from keymoot.base.fields import bytes_of
from keymoot.base.fixed import Bytes32
from keymoot.enclave import frames, messages
from keymoot.enclave.calls import EnclaveCalls, EnclaveGone, EnclaveRefused
from keymoot.enclave.measurement import libraries
from keymoot.enclave.messages import Identity

BOOT = str(Path(__file__).resolve().with_name("boot.py"))

COMMAND: tuple[str, ...] = ("-I", "-S", BOOT, str(libraries()))
"""What Python is started with: isolated, without what lies around, from what `boot` measures."""

ENVIRONMENT: dict[str, str] | None = {}
"""What it sees of ours: nothing. A double that runs other code needs ours: None."""

CLOSE_SECONDS = 5.0
"""How long a closing enclave may take before it is killed."""


MAX_UNHEARD = 16
"""Messages that are kept for whoever listens later: an enclave says little before it begins."""


class EnclaveClient(EnclaveCalls):
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
        self._identity: Identity | None = None

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
            client.kill()
            raise
        return client

    @property
    def identity(self) -> Identity:
        """Who it said it was when it was greeted."""
        if self._identity is None:
            raise Defect("the enclave was not greeted")
        return self._identity

    @property
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, on the loop's clock."""
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

    def kill(self) -> None:
        """End the process at once, as a crash does; nothing where it has ended."""
        with suppress(ProcessLookupError):
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
        self._identity = Identity.decode(await self._ask(messages.HELLO, nonce))

    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        if (self._pump is not None and self._pump.done()) or self._writer.is_closing():
            raise EnclaveGone
        self._numbers += 1
        number = self._numbers
        future: asyncio.Future[rlp.Decoded] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if word != frames.QUERY:
            # A query takes as long as it may, and says nothing of how the enclave is.
            self._asked_at[number] = asyncio.get_running_loop().time()
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
            # One that speaks nonsense cannot be asked any more: it is over.
            self.kill()

    def _unasked(self, body: rlp.Decoded) -> None:
        """Hand on what nobody asked for; frames come in the order in which they were sent."""
        raw = bytes_of(body, "say")
        if self._hear is None:
            if len(self._unheard) >= MAX_UNHEARD:
                # It says without end what nobody has asked for yet.
                raise EnclaveGone
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
