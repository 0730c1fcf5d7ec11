"""A network in memory: the node that `keymoot up` runs, on enclaves, time and dice of a run.

    with memory(seed, folder) as world:
        world.run(story(world))

The node is wired as always; only what touches the outside is the run's: processes, the clock, the
disk's room. Where the node is ended as a crash ends it, what counts is what the disk has.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from keymoot.base.errors import Portable
from keymoot.base.units import UnixNanos
from keymoot.enclave.frames import Place
from keymoot.moot.assembly import Assembly
from keymoot.node.config import Config
from keymoot.node.supervisor.holder import place_of
from keymoot.node.wiring import Node, started
from keymoot.testing.loop import VirtualLoop
from keymoot.testing.machine import Machine
from keymoot.testing.process import QUICK, Pace

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
        """Say what it was."""
        super().__init__(f"{what} has not come within {seconds:.0f} s")


class World:
    """All of one run: time, dice, a machine, and the node on it.

    Attributes:
        seed: Of everything.
        dice: For whoever tells the run's story.
        loop: Time.
        machine: Folders, processes, faults.
        node: The one that runs now.
    """

    def __init__(self, seed: int, config: Config, pace: Pace = QUICK) -> None:
        """Begin; nothing runs yet.

        Args:
            seed: Of everything that happens.
            config: Of the network and its folder.
            pace: How long things take.
        """
        self.seed = seed
        self.dice, ways, disk = map(_dice, (f"{seed}/story", f"{seed}/ways", f"{seed}/disk"))
        self.loop = VirtualLoop(disk, START)
        self.machine = Machine(config, self.loop, ways, pace)
        self._node: Node | None = None

    @property
    def node(self) -> Node:
        """The node that runs.

        Raises:
            RuntimeError: none does.
        """
        if self._node is None:
            raise RuntimeError("no node runs just now")
        return self._node

    @property
    def assembly(self) -> Assembly:
        """The assembly as the newest certified state has it."""
        return self.node.membership.roster.assembly()

    def place(self) -> Place | None:
        """Give the newest certified block, as an enclave is shown it."""
        return place_of(self.node.membership.ledger.chain)

    def run(self, story: Coroutine[Any, Any, T]) -> T:
        """Let a story happen, from beginning to end."""
        asyncio.set_event_loop(self.loop)
        try:
            return self.loop.run_whole(story)
        finally:
            asyncio.set_event_loop(None)

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Node]:
        """Run the node beside a block; its enclaves end with it."""
        machine = self.machine
        async with started(machine.config, machine.launch, self.loop.clock, machine.open) as node:
            self._node = node
            try:
                yield node
            finally:
                self._node = None

    async def until(
        self, true: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS
    ) -> Any:
        """Wait until something holds, and give it.

        Raises:
            Stuck: it does not hold in time.
        """
        ends = self.loop.time() + seconds
        while not (found := true()):
            if self.loop.time() >= ends:
                raise Stuck(what, seconds)
            await asyncio.sleep(LOOK_SECONDS)
        return found

    def ready(self) -> bool:
        """Tell whether all members are known by their present starts, and signatures can be asked."""
        assembly = self.assembly
        if not assembly.hall.founded or not assembly.hall.ready:
            return False
        here = {one.seat: one for one in self.node.membership.enclaves.seats if one.alive}
        seats = assembly.hall.seats()
        known = all(
            at in here and here[at].identity.boot == seat.boot for at, seat in seats.items()
        )
        return known and assembly.handout.standing.exists and bool(assembly.stock.left())

    async def until_ready(self) -> None:
        """Wait until the network has all it needs to sign."""
        await self.until(self.ready, "a network that can sign")


@contextmanager
def memory(
    seed: int,
    folder: Path,
    pace: Pace = QUICK,
    **settings: Any,
) -> Iterator[World]:
    """Give a network in memory.

    Args:
        seed: Of everything that happens.
        folder: For its data; a new one.
        pace: How long things take.
        settings: Of its `Config`.
    """
    config = Config(folder / "data", folder / "cpu" / "fuse.key", **settings)
    world = World(seed, config, pace)
    try:
        yield world
    finally:
        world.loop.close()


def _dice(name: str) -> Random:
    return Random(name)  # noqa: S311  a run's dice
