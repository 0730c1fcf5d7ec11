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

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.commit import SignedHeader
from keymoot.attest.validators import Ed25519Key
from keymoot.base import rlp
from keymoot.base.errors import Defect, KeymootError, Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.enclave import messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.messages import Identity
from keymoot.enclave.room import read_joined

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
    ) -> None:
        """Take over a started process; see `start`."""
        self._process = process
        self._reader = reader
        self._writer = writer
        self._numbers = 0
        self._waiting: dict[int, asyncio.Future[rlp.Decoded]] = {}
        self._asked_at: dict[int, float] = {}
        self._pump: asyncio.Task[None] | None = None
        self._hear: Callable[[bytes], None] | None = None
        self._unheard: list[bytes] = []
        self._take: Callable[[Secret], None] | None = None
        self._untaken: list[Secret] = []
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
        arguments = ["--folder", str(folder), "--data", str(data), "--fuse", str(fuse)]
        try:
            # Its standard input is the channel: a number that is small, whatever is open here.
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "keymoot.enclave", *arguments, stdin=theirs.fileno()
            )
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        reader, writer = await asyncio.open_connection(sock=ours, limit=messages.MAX_FRAME_BYTES)
        client = cls(process, reader, writer)
        try:
            await client._greet()
        except BaseException:
            # It does not start, or whoever waited has given up: nothing of it stays behind.
            writer.close()
            with suppress(ProcessLookupError):
                client.kill()
            raise
        return client

    @property
    def public_key(self) -> Ed25519Key:
        """The enclave's consensus key."""
        if self.identity is None:
            raise Defect("the enclave was not greeted")
        return Ed25519Key(self.identity.consensus_key)

    @property
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, in seconds since 1970."""
        return next(iter(self._asked_at.values()), None)

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    async def join(self, genesis: bytes, seat: int = 0) -> tuple[Secret | None, int]:
        """Let it join the network of a genesis; give the state secret and generation.

        An enclave that has no state secret yet gives it later, to whoever listens.

        Args:
            genesis: The genesis.
            seat: The seat that it has or wants; 0 for the one that the genesis lists.

        Raises:
            EnclaveRefused: it belongs to another network, or is not listed.
        """
        return read_joined(await self._ask(messages.JOIN, messages.join_item(genesis, seat)))

    async def sign(self, ballot: Ballot) -> Votes:
        """Have a ballot signed.

        Raises:
            EnclaveRefused: another block was signed there.
        """
        return messages.read_votes(await self._ask(messages.SIGN, messages.ballot_item(ballot)))

    async def release(
        self, signed: SignedHeader, witness: dict[bytes, bytes], requests: list[Hash32]
    ) -> list[Answer]:
        """Have bound requests answered.

        Raises:
            EnclaveRefused: it does not believe the header.
        """
        item = messages.release_item(signed, witness, requests)
        return messages.read_answers(await self._ask(messages.RELEASE, item))

    async def follow(self, block: bytes) -> bytes:
        """Show the next final block (`follow_item`); give its share of the beacon, or nothing.

        Raises:
            EnclaveRefused: it is not the next one, or does not continue the one before.
        """
        (share,) = list_of(await self._ask(messages.FOLLOW, block), 1, "followed")
        return bytes_of(share, "share", messages.BEACON_BYTES)

    async def sync(
        self, signed: SignedHeader, witness: dict[bytes, bytes], chain: Sequence[bytes]
    ) -> None:
        """Let it begin at a proven state of the assembly.

        Raises:
            EnclaveRefused: it does not believe the header or the pages.
        """
        await self._ask(messages.SYNC, messages.sync_item(signed, witness, chain))

    async def cosign(self, asked: Sequence[tuple[Hash32, bytes]]) -> list[Answer]:
        """Have bound requests answered with shares, each under its block's beacon."""
        return messages.read_answers(await self._ask(messages.COSIGN, messages.cosign_item(asked)))

    async def endorse(self, certificate: bytes) -> bytes:
        """Have the terms of a recovery signed.

        Raises:
            EnclaveRefused: they do not seat it.
        """
        return bytes_of(await self._ask(messages.ENDORSE, certificate), "signature", 64)

    async def recover(
        self, signed: SignedHeader | None, certificate: bytes, chain: Sequence[bytes]
    ) -> None:
        """Let it vote above the base of a recovery.

        Raises:
            EnclaveRefused: it does not believe the certificate or the header.
        """
        await self._ask(messages.RECOVER, messages.recover_item(signed, certificate, chain))

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

    def kill(self) -> None:
        """End the process at once, as a crash does."""
        self._process.kill()

    def listen(self, hear: Callable[[bytes], None], take: Callable[[Secret], None]) -> None:
        """Give `hear` what the enclave wants to be posted, and has wanted so far.

        The network's state secret goes to `take`, before a message says that it is there.
        """
        self._hear, self._take = hear, take
        secrets, self._untaken = self._untaken, []
        for secret in secrets:
            take(secret)
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
                if not number and word in (messages.SAY, messages.STATE):
                    self._unasked(word, body)
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

    def _unasked(self, word: str, body: rlp.Decoded) -> None:
        """Hand on what nobody asked for; frames come in the order in which they were sent."""
        if word == messages.STATE:
            secret = Secret(fixed_of(body, Bytes32, "state"))
            if self._take is None:
                self._untaken.append(secret)
            else:
                self._take(secret)
            return
        raw = bytes_of(body, "say")
        if self._hear is None:
            self._unheard.append(raw)
        else:
            self._hear(raw)

    async def _read_frame(self) -> bytes:
        try:
            head = await self._reader.readexactly(messages.LENGTH_BYTES)
            length = int.from_bytes(head, "big")
            if length > messages.MAX_FRAME_BYTES:
                # A broken one would have us remember whatever it sends.
                raise EnclaveGone
            return await self._reader.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError) as error:
            raise EnclaveGone from error
