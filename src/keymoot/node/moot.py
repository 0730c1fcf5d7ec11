"""All enclaves of an embedded network together: they begin, recover, come and go."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence

import structlog

from keymoot.base.errors import KeymootError, Refused
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.enclave.answer import Answer
from keymoot.engine.chain_store import Covered
from keymoot.engine.ledger import Ledger
from keymoot.engine.replicas import Replica
from keymoot.engine.sequencer import Sequencer
from keymoot.moot.assembly import Assembly
from keymoot.moot.signers import sessions
from keymoot.node.absent import Absent
from keymoot.node.asking import Asking
from keymoot.node.changes import Changes
from keymoot.node.clock import Clock
from keymoot.node.lineup import Lineup
from keymoot.node.process import Launch
from keymoot.node.recovery import HEAL_SECONDS, Stillness, order_for
from keymoot.node.seats import SeatHolder
from keymoot.node.wanted import Wanted
from keymoot.runtime.assembly import assembly_in
from keymoot.threshold.committee import Committee

PULSE_SECONDS = 1.0
"""How often enclaves may see that time has passed."""

log = structlog.get_logger("keymoot.moot")


class NotAttached(Refused):
    """The enclaves are not connected to a ledger yet."""

    code = "NOT_ATTACHED"

    def __init__(self) -> None:
        """Say so."""
        super().__init__("the enclaves are not attached yet")


class Moot:
    """The seats of one embedded network."""

    def __init__(
        self,
        launch: Launch,
        clock: Clock,
        holders: Sequence[SeatHolder],
        absent: Absent | None = None,
    ) -> None:
        """Take over started enclaves; `absent` are those that did not start."""
        self._launch, self._clock = launch, clock
        self._holders = {one.seat: one for one in holders}
        self._absent = absent or Absent(self._holders, fresh=False)
        self._changes: Changes | None = None
        self._group: asyncio.TaskGroup | None = None
        self._watching: dict[int, asyncio.Task[None]] = {}
        self._ledger: Ledger | None = None
        self._lineup: Lineup | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self.asking = Asking()
        """Questions about who comes, who goes, and when."""

    @classmethod
    async def start(
        cls,
        launch: Launch,
        clock: Clock,
        members: Iterable[int],
        former: Iterable[int] = (),
        *,
        fresh: bool,
    ) -> "Moot":
        """Start enclaves side by side; those that can go on without others.

        Args:
            launch: Starts the enclave of a seat.
            clock: The time of day.
            members: Their seats.
            former: Seats of members before, to whose epoch a recovery may go back.
            fresh: Whether a network is to be founded.

        Raises:
            TooManyAbsent: too many members cannot start; none is left running.
        """
        absent = Absent(members, former, fresh=fresh)
        return cls(launch, clock, await absent.start(launch, clock), absent)

    async def join(self, genesis: bytes) -> None:
        """Have all enclaves join their network.

        Raises:
            TooManyAbsent: too many say no.
        """
        joined = await self._absent.each(self.seats, lambda one: one.join(genesis))
        self._holders = {one.seat: one for one in joined}

    async def attach(self, ledger: Ledger, wanted: Wanted) -> None:
        """Connect all enclaves to the ledger; each begins at its newest certified block.

        Args:
            ledger: What they execute.
            wanted: Who is to come, and to go.

        Raises:
            TooManyAbsent: too many say no.
        """
        self._ledger = ledger
        sequencer = self._sequencer
        self._changes = Changes(self, ledger, wanted)
        for one in self.seats:
            one.attach(ledger.chain, sequencer, self._hear)
        begun = await self._absent.each(self.seats, lambda one: one.begin())
        self._holders = {one.seat: one for one in begun}
        sequencer.on_written(self._written)
        sequencer.on_lost(self._lost)
        sequencer.on_blamed(_blame)

    # -- who is here

    @property
    def absent(self) -> Mapping[int, str]:
        """Members whose enclaves do not run here, and why."""
        return self._absent.reasons

    @property
    def ledger(self) -> Ledger:
        """The ledger.

        Raises:
            NotAttached: there is none yet.
        """
        if self._ledger is None:
            raise NotAttached
        return self._ledger

    @property
    def changes(self) -> Changes:
        """Who is to come, and to go.

        Raises:
            NotAttached: there is no ledger yet.
        """
        if self._changes is None:
            raise NotAttached
        return self._changes

    @property
    def committee(self) -> Committee:
        """Who keeps the keys."""
        return self.lineup.committee

    @property
    def lineup(self) -> Lineup:
        """How the assembly stands after the newest certified block."""
        height = self.ledger.height()
        if self._lineup is None or self._lineup.height != height:
            self._lineup = Lineup.of(self.assembly(), height)
        return self._lineup

    @property
    def seats(self) -> tuple[SeatHolder, ...]:
        """The enclaves that run here, in the order of their seats; also who comes, or has left."""
        return tuple(self._holders[seat] for seat in sorted(self._holders))

    def holder(self, seat: int) -> SeatHolder | None:
        """Give the enclave of a seat; None if it does not run here."""
        return self._holders.get(seat)

    def saw(self, height: Height) -> frozenset[int]:
        """Give the seats of enclaves that run, and began below a height."""
        return frozenset(one.seat for one in self.seats if one.alive and one.saw(height))

    def assembly(self) -> Assembly:
        """Give the assembly as the newest certified state has it; while founding, the newest."""
        return assembly_in(self._sequencer.working_state(), self.ledger.network)

    def seated(self) -> bool:
        """Tell whether so many starts run and are known that they can certify blocks."""
        named = sessions(self.assembly())
        known = [
            one for one in self.seats if one.alive and named.get(one.seat) == one.identity.boot
        ]
        return len(known) > self.committee.degree

    # -- who comes and goes

    async def add(self, seat: int) -> None:
        """Start one more enclave; it follows the ledger from here on.

        Raises:
            EnclaveRefused: it cannot start.
        """
        ledger, group = self.ledger, self._group
        if group is None:
            raise NotAttached
        one = await SeatHolder.start(seat, self._launch, self._clock)
        try:
            await one.join(ledger.genesis.encode())
            one.attach(ledger.chain, self._sequencer, self._hear)
            self._holders[seat] = one
            await one.begin()
        except BaseException:
            self._holders.pop(seat, None)
            await one.close()
            raise
        self._watching[seat] = group.create_task(one.watch())

    async def remove(self, seat: int) -> None:
        """End an enclave, if it runs; its folder stays."""
        one = self._holders.pop(seat, None)
        if one is None:
            return
        watching = self._watching.pop(seat, None)
        if watching is not None:
            watching.cancel()
        await one.close()

    # -- recovery

    async def recover(self) -> None:
        """Begin a new generation, with the present starts of the enclaves here.

        Raises:
            Refused: too few of them agree.
        """
        ledger, sequencer = self.ledger, self._sequencer
        tail = [raw for one in sequencer.tail for raw in one.block.transactions]
        order = await order_for(ledger.chain, self.assembly(), tail, self.seats)
        await ledger.submit(order)

    # -- life

    async def run(self) -> None:
        """Keep the enclaves alive and let time pass for them, until cancelled.

        Raises:
            FoundingEnded: one ended while the network was being founded.
        """
        async with asyncio.TaskGroup() as tasks:
            self._group = tasks
            for one in self.seats:
                self._watching[one.seat] = tasks.create_task(one.watch())
            tasks.create_task(self._pulse())
            tasks.create_task(self._tend())
            tasks.create_task(self._heal())
            tasks.create_task(self._absent.tend(self.add, lambda: self.lineup.committee.indices))

    async def close(self) -> None:
        """End all enclaves."""
        self.asking.forget()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*(one.close() for one in self.seats), return_exceptions=True)

    @property
    def _sequencer(self) -> Sequencer[Answer]:
        return self.ledger.sequencer

    async def _pulse(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            for one in self.seats:
                self._spawn(one.pulse())

    async def _tend(self) -> None:
        while True:
            await asyncio.sleep(PULSE_SECONDS)
            if self._sequencer.founding:
                continue
            try:
                await self.changes.tend()
            except CannotWrite as error:
                # What is wanted stays as it was, and is looked after again.
                log.warning("changes.not_kept", reason=str(error))

    async def _heal(self) -> None:
        """Recover when so many enclaves started anew at once that no block is certified."""
        sequencer, stillness = self._sequencer, Stillness()
        while True:
            await asyncio.sleep(HEAL_SECONDS)
            if sequencer.founding:
                continue
            members = self.committee
            due = stillness.look(
                self.ledger.height(),
                short=sequencer.waits_for_shares and not self.seated(),
                whole=all(one.alive for one in self.seats if one.seat in members),
            )
            if not due:
                continue
            log.warning("moot.recovers", height=self.ledger.height())
            try:
                await self.recover()
            except KeymootError as error:
                log.warning("moot.does_not_recover", reason=str(error))

    def _written(self, _: Covered) -> None:
        for one in self.seats:
            one.show()

    def _lost(self, replica: Replica[Answer], error: Exception) -> None:
        one = self._holders.get(replica.seat)
        if one is not None:
            one.lost(replica, error)

    def _hear(self, raw: bytes) -> None:
        self._spawn(self._post(raw))

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post(self, raw: bytes) -> None:
        ledger = self.ledger
        while True:
            try:
                await ledger.submit(raw)
            except KeymootError as error:
                # It may follow from a block whose certificate enclaves know, and readers not yet.
                if self._sequencer.tail.certified > ledger.height():
                    await ledger.new_block()
                    continue
                # What came too late is not wanted any more; nothing is lost.
                log.debug("message.unwanted", reason=str(error))
            return


def _blame(seat: int, height: Height, words: str) -> None:
    log.warning("enclave.blamed", seat=seat, height=height, reason=words)
