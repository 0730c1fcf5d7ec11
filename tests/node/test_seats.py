"""Enclaves that end, will not start, or leave the order: the node goes on with the others."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from structlog.testing import capture_logs

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.enclave import messages
from keymoot.enclave.answer import Answer
from keymoot.enclave.client import EnclaveClient, EnclaveGone, EnclaveRefused
from keymoot.enclave.start import NoStateSecret
from keymoot.node import seats
from keymoot.node.clock import system_clock
from keymoot.node.replica import StartOver
from keymoot.node.seats import EnclaveSilent, FoundingEnded, SeatHolder
from tests.node.inside import InsideClient, inside

__all__ = ["inside"]

ASKED = [Hash32(b"\x01" * 32), Hash32(b"\x02" * 32)]


class Client:
    """A client of an enclave that has ended."""

    asked_at = None

    async def ended(self):
        return 1

    async def close(self):
        pass


async def never(_: int) -> Any:
    raise AssertionError


def holder(launch: Any = never, client: Any = None) -> SeatHolder:
    return SeatHolder(2, launch, system_clock, client or Client())


async def test_an_enclave_that_cannot_start_yet_is_started_again(monkeypatch):
    tries, started = [], asyncio.Event()

    async def start(seat):
        tries.append(seat)
        if len(tries) < 3:
            raise OSError(24, "Too many open files")
        started.set()
        await asyncio.sleep(600)

    monkeypatch.setattr(seats, "RESTART_SECONDS", 0.0)
    watching = asyncio.create_task(holder(start).watch())
    await asyncio.wait_for(started.wait(), 60)
    assert not watching.done()
    watching.cancel()


async def test_one_that_keeps_ending_is_started_ever_more_seldom(monkeypatch):
    pauses: list[float] = []

    async def start(*_):
        raise Refused("it does not start")

    async def sleep(seconds):
        pauses.append(seconds)
        if len(pauses) == 9:
            raise asyncio.CancelledError

    monkeypatch.setattr(seats.asyncio, "sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await holder(start).watch()
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]


async def test_a_frame_that_is_too_long_is_not_read() -> None:
    reader = asyncio.StreamReader()
    reader.feed_data((messages.MAX_ANSWER_BYTES + 1).to_bytes(messages.LENGTH_BYTES, "big"))
    client = EnclaveClient(cast("Any", None), reader, cast("Any", None), cast("Any", None))
    with pytest.raises(EnclaveGone):
        await asyncio.wait_for(client._read_frame(), 60)


async def test_who_owes_answers_is_asked_no_more(monkeypatch):
    monkeypatch.setattr(seats, "ANSWER_SECONDS", 0.05)
    asked, come = [], asyncio.Event()

    async def answer(requests):
        asked.append(requests)
        await come.wait()
        return [Answer(one, b"sealed", b"signature") for one in requests]

    one = holder(client=SimpleNamespace(answer=answer))
    for _ in range(3):
        with pytest.raises(EnclaveSilent):
            await one.answer(ASKED)
    assert asked == [ASKED]
    come.set()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert [found.request for found in await one.answer(ASKED)] == ASKED


async def test_an_enclave_that_ends_before_the_founding_stops_the_node():
    one = holder()
    one._chain = cast("Any", SimpleNamespace(record=None))
    with pytest.raises(FoundingEnded, match="which begins anew"):
        await one.watch()


async def test_one_that_executed_something_else_starts_anew_and_is_fed_again(inside, tmp_path):
    async with inside(tmp_path) as node:
        client = node.client(2)
        with capture_logs() as log:
            node.holder(2).lost(node.holder(2)._replica, StartOver(2, "it diverged"))
            await node.until(lambda: node.holder(2).restarts)
        assert "enclave.start_over" in [one["event"] for one in log]
        await node.until_seated()
        assert node.client(2) is not client
        assert "execute" in node.client(2).asked


async def test_what_an_older_start_is_blamed_for_ends_no_newer_one(inside, tmp_path):
    async with inside(tmp_path) as node:
        before = node.holder(2)._replica
        node.client(2).kill()
        await node.until(lambda: node.holder(2).restarts)
        await node.until_seated()
        node.holder(2).lost(before, StartOver(2, "late news"))
        assert node.holder(2).begun


async def test_who_has_no_state_secret_watches_and_then_begins(inside, tmp_path, monkeypatch):
    """Its host lost nothing, it has no secret: others hand it over, block by block."""
    async with inside(tmp_path) as node:
        asked: list[str] = []
        ready = asyncio.Event()
        greeted = InsideClient.greeted

        async def start(seat, config):
            made = await greeted(seat, config)
            begin = made.begin

            async def begins(place):
                asked.append("begin")
                if not ready.is_set():
                    raise EnclaveRefused(NoStateSecret.code, "no")
                await begin(place)

            async def watch(place, witness):
                asked.append("watch")
                assert witness
                return ready.is_set()

            made.begin, made.watch = begins, watch
            return made

        monkeypatch.setattr(InsideClient, "greeted", start)
        node.client(2).kill()
        await node.until(lambda: "watch" in asked)
        assert not node.holder(2).begun
        ready.set()
        # It sees newer blocks only, and another start is one.
        node.client(4).kill()
        await node.until(lambda: node.holder(2).begun)
        assert asked[0] == "begin"
        assert asked[-2:] == ["watch", "begin"]
