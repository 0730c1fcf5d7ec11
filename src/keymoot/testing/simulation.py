"""A run from a seed: people use a network, and everything that can go wrong does.

Who schedules all this is an attacker; of the enclaves one at a time is broken, as n = 4 allows.
After the last step all faults are lifted, and what must come then has to come: a whole network,
every change that a command promised, and a signature.
"""

import asyncio
from contextlib import suppress
from pathlib import Path

from keymoot.base.errors import KeymootError, Portable
from keymoot.base.fixed import Hash32
from keymoot.node.wiring import Node
from keymoot.testing.deeds import ANSWER_SECONDS, LIMIT, Deeds
from keymoot.testing.network import Stuck, World, memory
from keymoot.testing.people import PaymentRequest

STEPS = 14
"""Deeds in one run."""

END_SECONDS = 400.0
"""How long a network may take, once nothing goes wrong any more, until all is as it should be."""


class SimulationFailed(Portable, AssertionError):
    """A run went wrong: it says how, what had happened, and how it happens again."""

    def __init__(self, seed: int, error: BaseException, trace: list[str]) -> None:
        told = "\n".join(trace)
        super().__init__(
            f"seed {seed}: {type(error).__name__}: {error}\n{told}\n"
            f"again: python -m keymoot.testing {seed}"
        )


class Simulation(Deeds):
    """One run. The same seed has the same `tip`: hash of the newest block at the end."""

    def __init__(self, world: World, steps: int) -> None:
        super().__init__(world)
        self.tip = Hash32(bytes(32))
        self._left = steps
        self._rested = False

    async def run(self) -> None:
        """Violation: what must never happen has. Stuck: what has to come has not."""
        with self.notes.watching():
            # A node that ended last starts once more: what must come then has to come.
            while not self._rested:
                self._crash = False
                async with self._world.up() as node:
                    node.membership.ledger.sequencer.on_written(self.notes.certified)
                    try:
                        await self._live(node)
                    finally:
                        await self._forget()

    async def _live(self, node: Node) -> None:
        world = self._world
        await world.until_ready()
        if not self._owner.account.strip(b"\0"):
            self.notes.limit = LIMIT
            await self._owner.set_up(node, LIMIT)
        self.notes.check_done(node.membership.ledger)
        for wish in self._wishes[-3:]:
            self._ask(node, wish)
        while self._left > 0 and not self._crash:
            self._left -= 1
            await self._do_one(node)
            self.notes.observe(world.machine)
            self._check_members()
            await asyncio.sleep(self._rng.expovariate(1.0))
        if self._crash:
            self.notes.counts["a node's end"] += 1
            for process in world.host.processes.values():
                process.kill()
            return
        await self._come_to_rest(node)
        self._rested = True

    # -- the end

    async def _come_to_rest(self, node: Node) -> None:
        """Lift all faults; wait for all that was promised, and for a signature."""
        world = self._world
        self._say("faults are lifted")
        self._mend()
        if world.host.disk is not None:
            world.host.disk.full = False
        await world.until_ready()
        changes, roster = node.membership.changes, node.membership.roster

        def changed() -> bool:
            members = {*roster.committee.indices}
            return self._joined <= members and not self._leaving & members

        ends = world.loop.time() + END_SECONDS
        # A change that was begun with strangers at the door ends with them outside.
        while not changed():
            self._check_members()
            if world.loop.time() > ends:
                raise Stuck(f"joining {self._joined}, leaving {self._leaving}", END_SECONDS)
            before = world.machine.epochs.current
            with suppress(KeymootError):
                await changes.turn(None if before is None else before.number)
            await asyncio.sleep(5.0)
        await self._send_away(node)
        await world.until(lambda: not changes.leaving, "the end of those who left", END_SECONDS)
        await self._signs(node)
        self.notes.observe(world.machine)
        self.notes.check_done(node.membership.ledger)
        self.tip = node.membership.ledger.chain.tip.hash

    async def _signs(self, node: Node) -> None:
        """Have one more payment signed, whatever the policy was."""
        world, owner = self._world, self._owner
        if self._paused:
            await owner.send(node, "resume", owner.wallet)
            self._paused = False
        await owner.grant(node)
        most = self.notes.spent + self.notes.limit + 1000
        self.notes.limit = most
        await owner.limit(node, most)
        wish = PaymentRequest.of(node.membership.ledger, owner, 1, world.rng)
        before = self.notes.counts["signatures"]
        await self._get(node, wish)
        if self.notes.counts["signatures"] == before:
            raise Stuck("a signature at the end", ANSWER_SECONDS)


def simulate(seed: int, folder: Path, steps: int = STEPS) -> Simulation:
    with memory(seed, folder) as world:
        made = Simulation(world, steps)
        try:
            world.run(made.run())
        except Exception as error:
            raise SimulationFailed(seed, _first(error), made.trace) from error
        return made


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
