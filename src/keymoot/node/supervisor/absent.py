"""Members whose enclaves did not start with the node: the others go on, and these are named."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping

import structlog

from keymoot.base.errors import KeymootError, Refused
from keymoot.node.feed.process import Launch, Process

TRY_SECONDS = 30.0
"""How long an absent member is left alone between two tries: somebody may mend it."""

FIRST_TRY_SECONDS = 1.0
"""How long after the node's start the first try comes; each further pause is twice as long."""

HANG_SECONDS = 30.0
"""How much longer a step of an enclave's start may take than with those that are needed."""

Processes = Mapping[int, Process]
"""Started enclaves, by seat."""

log = structlog.get_logger("keymoot.seats")


class TooManyAbsent(Refused, code="TOO_MANY_ABSENT"):
    def __init__(self, absent: dict[int, str], size: int, spare: int) -> None:
        listed = "".join(f"\n  seat {seat}: {why}" for seat, why in sorted(absent.items()))
        super().__init__(
            f"{len(absent)} of {size} enclaves do not start, and at most {spare} may be missing; "
            f"mend enough of them and start the node again:{listed}"
        )


class EnclaveHangs(Refused, code="ENCLAVE_HANGS"):
    message = (
        f"its process starts and does not answer, {HANG_SECONDS:.0f} s after enough others "
        "have: see what holds it up; it is tried again"
    )


class Absent:
    """Who is missing, and why; up to a third may be."""

    def __init__(self, members: Iterable[int], former: Iterable[int] = (), *, fresh: bool) -> None:
        """Expect these members, and former ones, who may be missing; a new network needs all."""
        self._members, self._former = tuple(members), tuple(former)
        # As `Committee.faults` has it, for fewer than a committee has, too.
        self._spare = 0 if fresh else (len(self._members) - 1) // 3
        self._fresh = fresh
        self.reasons: dict[int, str] = {}

    async def start(self, launch: Launch) -> Processes:
        """Start all enclaves side by side; give those that run."""
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
        """
        did: dict[int, Process] = {}

        async def in_time(seat: int) -> None:
            try:
                await do(seat, processes[seat])
                did[seat] = processes[seat]
            finally:
                if seat not in did:
                    await processes[seat].close()

        await self._side_by_side(processes, in_time)
        return did

    async def _side_by_side(
        self, seats: Iterable[int], do: Callable[[int], Awaitable[None]]
    ) -> None:
        """Have each seat do something; who hangs is waited for only while too few have done it."""

        async def noted(seat: int) -> None:
            try:
                await do(seat)
            except (KeymootError, OSError) as error:
                self.note(seat, error)

        async with asyncio.TaskGroup() as tasks:
            waiting = {tasks.create_task(noted(seat)): seat for seat in seats}
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
        if self.reasons.get(seat) != str(error):
            log.error("seat.absent", seat=seat, reason=str(error))
        self.reasons[seat] = str(error)

    def check(self) -> None:
        """Raise if too many members are missing."""
        missing = {seat: why for seat, why in self.reasons.items() if seat in self._members}
        if len(missing) > self._spare:
            raise TooManyAbsent(missing, len(self._members), self._spare)

    async def reconcile(
        self, add: Callable[[int], Awaitable[None]], members: Callable[[], tuple[int, ...]]
    ) -> None:
        """Try again to start whoever is missing of the members, now and then, until cancelled."""
        pause = FIRST_TRY_SECONDS
        while True:
            await asyncio.sleep(min(pause, TRY_SECONDS))
            pause *= 2
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
    await asyncio.gather(
        *(process.close() for process in processes.values()), return_exceptions=True
    )
