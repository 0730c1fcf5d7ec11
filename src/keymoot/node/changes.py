"""Enclaves that come to this machine, and go: what whoever runs it has asked for.

A newcomer is started beside the others and follows the ledger; all enclaves here invite it,
and it joins with the epoch's end. What was asked is asked again while it is not done: an
attempt that fails, or a generation, forgets votes. What was asked survives a restart of the node.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

import structlog

from keymoot.base.errors import KeymootError, Refused
from keymoot.base.fixed import NetworkId
from keymoot.engine.ledger import Ledger
from keymoot.moot.assembly import Assembly
from keymoot.moot.epoch import Stage
from keymoot.node.wanted import Wanted
from keymoot.runtime.members import SETTLING_BLOCKS
from keymoot.threshold.committee import MAX_SIZE, MIN_SIZE

if TYPE_CHECKING:
    from keymoot.node.moot import Moot

TAKEN_SECONDS = 40.0
"""How long whoever asked waits for the ledger to take it."""

log = structlog.get_logger("keymoot.changes")


class NoChange(Refused):
    """The assembly cannot change like that."""

    code = "NO_CHANGE"


class Changes:
    """What is to change about the seats of one machine."""

    def __init__(self, moot: "Moot", ledger: Ledger, wanted: Wanted) -> None:
        """Go on with what is wanted."""
        self._moot = moot
        self._ledger = ledger
        self._wanted = wanted
        self._starting: set[int] = set()

    @property
    def network(self) -> NetworkId:
        """The network whose seats they are."""
        return self._ledger.network

    @property
    def joining(self) -> frozenset[int]:
        """Seats whose enclaves are to join."""
        return frozenset(self._wanted.joining | self._starting)

    @property
    def leaving(self) -> frozenset[int]:
        """Members that are to leave."""
        return frozenset(self._wanted.leaving)

    async def join(self) -> int:
        """Start one more enclave, at the lowest vacant seat, and have it invited; give the seat.

        Comes back when the ledger has admitted it, or does not yet after `TAKEN_SECONDS`: then
        it is asked again.

        Raises:
            NoChange: there are no roots yet, or no seat is vacant.
            EnclaveRefused: it cannot start.
        """
        assembly = self._moot.assembly()
        if not assembly.hall.ready:
            raise NoChange("the assembly is still making its keys: try again in a moment")
        taken = {*assembly.hall.head.members, *assembly.turning.admitting.page.joining}
        taken |= {one.index for one in self._moot.seats} | self.joining
        vacant = [seat for seat in range(1, MAX_SIZE + 1) if seat not in taken]
        if not vacant:
            raise NoChange(f"all {MAX_SIZE} seats are taken")
        seat = vacant[0]
        await self._start(seat)
        self._wanted.keep(self._wanted.joining | {seat}, self._wanted.leaving)
        await self._say_again(self._moot.assembly())
        await self._until(lambda now: seat in now.turning.admitting.page.joining)
        return seat

    async def leave(self, seat: int) -> None:
        """Have a member leave with the epoch's end.

        Raises:
            NoChange: nobody has that seat, or too few would be left.
        """
        assembly = self._moot.assembly()
        page, members = assembly.turning.admitting.page, assembly.hall.head.members
        if seat not in members:
            raise NoChange(f"nobody has seat {seat}; the members are {members}")
        going = {*page.leaving, *self.leaving, seat}
        left = len({*members, *page.joining, *self.joining} - going)
        if left < MIN_SIZE:
            raise NoChange(f"{left} would be left, an assembly has at least {MIN_SIZE} members")
        self._wanted.keep(self._wanted.joining, self._wanted.leaving | {seat})
        log.info("seat.leaves", seat=seat)
        await self._say_again(assembly)
        await self._until(lambda now: seat in now.turning.admitting.page.leaving)

    async def tend(self) -> None:
        """Go on with what was asked; end the enclaves of those who left."""
        assembly = self._moot.assembly()
        if not assembly.hall.ready:
            return
        members = set(assembly.hall.head.members)
        self._wanted.keep(self._wanted.joining - members, self._wanted.leaving & members)
        await self._start_again()
        # Blocks come meanwhile: what was read before them cannot be read from any more.
        await self._say_again(self._moot.assembly())
        assembly = self._moot.assembly()
        members = set(assembly.hall.head.members)
        settled = assembly.turning.handover.latest.height + SETTLING_BLOCKS
        if self._ledger.height() < settled:
            return
        for one in self._moot.seats:
            if one.index not in members | self.joining:
                log.info("seat.left", seat=one.index)
                await self._moot.remove(one.index)

    async def _start(self, seat: int) -> None:
        """Start an enclave that is to join; whoever asks meanwhile sees that its seat is taken."""
        self._starting.add(seat)
        try:
            await self._moot.add(seat)
        finally:
            self._starting.discard(seat)
        log.info("seat.joins", seat=seat)

    async def _start_again(self) -> None:
        """Start those who were to join when the node ended."""
        running = {one.index for one in self._moot.seats} | self._starting
        for seat in sorted(self._wanted.joining - running):
            try:
                await self._start(seat)
            except KeymootError as error:
                log.warning("seat.does_not_start", seat=seat, reason=str(error))
                self._wanted.keep(self._wanted.joining - {seat}, self._wanted.leaving)
            except OSError as error:
                # This machine is short of something; it is tried again.
                log.warning("seat.does_not_start_yet", seat=seat, reason=str(error))

    async def _until(self, taken: Callable[[Assembly], bool]) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(TAKEN_SECONDS):
                while not taken(self._moot.assembly()):
                    await self._ledger.new_block()

    async def _say_again(self, assembly: Assembly) -> None:
        """Have enclaves say what the ledger has not taken yet."""
        epoch, page = assembly.turning.epoch, assembly.turning.admitting.page
        if epoch is None or epoch.stage is not Stage.LIVING:
            return
        holders = {one.index: one for one in self._moot.seats}
        voters = [holders[seat] for seat in assembly.hall.head.members if seat in holders]
        for seat in sorted(self.joining & holders.keys() - page.joining.keys()):
            identity = holders[seat].identity.identity_key
            voted = page.invited.get(identity, frozenset())
            for one in voters:
                if one.index not in voted:
                    await _quietly(one.client.admit(identity))
        for seat in sorted(self.leaving - set(page.leaving)):
            own = holders.get(seat)
            asked = [own] if own is not None and own.alive else voters
            for one in asked:
                await _quietly(one.client.part(seat))


async def _quietly(asking: Awaitable[None]) -> None:
    try:
        await asking
    except KeymootError as error:
        # It is asked again.
        log.debug("enclave.says_no", reason=str(error))
