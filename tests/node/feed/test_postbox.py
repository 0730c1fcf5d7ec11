"""What an enclave says reaches the ledger, and what it says without end fills no memory."""

import asyncio
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from keymoot.base.errors import Refused
from keymoot.node.feed import postbox
from keymoot.node.feed.postbox import CARRIERS, Postbox, SaysTooMuch
from keymoot.node.tasks import background

pytestmark = pytest.mark.own_time


class Ledger:
    """A ledger of which one block is certified and not written yet."""

    def __init__(self) -> None:
        self.posted: list[bytes] = []
        self.sequencer = self.tail = self
        self.certified, self.written = 8, 7
        self.block = asyncio.Event()

    def height(self) -> int:
        return self.written

    async def submit(self, raw: bytes) -> None:
        if raw.startswith(b"early") and self.written < self.certified:
            raise Refused("it follows from block 8")
        if raw.startswith(b"late"):
            raise Refused("nobody wants that any more")
        self.posted.append(raw)

    async def new_block(self) -> None:
        await self.block.wait()


def box_of(ledger: Ledger) -> Postbox:
    return Postbox(cast("Any", ledger))


async def turns() -> None:
    for _ in range(8):
        await asyncio.sleep(0)


async def test_messages_are_posted_in_their_order():
    ledger = Ledger()
    box = box_of(ledger)
    said = [bytes((number,)) for number in range(100)]
    async with background() as tasks:
        tasks.start(box.run())
        for raw in said:
            box.put(raw)
        await turns()
    assert ledger.posted == said


async def test_what_follows_from_a_block_that_is_being_written_waits_and_nothing_behind_it():
    ledger = Ledger()
    box = box_of(ledger)
    async with background() as tasks:
        tasks.start(box.run())
        for raw in (b"early", b"late", b"now"):
            box.put(raw)
        await turns()
        assert ledger.posted == [b"now"]
        ledger.written = 8
        ledger.block.set()
        await turns()
        assert ledger.posted == [b"now", b"early"]


async def test_more_than_may_wait_is_refused_until_some_is_posted(monkeypatch):
    monkeypatch.setattr(postbox, "MAX_WAITING", CARRIERS + 2)
    ledger = Ledger()
    box = box_of(ledger)
    async with background() as tasks:
        tasks.start(box.run())
        for _ in range(CARRIERS + 2):
            box.put(b"early")
        await turns()
        with pytest.raises(SaysTooMuch, match="11 messages"):
            box.put(b"early")
        ledger.written = 8
        ledger.block.set()
        await turns()
        assert len(ledger.posted) == CARRIERS + 2
        box.put(b"now")


async def test_long_messages_count_by_their_size(monkeypatch):
    monkeypatch.setattr(postbox, "MAX_BYTES", 100)
    box = box_of(Ledger())
    box.put(bytes(60))
    with pytest.raises(SaysTooMuch, match="120 bytes would wait, at most 1024 of 100"):
        box.put(bytes(60))
    box.put(bytes(40))


async def test_a_message_over_which_the_node_fails_is_dropped_and_named():
    """A broken enclave may find what we cannot read: that is no way to stop the others."""
    ledger = Ledger()
    submit = ledger.submit

    async def submits(raw: bytes) -> None:
        if raw == b"tricky":
            raise KeyError("what nobody should read")
        await submit(raw)

    ledger.submit = submits  # type: ignore[method-assign]
    box = box_of(ledger)
    with capture_logs() as log:
        async with background() as tasks:
            tasks.start(box.run())
            box.put(b"tricky")
            box.put(b"now")
            await turns()
    assert ledger.posted == [b"now"]
    assert [(one["event"], one["log_level"]) for one in log] == [("message.fails", "error")]
    assert log[0]["error"].startswith("builtins.KeyError at node/feed/postbox.py:")
    assert "nobody should read" not in str(log)
