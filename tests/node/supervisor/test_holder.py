"""Enclaves that end, will not start, or leave the order: the node goes on with the others."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from keymoot.base.errors import Refused
from keymoot.base.units import Height
from keymoot.enclave.channel import EnclaveRefused
from keymoot.enclave.start import NoStateSecret
from keymoot.node.clock import system_clock
from keymoot.node.feed import postbox
from keymoot.node.feed.replica import StartOver
from keymoot.node.supervisor import holder as holder_module
from keymoot.node.supervisor.holder import FoundingEnded, SeatHolder
from keymoot.node.tasks import background
from keymoot.testing.process import MemoryProcess
from tests.node.stories import while_it_runs
from tests.node.supervisor.process import Begins

pytestmark = pytest.mark.own_time


class Ledger:
    """A ledger of one founded network, which takes no message yet."""

    def __init__(self, *, is_founded: bool = True) -> None:
        self.is_founded = is_founded
        self.genesis = SimpleNamespace(encode=lambda: b"genesis")
        tip = SimpleNamespace(height=Height(0))
        self.chain = SimpleNamespace(record=None, tip=tip)
        self.sequencer = SimpleNamespace(
            seat=lambda _: None, unseat=lambda _: None, tail=SimpleNamespace(certified=Height(0))
        )
        self.posted: list[bytes] = []
        self.open = asyncio.Event()

    def founding_record(self) -> object:
        return self.is_founded or None

    def height(self) -> Height:
        return Height(0)

    async def submit(self, raw: bytes) -> None:
        await self.open.wait()
        self.posted.append(raw)


async def never(_: int) -> Any:
    raise AssertionError


def holder(process: Any, launch: Any = never, ledger: Any = None) -> SeatHolder:
    return SeatHolder(2, process, launch, system_clock, ledger or Ledger())


async def until(true: Callable[[], Any]) -> None:
    async with asyncio.timeout(60):
        while not true():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


@asynccontextmanager
async def running(one: SeatHolder) -> AsyncIterator[asyncio.Task[None]]:
    begun = asyncio.get_running_loop().create_future()
    async with background() as tasks:
        task = tasks.start(one.run(begun))
        await begun
        yield task


async def test_an_enclave_that_cannot_start_yet_is_started_again(monkeypatch):
    tries, again = [], Begins()

    async def start(seat):
        tries.append(seat)
        if len(tries) < 3:
            raise OSError(24, "Too many open files")
        return again

    monkeypatch.setattr(holder_module, "RESTART_SECONDS", 0.0)
    first = Begins()
    one = holder(first, start)
    async with running(one):
        assert one.alive
        first.kill()
        await until(lambda: one.restarts)
        assert one.alive
        assert one.process is again
        assert first.closed
        assert one.health.down_since is None
        assert one.health.ends == 3
    assert again.closed
    assert not one.alive


async def test_one_that_keeps_ending_is_started_ever_more_seldom(monkeypatch):
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def start(_):
        raise Refused("it does not start")

    async def sleeps(seconds):
        if seconds == holder_module.PULSE_SECONDS:
            await sleep(600)
        pauses.append(seconds)
        if len(pauses) == 9:
            one.health.trouble = "enough"
            await sleep(600)

    monkeypatch.setattr(holder_module.asyncio, "sleep", sleeps)
    first = Begins()
    one = holder(first, start)
    async with running(one):
        first.kill()
        while one.health.trouble != "enough":
            await sleep(0.01)
    assert pauses == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 10.0, 10.0, 10.0]


async def test_one_that_does_not_begin_is_ended_and_whoever_started_it_is_told():
    class Unwilling(Begins):
        async def begin(self, place: object) -> None:
            raise EnclaveRefused("NO_BLOCK", "it does not believe the block")

    process = Unwilling()
    with pytest.raises(EnclaveRefused, match="believe"):
        async with running(holder(process)):
            raise AssertionError
    assert process.closed


async def test_what_an_enclave_says_without_end_ends_its_start(monkeypatch):
    monkeypatch.setattr(postbox, "MAX_WAITING", 20)
    again, ledger = Begins(), Ledger()

    async def start(_):
        return again

    monkeypatch.setattr(holder_module, "RESTART_SECONDS", 0.0)
    first = Begins()
    one = holder(first, start, ledger)
    async with running(one):
        with capture_logs() as log:
            for number in range(1_000):
                first.hear(bytes((number % 256,)))
        assert [found["event"] for found in log] == ["enclave.start_over"]
        assert "at most 20" in log[0]["reason"]
        await until(lambda: one.restarts)
        ledger.open.set()
        await until(lambda: len(ledger.posted) == 20)
        again.hear(b"the next start is heard")
        await until(lambda: len(ledger.posted) == 21)
        # What came above the bound was dropped.
        assert sorted(ledger.posted[:20]) == [bytes((number,)) for number in range(20)]


async def test_reads_over_which_the_node_fails_end_that_start_and_nothing_else(monkeypatch):
    """A broken enclave may find what we cannot answer: that is no way to stop the others."""

    class Tricky(Begins):
        async def serve(self, views: object) -> None:
            raise KeyError("what nobody should read")

    again = Begins()

    async def start(_):
        return again

    monkeypatch.setattr(holder_module, "RESTART_SECONDS", 0.0)
    one = holder(Tricky(), start)
    with capture_logs() as log:
        async with running(one):
            await until(lambda: one.restarts)
    failed = next(found for found in log if found["event"] == "enclave.reads_fail")
    assert failed["log_level"] == "error"
    assert "builtins.KeyError" in failed["error"]
    assert "nobody should read" not in str(log)


async def test_an_enclave_that_ends_before_the_founding_stops_the_node():
    process = Begins()
    with pytest.raises(ExceptionGroup) as broken:
        async with running(holder(process, ledger=Ledger(is_founded=False))):
            process.kill()
            await asyncio.sleep(60)
    assert broken.group_contains(FoundingEnded, match="which begins anew")


@while_it_runs
async def test_one_that_executed_something_else_starts_anew_and_is_fed_again(world):
    before = world.process(2)
    with capture_logs() as log:
        world.holder(2).lost(world.holder(2)._replica, StartOver(2, "it diverged"))
        await world.until(lambda: world.holder(2).restarts)
    assert "enclave.start_over" in [one["event"] for one in log]
    await world.until_ready()
    assert world.process(2) is not before
    assert "execute" in world.process(2).asked


@while_it_runs
async def test_what_an_older_start_is_blamed_for_ends_no_newer_one(world):
    before = world.holder(2)._replica
    world.process(2).kill()
    await world.until(lambda: world.holder(2).restarts)
    await world.until_ready()
    world.holder(2).lost(before, StartOver(2, "late news"))
    assert world.holder(2).begun


@while_it_runs
async def test_who_has_no_state_secret_watches_and_then_begins(world, monkeypatch):
    """Its host lost nothing, it has no secret: others hand it over, block by block."""
    asked: list[str] = []
    ready = asyncio.Event()
    begin = MemoryProcess.begin

    async def begins(process, place):
        asked.append("begin")
        if not ready.is_set():
            raise EnclaveRefused(NoStateSecret.code, "no")
        await begin(process, place)

    async def watch(_, place, witness):
        asked.append("watch")
        assert place
        assert witness
        return ready.is_set()

    monkeypatch.setattr(MemoryProcess, "begin", begins)
    monkeypatch.setattr(MemoryProcess, "watch", watch)
    world.process(2).kill()
    await world.until(lambda: "watch" in asked)
    assert not world.holder(2).begun
    monkeypatch.setattr(MemoryProcess, "begin", begin)
    # It sees newer blocks only, and another start is one.
    world.process(4).kill()
    await world.until(lambda: world.holder(4).restarts)
    assert not world.holder(2).begun
    ready.set()
    monkeypatch.setattr(MemoryProcess, "begin", begins)
    world.process(4).kill()
    await world.until(lambda: world.holder(2).begun)
    assert asked[0] == "begin"
    assert asked[-2:] == ["watch", "begin"]
