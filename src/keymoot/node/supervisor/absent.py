"""Members whose enclaves did not start with the node: the others go on, and these are named."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from keymoot.base.errors import KeymootError, Refused
from keymoot.node.feed.process import Launch, Process

TRY_SECONDS = 30.0
"""How long an absent member is left alone between two tries: somebody may mend it."""

HANG_SECONDS = 30.0
"""How long an enclave may take longer for a step of its start than those without whom nothing goes."""

Processes = Mapping[int, Process]
"""Started enclaves, by seat."""

log = structlog.get_logger("keymoot.seats")


class TooManyAbsent(Refused):
    """More members' enclaves do not start than may be missing."""

    code = "TOO_MANY_ABSENT"

    def __init__(self, absent: dict[int, str], size: int, spare: int) -> None:
        """List them, with what each said."""
        listed = "".join(f"\n  seat {seat}: {why}" for seat, why in sorted(absent.items()))
        super().__init__(
            f"{len(absent)} of {size} enclaves do not start, and at most {spare} may be missing; "
            f"mend enough of them and start the node again:{listed}"
        )


class EnclaveHangs(Refused):
    """An enclave has not done in time what the others have."""

    code = "ENCLAVE_HANGS"

    def __init__(self) -> None:
        """Say what becomes of it."""
        super().__init__(
            f"its process starts and does not answer, {HANG_SECONDS:.0f} s after enough others "
            "have: see what holds it up; it is tried again"
        )


class Absent:
    """Who is missing, and why; up to a third may be."""

    def __init__(self, members: Iterable[int], former: Iterable[int] = (), *, fresh: bool) -> None:
        """Expect these members; a new network begins with all of them.

        Args:
            members: Their seats.
            former: Seats of members before, without whom it goes on.
            fresh: Whether the network is new.
        """
        self._members, self._former = tuple(members), tuple(former)
        # As `Committee.faults` has it, for fewer than a committee has, too.
        self._spare = 0 if fresh else (len(self._members) - 1) // 3
        self._fresh = fresh
        self.reasons: dict[int, str] = {}

    async def start(self, launch: Launch) -> Processes:
        """Start all enclaves side by side; give those that run.

        Raises:
            TooManyAbsent: too many cannot start; none is left running.
        """
        started: dict[int, Process] = {}

        async def begin(seat: int) -> None:
            started[seat] = await launch(seat)

        try:
            await self._side_by_side(self._members + self._former, begin)
        except BaseException:
            await close_all(started)
            raise
        return started

    async def each(
        self, processes: Processes, do: Callable[[int, Process], Awaitable[None]]
    ) -> Processes:
        """Have started enclaves do something, side by side; give those that did it.

        Others are ended.

        Raises:
            TooManyAbsent: too many say no.
        """
        did: dict[int, Process] = {}

        async def one(seat: int) -> None:
            try:
                await do(seat, processes[seat])
                did[seat] = processes[seat]
            finally:
                if seat not in did:
                    await processes[seat].close()

        await self._side_by_side(processes, one)
        return did

    async def _side_by_side(
        self, seats: Iterable[int], do: Callable[[int], Awaitable[None]]
    ) -> None:
        """Have each seat do something; who hangs is waited for only while too few have done it."""

        async def one(seat: int) -> None:
            try:
                await do(seat)
            except (KeymootError, OSError) as error:
                self.note(seat, error)

        async with asyncio.TaskGroup() as tasks:
            waiting = {tasks.create_task(one(seat)): seat for seat in seats}
            while waiting and not self._enough(waiting.values()):
                done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    del waiting[task]
            if waiting:
                _, hanging = await asyncio.wait(waiting, timeout=HANG_SECONDS)
                for task, seat in waiting.items():
                    if task in hanging:
                        self.note(seat, EnclaveHangs())
                        task.cancel()
        self.check()

    def _enough(self, waiting: Iterable[int]) -> bool:
        """Tell whether the node can go on without those who are waited for."""
        missing = {*waiting, *self.reasons} & {*self._members}
        return len(missing) <= self._spare and not self._fresh

    def note(self, seat: int, error: KeymootError | OSError) -> None:
        """Note why an enclave does not start, or does not join."""
        if self.reasons.get(seat) != str(error):
            log.error("seat.absent", seat=seat, reason=str(error))
        self.reasons[seat] = str(error)

    def check(self) -> None:
        """Raise if too many members are missing.

        Raises:
            TooManyAbsent: with all of them.
        """
        missing = {seat: why for seat, why in self.reasons.items() if seat in self._members}
        if len(missing) > self._spare:
            raise TooManyAbsent(missing, len(self._members), self._spare)

    async def tend(
        self, add: Callable[[int], Awaitable[None]], members: Callable[[], tuple[int, ...]]
    ) -> None:
        """Try again to start whoever is missing, now and then, until cancelled.

        Args:
            add: Starts an enclave at a seat.
            members: Gives whose seats are members' now.
        """
        while True:
            await asyncio.sleep(TRY_SECONDS)
            for seat in sorted(self.reasons):
                if seat not in members():
                    del self.reasons[seat]
                    continue
                try:
                    await add(seat)
                except KeymootError as error:
                    self.note(seat, error)
                except OSError as error:
                    log.warning("seat.does_not_start_yet", seat=seat, reason=str(error))
                else:
                    del self.reasons[seat]
                    log.info("seat.returned", seat=seat)


async def close_all(processes: Processes) -> None:
    """End enclaves, side by side."""
    await asyncio.gather(*(one.close() for one in processes.values()), return_exceptions=True)
