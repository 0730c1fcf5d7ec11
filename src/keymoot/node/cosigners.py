"""Which enclaves are asked for the shares of a signature: enough at once, the others if need be.

Any degree+1 shares make an ECDSA signature. Asking degree+f+1 enclaves leaves that many when f
of them lie, and spares the others the work; whose turn it is to rest changes each time. Where
one of them does not answer well, or not in twice the time of others, all others are asked too,
and who is slow is not waited for: one that took its time would else slow all signatures down.
An Ed25519 signature needs exactly the signers that its block has named, and a derived key more
than half of all: for those everyone is asked at once.
"""

import asyncio
from collections.abc import Callable, Sequence

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32
from keymoot.enclave.answer import Answer
from keymoot.node.given import Given
from keymoot.node.seats import SeatHolder
from keymoot.threshold.committee import Committee

GRACE_SECONDS = 0.1
"""How much longer than the others an enclave may take in any case."""

Asked = tuple[Hash32, bytes]
"""A request, and the beacon of the block that bound it."""


class Cosigners:
    """The enclaves that answer with shares."""

    def __init__(
        self, seats: Callable[[], Sequence[SeatHolder]], committee: Callable[[], Committee]
    ) -> None:
        """Ask whoever `seats` and `committee` give at the time."""
        self._seats = seats
        self._committee = committee
        self._turn = 0

    async def ask(self, asked: Sequence[Asked], by_all: frozenset[Hash32]) -> dict[Hash32, Given]:
        """Have requests answered, in the order of seats; silent enclaves are left out.

        Args:
            asked: Bound requests, each with its block's beacon.
            by_all: Those among them that are no ECDSA signatures.
        """
        found: dict[Hash32, Given] = {request: [] for request, _ in asked}
        # 1. Enough of them, in turn; enclaves may come and go meanwhile.
        seats, committee = self._seats(), self._committee()
        enough = committee.ecdsa_degree + committee.faults + 1
        members = [one for one in seats if one.index in committee]
        self._turn = (self._turn + 1) % max(len(members), 1)
        first = (members[self._turn :] + members[: self._turn])[:enough]
        others = [one for one in seats if one not in first]
        whole = [one for one in asked if one[0] in by_all]

        def short() -> list[Asked]:
            return [
                one
                for one in asked
                if one[0] not in by_all
                and sum(1 for _, given in found[one[0]] if not given.code) < enough
            ]

        asking = [_task(seat, asked, found) for seat in first]
        if whole:
            asking += [_task(seat, whole, found) for seat in others]
        try:
            await _in_time(asking, len(asking) if whole else committee.ecdsa_degree + 1)
            # 2. The others, where one of those did not answer well, or not yet.
            missing = short()
            if missing:
                asking += [_task(seat, missing, found) for seat in others]
            pending = set(asking)
            while pending and short():
                _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in asking:
                task.cancel()
        return {request: sorted(given, key=_seat) for request, given in found.items()}


def _task(
    seat: SeatHolder, asked: Sequence[Asked], found: dict[Hash32, Given]
) -> asyncio.Task[None]:
    return asyncio.create_task(_answer(seat, asked, found))


async def _in_time(asking: Sequence[asyncio.Task[None]], count: int) -> None:
    """Wait until all are done, or twice the time has passed that `count` of them took."""
    loop, pending = asyncio.get_running_loop(), set(asking)
    began = loop.time()
    while len(asking) - len(pending) < min(count, len(asking)):
        _, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
    if pending:
        await asyncio.wait(pending, timeout=loop.time() - began + GRACE_SECONDS)


def _seat(given: tuple[int, Answer]) -> int:
    return given[0]


async def _answer(seat: SeatHolder, asked: Sequence[Asked], found: dict[Hash32, Given]) -> None:
    if not asked:
        return
    try:
        answers = await seat.cosign(asked)
    except KeymootError:
        # It is gone, silent, or speaks nonsense.
        return
    if len(answers) != len(asked):
        return
    for (request, _), answer in zip(asked, answers, strict=True):
        found[request].append((seat.index, answer))
