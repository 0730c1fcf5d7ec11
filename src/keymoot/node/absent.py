"""Members whose enclaves did not start with the node: the others go on, and these are named."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence

import structlog

from keymoot.base.errors import Refused
from keymoot.node.clock import Clock
from keymoot.node.process import Launch
from keymoot.node.seats import SeatHolder

TRY_SECONDS = 30.0
"""How long an absent member is left alone between two tries: somebody may mend it."""

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
        self.reasons: dict[int, str] = {}

    async def start(self, launch: Launch, clock: Clock) -> list[SeatHolder]:
        """Start all enclaves side by side; give those that run.

        Raises:
            TooManyAbsent: too many cannot start; none is left running.
        """
        seats = self._members + self._former
        starting = (SeatHolder.start(seat, launch, clock) for seat in seats)
        done = await asyncio.gather(*starting, return_exceptions=True)
        started = [one for one in done if isinstance(one, SeatHolder)]
        try:
            for seat, one in zip(seats, done, strict=True):
                if isinstance(one, Refused):
                    self.note(seat, one)
                elif isinstance(one, BaseException):
                    raise one
            self.check()
        except BaseException:
            await asyncio.gather(*(one.close() for one in started), return_exceptions=True)
            raise
        return started

    async def each(
        self, holders: Sequence[SeatHolder], do: Callable[[SeatHolder], Awaitable[None]]
    ) -> list[SeatHolder]:
        """Have enclaves do something, side by side; give those that did it. Others are ended.

        Raises:
            TooManyAbsent: too many say no.
        """
        done = await asyncio.gather(*(do(one) for one in holders), return_exceptions=True)
        found = []
        for one, error in zip(holders, done, strict=True):
            if error is None:
                found.append(one)
                continue
            if not isinstance(error, Refused):
                raise error
            self.note(one.seat, error)
            await one.close()
        self.check()
        return found

    def note(self, seat: int, error: Refused) -> None:
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
                except Refused as error:
                    self.note(seat, error)
                except OSError as error:
                    log.warning("seat.does_not_start_yet", seat=seat, reason=str(error))
                else:
                    del self.reasons[seat]
                    log.info("seat.returned", seat=seat)
