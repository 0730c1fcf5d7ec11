"""What is done in a run: by people, to enclaves, and by whoever runs the node.

One enclave at a time is broken, as n = 4 allows; whoever is broken next, the one before is mended.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.node.wiring import Node
from keymoot.testing.network import World
from keymoot.testing.notes import Notes, Violation
from keymoot.testing.people import NotDone, PaymentRequest, WalletOwner
from keymoot.testing.process import OTHER_CODE, MemoryProcess, Pace

LIMIT = 60
"""What the agent may spend at first, in wei; a payment is of 1 to 12."""

ANSWER_SECONDS = 40.0
"""How long an agent waits for one answer."""

Deed = Callable[[Node], Coroutine[Any, Any, None]]


class Deeds:
    """All that can happen in one run; `trace` tells what was done, and when."""

    def __init__(self, world: World) -> None:
        self.notes, self.trace = Notes(), list[str]()
        self._world, self._rng = world, world.rng
        self._owner = WalletOwner(world.rng)
        self._wishes: list[PaymentRequest] = []
        self._asking: set[asyncio.Task[None]] = set()
        self._paused = False
        self._broken: MemoryProcess | None = None
        self._cheater: dict[Hash32, int] = {}
        self._joined: set[int] = set()
        self._leaving: set[int] = set()
        self._strangers: dict[int, Bytes32] = {}
        self._crash = False

    def _weights(self) -> dict[Deed, int]:
        return {
            self._pay: 12,
            self._freeze: 3,
            self._kill: 3,
            self._kill_many: 1,
            self._slow: 2,
            self._cheat: 3,
            self._lie: 3,
            self._drop: 2,
            self._old_disk: 2,
            self._clone: 2,
            self._full_disk: 1,
            self._policy: 3,
            self._turn: 3,
            self._join: 2,
            self._stranger: 2,
            self._leave: 2,
            self._end_node: 1,
        }

    async def _do_one(self, node: Node) -> None:
        weights = self._weights()
        (deed,) = self._rng.choices(list(weights), list(weights.values()))
        self._say(deed.__name__.strip("_").replace("_", " "))
        with suppress(KeymootError, NotDone):
            await deed(node)

    def _say(self, what: str) -> None:
        self.trace.append(f"{self._world.loop.time():9.3f} {what}")

    # -- what people do

    async def _pay(self, node: Node) -> None:
        for _ in range(self._rng.randint(1, 5)):
            value = self._rng.randint(1, 12)
            wish = PaymentRequest.of(node.membership.ledger, self._owner, value, self._rng)
            self._wishes.append(wish)
            self._ask(node, wish)
        if self._rng.random() < 0.3:
            self._ask(node, self._rng.choice(self._wishes))

    async def _policy(self, node: Node) -> None:
        owner = self._owner
        kind = self._rng.choice(("limit", "pause", "resume", "revoke"))
        if kind == "limit":
            most = self._rng.randint(20, 200)
            self.notes.limit = max(self.notes.limit, most)
            done = await owner.limit(node, most)
        elif kind in ("pause", "resume"):
            done = await owner.send(node, kind, owner.wallet)
            self._paused = kind == "pause"
        else:
            await owner.revoke(node)
            done = await owner.grant(node)
        self.notes.acknowledged(done)

    def _ask(self, node: Node, wish: PaymentRequest) -> None:
        self._beside(self._get(node, wish))

    def _beside(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.ensure_future(work)
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)

    async def _get(self, node: Node, wish: PaymentRequest) -> None:
        answer = await wish.answered(node, ANSWER_SECONDS)
        if answer is None:
            self.notes.counts["refusals"] += 1
            return
        if answer.digest != wish.digest:
            raise Violation("a signature over something else")
        self.notes.signed(answer.digest, bytes(answer.signature), wish.value)
        done = node.membership.ledger.transaction(wish.name)
        if done is not None:
            self.notes.acknowledged(done)

    async def _forget(self) -> None:
        """End what is asked; raise what it met."""
        for task in list(self._asking):
            task.cancel()
        for said in await asyncio.gather(*self._asking, return_exceptions=True):
            if isinstance(said, Exception):
                raise said

    # -- what befalls enclaves

    def _some(self, only: int | None = None) -> MemoryProcess | None:
        """Choose an enclave to be broken, or take that of one seat, and mend the one that was."""
        self._mend()
        running = self._world.host.running()
        if only is not None:
            running = [seat for seat in running if seat == only]
        if not running:
            return None
        self._broken = self._world.host.processes[self._rng.choice(running)]
        self.trace[-1] += f" {self._broken.seat}"
        return self._broken

    def _mend(self) -> None:
        broken, self._broken = self._broken, None
        if broken is not None:
            broken.thaw()
            broken.mend()

    async def _freeze(self, _: Node) -> None:
        """One is thawed, another frozen: what the one missed the other cannot make good."""
        process = self._some()
        if process is not None:
            process.freeze()

    async def _kill(self, _: Node) -> None:
        process = self._some()
        if process is not None:
            process.kill()

    async def _kill_many(self, _: Node) -> None:
        self._mend()
        for seat in self._world.host.running():
            if self._rng.random() < 0.8:
                self._world.host.processes[seat].kill()

    async def _slow(self, _: Node) -> None:
        process = self._some()
        if process is not None:
            process.pace = Pace((0.01, 0.3), (0.01, 0.2), (0.05, 0.5))

    async def _cheat(self, _: Node) -> None:
        """Have one deal badly. No mending makes it honest again: it is out for a generation."""
        record = self._world.machine.state.record
        known = self._cheater.get(record.generation)
        process = self._some(known if known in record.members else None)
        if process is not None:
            process.cheats = True
            self._cheater = {record.generation: process.seat}

    async def _lie(self, _: Node) -> None:
        process = self._some()
        if process is not None:
            process.lies = True

    async def _drop(self, _: Node) -> None:
        process = self._some()
        if process is not None:
            process.loses = 0.5

    async def _old_disk(self, _: Node) -> None:
        host, running = self._world.host, self._world.host.running()
        if not running:
            return
        seat = self._rng.choice(running)
        self._mend()
        if host.restore_folder(seat):
            self.notes.counts["an old disk"] += 1
        else:
            for each in running:
                host.copy_folder(each)

    async def _clone(self, node: Node) -> None:
        host, ledger = self._world.host, node.membership.ledger
        running = host.running()
        if not running:
            return
        seat = self._rng.choice(running)
        host.copy_folder(seat)
        made = await host.clone(seat)
        if made is None:
            return
        self.notes.counts["a clone"] += 1

        async def post(raw: bytes) -> None:
            with suppress(KeymootError):
                await ledger.submit(raw)

        made.listen(lambda raw: self._beside(post(raw)))
        serving = asyncio.ensure_future(made.serve(ledger.chain))
        try:
            await made.join(ledger.genesis.encode(), seat)
            place = self._world.place()
            await made.begin(place)
            await made.pulse()
            await asyncio.sleep(self._rng.uniform(0.1, 3.0))
        finally:
            made.kill()
            await serving

    async def _full_disk(self, _: Node) -> None:
        disk = self._world.host.disk
        if disk is None:
            return
        self.notes.counts["a full disk"] += 1
        disk.full = True
        await asyncio.sleep(self._rng.uniform(0.1, 5.0))
        disk.full = False

    async def _end_node(self, _: Node) -> None:
        self._crash = True

    # -- what whoever runs the node commands

    async def _turn(self, node: Node) -> None:
        await node.membership.changes.turn()

    async def _join(self, node: Node) -> None:
        if len(self._joined) >= 2:
            return
        seat = await node.membership.changes.join()
        self._joined.add(seat)
        self._leaving.discard(seat)

    async def _stranger(self, node: Node) -> None:
        """Have an enclave of other code invited.

        Whoever runs the node wants it, the ledger does not.
        """
        changes, host = node.membership.changes, self._world.host
        if self._strangers:
            return
        seat = changes.vacant()
        host.wipe(seat)
        host.codes[seat] = OTHER_CODE
        joined = await changes.join()
        if joined != seat:
            raise NotDone(f"seat {seat} was to be taken, {joined} was")
        self._strangers[seat] = host.processes[seat].identity.identity_key
        self.notes.counts["a stranger at the door"] += 1

    async def _send_away(self, node: Node) -> None:
        for seat in list(self._strangers):
            await node.membership.changes.leave(seat)
            self._world.host.wipe(seat)
            del self._strangers[seat]

    def _check_members(self) -> None:
        members = self._world.machine.state.seats().values()
        if {member.identity for member in members} & {*self._strangers.values()}:
            raise Violation("an enclave of other code is a member")

    async def _leave(self, node: Node) -> None:
        if self._strangers:
            # Who leaves may wait for who is to come; a stranger never does.
            return
        members = node.membership.roster.committee.indices
        seat = self._rng.choice(members)
        await node.membership.changes.leave(seat)
        self._leaving.add(seat)
        self._joined.discard(seat)
