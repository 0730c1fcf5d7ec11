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
from keymoot.base.errors import Defect
from keymoot.base.fixed import Bytes32
from keymoot.enclave import messages
from keymoot.enclave.calls import EnclaveCalls
from keymoot.enclave.channel import Channel
from keymoot.enclave.measurement import libraries
from keymoot.enclave.messages import EnclaveGreeting

BOOT = str(Path(__file__).resolve().with_name("boot.py"))

COMMAND: tuple[str, ...] = ("-I", "-S", BOOT, str(libraries()))
"""What Python is started with: isolated, without what lies around, from what `boot` measures."""

ENVIRONMENT: dict[str, str] | None = {}
"""What it sees of ours: nothing. A double that runs other code needs ours: None."""

CLOSE_SECONDS = 5.0
"""How long a closing enclave may take before it is killed."""


class EnclaveClient(EnclaveCalls):
    """Speaks with one enclave process, which it has started."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        channel: Channel,
        reads: socket.socket,
        identity: EnclaveGreeting,
    ) -> None:
        """Take over a started and greeted process, with our ends of its two channels; see `start`.

        It is killed when the other end of `channel` closes, or speaks nonsense.
        """
        self.identity = identity
        self._process, self._channel = process, channel
        self._reads: socket.socket | None = reads
        channel.over.add_done_callback(self._over)

    @classmethod
    async def start(cls, folder: Path, data: Path, fuse: Path) -> Self:
        """Start an enclave and greet it: its files are in `folder`, the node's own in `data`."""
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
        try:
            channel = await Channel.connect(ours)
            try:
                await channel.greeted
                nonce = Bytes32(os.urandom(Bytes32.LENGTH))
                identity = EnclaveGreeting.of_item(await channel.ask(messages.HELLO, nonce))
            except BaseException:
                channel.close()
                raise
        except BaseException:
            # It does not start, or whoever waited has given up: nothing of it stays behind.
            reads.close()
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            raise
        return cls(process, channel, reads, identity)

    @property
    def asked_at(self) -> float | None:
        return self._channel.asked_at

    @property
    def pid(self) -> int:
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
        self._channel.listen(hear)

    async def ended(self) -> int:
        return await self._process.wait()

    async def close(self) -> None:
        """End the enclave: it stops when its socket closes."""
        self._channel.close()
        if self._reads is not None:
            self._reads.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._process.wait()
        except TimeoutError:
            self.kill()
            await self._process.wait()

    def _over(self, over: asyncio.Future[None]) -> None:
        if not over.cancelled():
            self.kill()

    async def _ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        return await self._channel.ask(word, body)
