"""The server's end of an enclave's channel: questions out, answers and unasked words in.

Frames are `messages`. Whatever comes is the word of a process that may be broken: what is no
frame, or is longer than any may be, ends the channel, and everybody who waits is told.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from keymoot.base import rlp
from keymoot.base.errors import KeymootError, Refused, Relayed
from keymoot.base.fields import bytes_of
from keymoot.enclave import frames, messages

MAX_UNHEARD = 16
"""Messages that are kept for whoever listens later: an enclave says little before it begins."""


MAX_WORDS_BYTES = 4_096
"""What is kept of a refusal's words: they go to logs, and to whoever runs the node."""


class EnclaveRefused(Relayed):
    """The enclave said no."""


class EnclaveGone(Refused, code="ENCLAVE_GONE"):
    message = "the enclave's process has ended: start the node again"


class Channel(asyncio.Protocol):
    """Questions that wait for their answers, by number; what the enclave says has number 0.

    Attributes:
        greeted: Done when the enclave has greeted; or it is what it said no with.
        over: Done when the other end has closed, or has said what is no frame; cancelled when we
            have closed ours.
    """

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.greeted: asyncio.Future[rlp.Decoded] = loop.create_future()
        self.over: asyncio.Future[None] = loop.create_future()
        # Who waited for it may have given up.
        self.greeted.add_done_callback(lambda future: future.cancelled() or future.exception())
        self._clock = loop.time
        self._read = bytearray()
        self._numbers = 0
        self._waiting = {0: self.greeted}
        self._asked_at: dict[int, float] = {}
        self._hear: Callable[[bytes], None] | None = None
        self._unheard: list[bytes] = []

    @classmethod
    async def connect(cls, ours: socket.socket) -> "Channel":
        """Speak over a connected socket, which belongs to the channel from here on."""
        try:
            _, channel = await asyncio.get_running_loop().create_connection(cls, sock=ours)
        except BaseException:
            ours.close()
            raise
        return channel

    @property
    def asked_at(self) -> float | None:
        """When the oldest question was asked that has no answer, on the loop's clock."""
        return next(iter(self._asked_at.values()), None)

    async def ask(self, word: str, body: rlp.Item) -> rlp.Decoded:
        frame = messages.frame(self._numbers + 1, word, body)
        if self.over.done() or self._transport.is_closing():
            raise EnclaveGone
        self._numbers += 1
        number, future = self._numbers, asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        if word != frames.QUERY:
            # A query takes as long as it may, and says nothing of how the enclave is.
            self._asked_at[number] = self._clock()
        # What is not read yet waits here; whoever asked waits for the answer in any case.
        self._transport.write(frame)
        answer: rlp.Decoded = await future
        return answer

    def listen(self, hear: Callable[[bytes], None]) -> None:
        """Give `hear` what the enclave wants to be posted, and has wanted so far."""
        self._hear = hear
        waiting, self._unheard = self._unheard, []
        for raw in waiting:
            hear(raw)

    def unasked(self, raw: bytes) -> None:
        """Hand on what the enclave says, in order; too much that nobody hears ends the channel."""
        if self._hear is not None:
            self._hear(raw)
        elif len(self._unheard) < MAX_UNHEARD:
            self._unheard.append(raw)
        else:
            raise EnclaveGone

    def close(self) -> None:
        """Close our end: the enclave stops when it sees that."""
        self.over.cancel()
        self._transport.close()
        self._let_go()

    # -- what the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        self._read += data
        try:
            while (payload := self._next()) is not None:
                self._take(*messages.parse(payload))
        except KeymootError:
            self._transport.abort()
            self.connection_lost(None)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End; that a channel fails is one way in which an enclave ends."""
        self._read.clear()
        self._let_go()
        if not self.over.done():
            self.over.set_result(None)

    def _next(self) -> bytes | None:
        """Cut off the next frame's payload, if it is here; one longer than any ends the channel."""
        if self.over.done() or len(self._read) < messages.LENGTH_BYTES:
            return None
        end = messages.LENGTH_BYTES + int.from_bytes(self._read[: messages.LENGTH_BYTES], "big")
        if end - messages.LENGTH_BYTES > messages.MAX_ANSWER_BYTES:
            raise EnclaveGone
        if len(self._read) < end:
            return None
        payload = bytes(self._read[messages.LENGTH_BYTES : end])
        del self._read[:end]
        return payload

    def _take(self, number: int, word: str, body: rlp.Decoded) -> None:
        if not number and word == messages.SEND:
            self.unasked(bytes_of(body, "say"))
            return
        # Read before anybody is let go of: whoever asked is told in any case.
        refused = None
        if word != messages.OK:
            text = bytes_of(body, "message")[:MAX_WORDS_BYTES].decode("utf-8", "replace")
            refused = EnclaveRefused(word, text)
        self._asked_at.pop(number, None)
        future = self._waiting.pop(number, None)
        if future is None or future.done():
            return
        if refused is None:
            future.set_result(body)
        else:
            future.set_exception(refused)

    def _let_go(self) -> None:
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(EnclaveGone())
        self._waiting.clear()
        self._asked_at.clear()
