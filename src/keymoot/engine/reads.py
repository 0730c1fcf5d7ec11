"""The host's side of an enclave's reads: it answers from the state on its disk.

A task of its own for each enclave, and it never waits for anything but the next question: the
enclave stands still until it has its answer. The frames are `store.questions`.
"""

import asyncio
import socket
from typing import Protocol

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


class Views(Protocol):
    """The states that are on the disk."""

    def newest(self) -> Height:
        """Give the height of the newest one that is synced."""
        ...

    def view(self, height: Height) -> Table:
        """Give the table as of a height.

        Raises:
            Refused: it is not there, or not any more.
        """
        ...


async def serve_reads(channel: socket.socket, views: Views) -> None:
    """Answer an enclave's questions until it closes the channel, which is closed then.

    Raises:
        Malformed: that was no question, or the disk has no node where one must be.
    """
    reader, writer = await asyncio.open_connection(sock=channel, limit=MAX_QUESTION_BYTES)
    try:
        while True:
            length = int.from_bytes(await reader.readexactly(LENGTH_BYTES), "big")
            if length > MAX_QUESTION_BYTES:
                raise Malformed(f"a question has at most {MAX_QUESTION_BYTES} bytes, got {length}")
            question = read_question(await reader.readexactly(length))
            payload = rlp.encode(answer(views, question))
            writer.write(len(payload).to_bytes(LENGTH_BYTES, "big") + payload)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        return
    finally:
        writer.close()


def answer(views: Views, question: Question) -> list[bytes]:
    """Give the entries that answer a question; none where the state is not on the disk.

    Raises:
        Malformed: an entry on the way is no node.
    """
    if isinstance(question, NewestQuestion):
        height = views.newest()
        return [uint(height)] if height else []
    try:
        table = views.view(question.height)
    except Refused:
        return []
    if isinstance(question, EntryQuestion):
        found = table.get(question.key)
        return [] if found is None else [found]
    return path_of(table, question.prefix, question.nibbles, question.start)


def path_of(table: Table, prefix: bytes, nibbles: bytes, start: int) -> list[bytes]:
    """Give the nodes of a trie along a path, from the one at `nibbles[:start]` on.

    Raises:
        Malformed: an entry on the way is no node.
    """
    found: list[bytes] = []
    at, more = start, True
    while more:
        raw = table.get(prefix + nibbles[:at])
        if raw is None:
            break
        found.append(raw)
        child, at = next_on_path(decode_node(raw), nibbles, at)
        more = child is not None
    return found
