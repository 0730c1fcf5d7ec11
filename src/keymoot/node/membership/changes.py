"""Enclaves that come to this machine, and go: what whoever runs it has asked for.

A newcomer is started beside the others and follows the ledger; all enclaves here invite it,
and it joins with the epoch's end. A member leaves by its own word, or, where its enclave has
none any more, by that of the others. What was asked is asked again while it is not done: an
attempt that fails, or a generation, forgets votes. What was asked survives a restart of the node.
"""

import asyncio
from collections.abc import Sequence

import structlog

from keymoot.base.errors import KeymootError, Refused
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.storage import CannotWrite
from keymoot.committee.errors import NotReady
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.membership.record import MAX_INVITED
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.signers import settled
from keymoot.engine.ledger import Ledger
from keymoot.node.membership.roster import Roster
from keymoot.node.membership.wanted import WantedSeats
from keymoot.node.supervisor.asking import Asking
from keymoot.node.supervisor.enclaves import Enclaves
from keymoot.node.supervisor.holder import SeatHolder
from keymoot.threshold.committee import MAX_SIZE, MIN_SIZE

VOTE_SECONDS = 2.0
"""How long an enclave may take to post its vote before the others go on without it."""

TEND_SECONDS = 1.0
"""How often what is not done yet is looked after."""

START_SECONDS = 40.0
"""How long a new enclave may take until it follows the ledger."""

log = structlog.get_logger("keymoot.changes")


class NoChange(Refused, code="NO_CHANGE"):
    """The committee cannot change like that."""


class SeatChanges:
    """What is to change about the seats of one machine."""

    def __init__(
        self,
        ledger: Ledger,
        roster: Roster,
        enclaves: Enclaves,
        asking: Asking,
        wanted: WantedSeats,
    ) -> None:
        self._ledger, self._roster, self._enclaves = ledger, roster, enclaves
        self._asking = asking
        self._wanted = wanted
        self._starting: set[int] = set()
        self._given_word: set[int] = set()

    @property
    def network(self) -> NetworkId:
        return self._ledger.network

    @property
    def joining(self) -> frozenset[int]:
        return frozenset(self._wanted.joining | self._starting)

    @property
    def leaving(self) -> frozenset[int]:
        """Members that are to leave, and who left and has not erased all that opens its shares."""
        return frozenset(self._wanted.leaving)

    def vacant(self) -> int:
        """Give the lowest seat that is nobody's: no member's, no newcomer's, no enclave's here."""
        machine = self._roster.machine()
        taken = {*machine.state.record.members, *machine.epochs.membership.page.joining}
        taken |= {enclave.seat for enclave in self._enclaves.seats} | self.joining
        seat = next((at for at in range(1, MAX_SIZE + 1) if at not in taken), None)
        if seat is None:
            raise NoChange(f"all {MAX_SIZE} seats are taken: one must leave before another comes")
        return seat

    # -- what is asked

    async def turn(self, number: int | None = None) -> None:
        """Have every enclave here vote for the end of the epoch; nothing, where it is ending.

        The epoch that is to end has `number`: where it has, nothing is to do; None: the living one.
        """
        machine = self._roster.machine()
        _check_ready(machine)
        epoch = machine.epochs.current
        if epoch is None or epoch.stage is not EpochStage.LIVING:
            return
        if number not in (None, epoch.number):
            return
        voters = [holder for holder in self._voters(machine) if holder.seat not in epoch.wants]
        said = await self._asking.each(voters, lambda voter: voter.process.turn(), VOTE_SECONDS)
        log.info("epoch.vote", seats=[*said.answers], silent=[*sorted(said.silent)])

    async def join(self) -> int:
        """Start one more enclave, at the lowest vacant seat, and have it invited; give the seat.

        It is invited again, epoch after epoch, until the ledger has admitted it.
        """
        machine = self._roster.machine()
        _check_ready(machine)
        page = machine.epochs.membership.page
        if len(page.invited) >= MAX_INVITED:
            raise NoChange(
                f"{len(page.invited)} newcomers were invited in this epoch, a seat invites at "
                f"most {MAX_INVITED}: end it with `keymoot net turn`, and ask again"
            )
        seat = self.vacant()
        try:
            await self._start(seat)
        except TimeoutError as error:
            raise NoChange(
                f"the enclave of seat {seat} did not start within {START_SECONDS:.0f} s: this "
                "machine may be too busy; nothing has changed, ask again"
            ) from error
        except OSError as error:
            raise NoChange(
                f"the enclave of seat {seat} cannot start on this machine ({error.strerror}): "
                "nothing has changed, ask again"
            ) from error
        try:
            self._wanted.keep(self._wanted.joining | {seat}, self._wanted.leaving - {seat})
        except CannotWrite:
            await self._enclaves.remove(seat)
            raise
        await self._say_again(self._roster.machine())
        return seat

    async def leave(self, seat: int) -> None:
        """Have a member leave with the epoch's end, or a newcomer that is not admitted stay out."""
        machine = self._roster.machine()
        _check_ready(machine)
        page, members = machine.epochs.membership.page, machine.state.record.members
        if seat not in members and seat in page.joining:
            raise NoChange(
                f"seat {seat} is admitted and joins with the end of the epoch: it can leave then"
            )
        if seat in self._wanted.joining and seat not in members:
            self._wanted.keep(self._wanted.joining - {seat}, self._wanted.leaving)
            log.info("seat.stays_out", seat=seat)
            await self._enclaves.remove(seat)
            return
        if seat not in members:
            raise NoChange(f"nobody has seat {seat}: the members are {_listed(members)}")
        going = {*page.leaving, *self.leaving, seat}
        staying = {*members, *page.joining, *self.joining} - going
        if len(staying) < MIN_SIZE:
            raise NoChange(
                f"{len(staying)} would be left, a committee has at least {MIN_SIZE} members: "
                "let another one join before, with `keymoot net join`"
            )
        self._wanted.keep(self._wanted.joining - {seat}, self._wanted.leaving | {seat})
        log.info("seat.leaves", seat=seat)
        await self._say_again(machine)

    # -- going on with it

    async def run(self) -> None:
        while True:
            await asyncio.sleep(TEND_SECONDS)
            if self._ledger.sequencer.founding:
                continue
            try:
                await self.reconcile()
            except CannotWrite as error:
                # What is wanted stays as it was, and is looked after again.
                log.warning("changes.not_kept", reason=str(error))

    async def reconcile(self) -> None:
        """Go on with what was asked; end the enclaves of those who left."""
        machine = self._roster.machine()
        if not machine.state.ready:
            return
        members = set(machine.state.record.members)
        if settled(machine):
            # Before that a recovery may go back to a time at which they were no members.
            self._strike_out(self._wanted.joining & members, set())
        await self._start_again(members)
        # Blocks come meanwhile: what was read before them cannot be read from any more.
        await self._say_again(self._roster.machine())
        machine = self._roster.machine()
        members = set(machine.state.record.members)
        # Until all hold new shares a recovery may go back to those who left.
        epoch = machine.epochs.current
        certified = epoch is not None and self._ledger.height() >= epoch.since_height
        if not certified or not settled(machine):
            return
        gone = [
            enclave
            for enclave in self._enclaves.seats
            if enclave.seat not in members | self.joining
        ]
        # It ends once it has erased what opens its old shares; killed before, it is started again.
        said = await self._asking.each(gone, lambda enclave: enclave.stored(), VOTE_SECONDS)
        for seat in sorted(seat for seat, left in said.answers.items() if left):
            log.info("seat.left", seat=seat)
            await self._enclaves.remove(seat)
            self._strike_out(set(), {seat})

    async def _start(self, seat: int) -> None:
        """Start an enclave that is to join; whoever asks meanwhile sees that its seat is taken."""
        self._starting.add(seat)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._enclaves.add(seat)
        finally:
            self._starting.discard(seat)
        log.info("seat.joins", seat=seat)

    async def _start_again(self, members: set[int]) -> None:
        """Start those who were to join when the node ended, and who had not quite left."""
        running = {enclave.seat for enclave in self._enclaves.seats} | self._starting
        wanted = self._wanted.joining | self._wanted.leaving
        for seat in sorted(wanted - running - members):
            try:
                await self._start(seat)
            except KeymootError as error:
                log.warning("seat.does_not_start", seat=seat, reason=str(error))
                self._strike_out({seat}, {seat})
            except TimeoutError:
                log.warning("seat.does_not_start_yet", seat=seat, reason="it does not answer")
            except OSError as error:
                # This machine is short of something; it is tried again.
                log.warning("seat.does_not_start_yet", seat=seat, reason=str(error))

    def _strike_out(self, joining: set[int], leaving: set[int]) -> None:
        """Want no more what is done, or cannot be; later, where nothing can be written now."""
        wanted = self._wanted
        try:
            wanted.keep(wanted.joining - joining, wanted.leaving - leaving)
        except CannotWrite as error:
            log.warning("changes.not_kept", reason=str(error))

    async def _say_again(self, machine: CommitteeMachine) -> None:
        """Have enclaves say what the ledger has not taken yet."""
        epoch, page = machine.epochs.current, machine.epochs.membership.page
        if epoch is None or epoch.stage is not EpochStage.LIVING:
            return
        holders = {enclave.seat: enclave for enclave in self._enclaves.seats}
        voters, members = self._voters(machine), {*machine.state.record.members}
        # Nothing is read from the committee from here on: blocks come while enclaves are asked.
        for seat in sorted(self.joining & holders.keys() - page.joining.keys() - members):
            identity = holders[seat].identity.identity_key
            voted = page.invited.get(identity, frozenset())
            await self._invite(identity, [voter for voter in voters if voter.seat not in voted])
        self._given_word &= self.leaving
        for seat in sorted(self.leaving & members - set(page.leaving)):
            voted = page.unwanted.get(seat, frozenset())
            own = [voter for voter in voters if voter.seat == seat and seat not in self._given_word]
            # Its own word is enough. Where that does not come, the others have their votes.
            self._given_word.add(seat)
            await self._part(seat, own or [voter for voter in voters if voter.seat not in voted])

    async def _invite(self, identity: Bytes32, voters: Sequence[SeatHolder]) -> None:
        await self._asking.each(voters, lambda voter: voter.process.admit(identity), VOTE_SECONDS)

    async def _part(self, seat: int, voters: Sequence[SeatHolder]) -> None:
        await self._asking.each(voters, lambda voter: voter.process.part(seat), VOTE_SECONDS)

    def _voters(self, machine: CommitteeMachine) -> list[SeatHolder]:
        """Give the members' enclaves whose present start the ledger knows: the others have no vote.

        Where a seat's folder was lost another enclave runs, and the seat is not its own.
        """
        known = machine.state.seats()
        return [
            enclave
            for enclave in self._enclaves.seats
            if enclave.alive
            and enclave.seat in known
            and known[enclave.seat].session == enclave.identity.session
        ]


def _check_ready(machine: CommitteeMachine) -> None:
    if not machine.state.ready:
        raise NotReady


def _listed(seats: Sequence[int]) -> str:
    return ", ".join(str(seat) for seat in seats)
