"""A network in memory: the node that `keymoot up` runs, on enclaves, time and randomness of a run.

    with memory(seed, folder) as world:
        world.run(story(world))

The node is wired as always; only what touches the outside is the run's: processes, the clock, the
disk's room. Where the node is ended as a crash ends it, what counts is what the disk has.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any, TypeVar
from unittest.mock import patch

from keymoot.base.errors import Portable
from keymoot.base.units import UnixNanos
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.presign import ledger as stock
from keymoot.enclave.frames import CertifiedPlace
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_file import FILE_NAME
from keymoot.node import wiring
from keymoot.node.config import Config
from keymoot.node.membership.changes import SeatChanges
from keymoot.node.membership.membership import Membership
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.supervisor.holder import SeatHolder, place_of
from keymoot.node.wiring import Node, started
from keymoot.testing.host import MemoryHost
from keymoot.testing.loop import VirtualLoop
from keymoot.testing.process import QUICK, MemoryProcess, Pace, own_code

T = TypeVar("T")

START = UnixNanos(1_800_000_000 * 10**9)
"""When every run begins."""

LOOK_SECONDS = 0.05
"""How often whoever waits for something looks whether it is there."""

PATIENCE_SECONDS = 600.0
"""How long a run waits for what has to come; time costs nothing here."""


class Stuck(Portable, AssertionError):
    """What has to come did not."""

    def __init__(self, what: str, seconds: float) -> None:
        super().__init__(f"{what} has not come within {seconds:.0f} s")


class World:
    """All of one run: time, randomness, a machine, and the node on it."""

    def __init__(self, seed: int, config: Config, pace: Pace = QUICK) -> None:
        self.seed = seed
        self.rng, ways, disk = map(_rng, (f"{seed}/story", f"{seed}/ways", f"{seed}/disk"))
        self.loop = VirtualLoop(disk, START)
        self.host = MemoryHost(config, self.loop, ways, pace)
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        if self._node is None:
            raise RuntimeError("no node runs just now")
        return self._node

    @property
    def membership(self) -> Membership:
        return self.node.membership

    @property
    def ledger(self) -> Ledger:
        return self.membership.ledger

    @property
    def enclaves(self) -> Enclaves:
        return self.membership.enclaves

    @property
    def changes(self) -> SeatChanges:
        return self.membership.changes

    @property
    def machine(self) -> CommitteeMachine:
        """The committee as the newest certified state has it."""
        return self.membership.roster.machine()

    def process(self, seat: int) -> MemoryProcess:
        return self.host.processes[seat]

    def holder(self, seat: int) -> SeatHolder:
        running = self.enclaves.holder(seat)
        if running is None:
            raise RuntimeError(f"no enclave of seat {seat} runs just now")
        return running

    def place(self) -> CertifiedPlace | None:
        return place_of(self.ledger.chain)

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        asyncio.set_event_loop(self.loop)
        try:
            return self.loop.run_whole(story)
        finally:
            asyncio.set_event_loop(None)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Node]:
        """Run the node beside a block; its enclaves end with it."""
        host, config = self.host, self.host.config
        if (config.data / FILE_NAME).exists():
            # How many enclaves there are is an option of a network's founding only.
            config = replace(config, nodes=None)
        async with started(config, host.launch, self.loop.clock, host.open) as node:
            self._node = node
            try:
                yield node
            finally:
                self._node = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Node]:
        """Run the node beside a block that begins once it can sign."""
        async with self.up() as node:
            await self.until_ready()
            yield node

    async def until(
        self,
        true: Callable[[], Any],
        what: str = "what was waited for",
        seconds: float = PATIENCE_SECONDS,
    ) -> Any:
        """Give what `true` gives once that holds; Stuck after `seconds` of the network's time."""
        ends = self.loop.time() + seconds
        while not (value := true()):
            if self.loop.time() >= ends:
                raise Stuck(what, seconds)
            await asyncio.sleep(LOOK_SECONDS)
        return value

    def ready(self) -> bool:
        """Tell whether all members are known by their present starts, and can be asked to sign."""
        machine = self.machine
        if not machine.state.founded or not machine.state.ready:
            return False
        here = {enclave.seat: enclave for enclave in self.enclaves.seats if enclave.alive}
        seats = machine.state.seats()
        known = all(
            at in here and here[at].identity.session == seat.session for at, seat in seats.items()
        )
        return known and machine.state_key.status.exists and bool(machine.stock.left())

    async def until_ready(self) -> None:
        await self.until(self.ready, "a network that can sign")


@contextmanager
def memory(
    seed: int, folder: Path, pace: Pace = QUICK, batch: int | None = None, **settings: Any
) -> Iterator[World]:
    """Give a network in memory.

    Args:
        seed: Of everything that happens.
        folder: For its data; a new one.
        pace: How long things take.
        batch: Presignatures that are made at a time; None for as many as always.
        settings: Of its `Config`, such as `nodes=7` and `epoch_seconds=600`.
    """
    config = Config(folder / "data", folder / "cpu" / "fuse.key", **settings)
    world = World(seed, config, pace)
    with (
        patch.object(stock, "BATCH_SIZE", batch or stock.BATCH_SIZE),
        # The code of this process, which its enclaves have measured once.
        patch.object(wiring, "measure", lambda _: own_code()),
    ):
        try:
            yield world
        finally:
            world.loop.close()


def _rng(name: str) -> Random:
    return Random(name)  # noqa: S311  a run's own
