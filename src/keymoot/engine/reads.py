"""The host's side of an enclave's reads: it answers from the state on its disk.

A task of its own for each enclave, and it never waits for anything but the next question: the
enclave stands still until it has its answer. The frames are `store.questions`.
"""

import asyncio
import socket
from typing import Protocol, cast

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import uint
from keymoot.base.units import Height
from keymoot.store.nodes import decode_node, next_on_path
from keymoot.store.questions import (
    LENGTH_BYTES,
    MAX_QUESTION_BYTES,
    EntryQuestion,
    NewestQuestion,
    Question,
    read_question,
)
from keymoot.store.table import Table


class StateViews(Protocol):
    """The states that are on the disk."""

    def newest(self) -> Height: ...

    def view(self, height: Height) -> Table:
        """Give the table as of a height; Refused where it is not there, or not any more."""
        ...


async def serve_reads(channel: socket.socket, views: StateViews) -> None:
    """Answer an enclave's questions until it closes the channel, which is closed then."""
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    # A protocol answers in the same turn of the loop in which the question came.
    transport, _ = await loop.create_connection(lambda: _Answering(views, ended), sock=channel)
    try:
        await ended
    finally:
        transport.close()


class _Answering(asyncio.Protocol):
    """One enclave's channel: a question, its answer, the next question."""

    def __init__(self, views: StateViews, ended: "asyncio.Future[None]") -> None:
        self._views, self._ended = views, ended
        self._read = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._ended.done():
            return
        self._read += data
        try:
            if len(self._read) < LENGTH_BYTES:
                return
            length = int.from_bytes(self._read[:LENGTH_BYTES], "big")
            missing = LENGTH_BYTES + length - len(self._read)
            if length > MAX_QUESTION_BYTES or missing < 0:
                raise Malformed(f"a question has at most {MAX_QUESTION_BYTES} bytes, one at a time")
            if missing:
                return
            question = read_question(bytes(self._read[LENGTH_BYTES:]))
            self._read.clear()
            payload = rlp.encode(answer(self._views, question))
            self._transport.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
        except Exception as error:  # noqa: BLE001 - whoever awaits the task is told
            self._ended.set_exception(error)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """End; that a channel fails is one way in which an enclave ends."""
        if not self._ended.done():
            self._ended.set_result(None)


def answer(views: StateViews, question: Question) -> list[bytes]:
    """Give the entries that answer a question; none where the state is not on the disk."""
    if isinstance(question, NewestQuestion):
        height = views.newest()
        return [uint(height)] if height else []
    try:
        table = views.view(question.height)
    except Refused:
        return []
    if isinstance(question, EntryQuestion):
        value = table.get(question.key)
        return [] if value is None else [value]
    return path_of(table, question.prefix, question.nibbles, question.start)


def path_of(table: Table, prefix: bytes, nibbles: bytes, start: int) -> list[bytes]:
    """Give the nodes of a trie along a path, from the one at `nibbles[:start]` on."""
    entries: list[bytes] = []
    at, more = start, True
    while more:
        raw = table.get(prefix + nibbles[:at])
        if raw is None:
            break
        entries.append(raw)
        child, at = next_on_path(decode_node(raw), nibbles, at)
        more = child is not None
    return entries
