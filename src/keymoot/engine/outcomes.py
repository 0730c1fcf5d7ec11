"""Gets what certified blocks did: from one replica, with the digest of f others.

Whoever gives something else than enough others say is refused and named, and another one is
asked. With fewer replicas than f+1 on this machine, their own word counts.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, TypeVar

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.engine.chain_store import CertifiedBlock
from keymoot.engine.claims import BadOutcome, OutcomeClaims, read_outcome
from keymoot.engine.followers import Followers
from keymoot.engine.tail import UncertifiedBlock

A = TypeVar("A")

PATIENCE_SECONDS = 0.5
"""How long what comes with certificates is waited for, before replicas are asked one by one."""

MAX_PATIENCE_SECONDS = 64.0
"""Each round without an outcome is twice as long, up to this: the longest outcomes take seconds
to be made and hashed, and whoever asks anew too soon never has one."""


class Outcomes(Generic[A]):
    """Gathers outcomes from whoever follows."""

    def __init__(self, followers: Followers[A]) -> None:
        self._followers = followers

    async def gather(
        self, covered: Sequence[UncertifiedBlock], name: Hash32, faults: int, *, asks: bool = False
    ) -> list[CertifiedBlock]:
        """Give what blocks did, the lowest first.

        From the last one down, whose hash is `name`: each header names the one before it. With
        `asks` replicas tell without a certificate, and are to be asked at once.
        """
        blocks: list[CertifiedBlock] = []
        for waiting in reversed(covered):
            done = await self._outcome_of(waiting, name, faults, asks=asks)
            blocks.append(done)
            name = done.block.header.parent_hash
        for waiting in covered:
            self._followers.claims.pop(waiting.height, None)
        return blocks[::-1]

    async def _outcome_of(
        self, waiting: UncertifiedBlock, name: Hash32, faults: int, *, asks: bool
    ) -> CertifiedBlock:
        followers = self._followers
        claims = followers.claims.setdefault(waiting.height, OutcomeClaims())
        tried: set[int] = set()
        all_asked, patience = False, PATIENCE_SECONDS
        # Time passes whatever comes meanwhile: one that catches up tells of block after block.
        clock = asyncio.get_running_loop().time
        ends = clock() + patience
        while True:
            followers.claimed.clear()
            heeded = followers.heeded(claims.digests, faults)
            believed = claims.believed(heeded, followers.needed(faults))
            raw = None if believed is None else claims.content(believed)
            if believed is not None and raw is not None:
                done = self._read(raw, waiting, name, claims)
                if done is not None:
                    for seat in claims.others(believed):
                        followers.blame(waiting, seat, "it gave another outcome than the others")
                        followers.doubt(seat)
                    return done
            elif believed is not None:
                if not await self._fetch(waiting.height, claims.sayers(believed), tried, patience):
                    patience = min(2 * patience, MAX_PATIENCE_SECONDS)
                continue
            if not all_asked and not followers.owing(claims):
                all_asked = True
                await self._ask(waiting, name, claims, patience, founding=asks)
                continue
            try:
                async with asyncio.timeout_at(ends):
                    await followers.claimed.wait()
            except TimeoutError:
                for feed in followers.owing(claims):
                    followers.doubt(feed.replica.seat)
                tried.clear()
                await self._ask(waiting, name, claims, patience, founding=asks)
                patience = min(2 * patience, MAX_PATIENCE_SECONDS)
                ends = clock() + patience

    async def _fetch(
        self, height: Height, seats: Sequence[int], tried: set[int], patience: float
    ) -> bool:
        """Ask the next of these who was not asked for the whole; False where all were.

        All of them may be asked again then.
        """
        left = [seat for seat in seats if seat not in tried and seat in self._followers.feeds]
        if not left:
            tried.clear()
            await asyncio.sleep(PATIENCE_SECONDS)
            return False
        tried.add(left[0])
        with suppress(TimeoutError, Refused):
            async with asyncio.timeout(patience):
                await self._followers.fetch(left[0], height, digest=False)
        return True

    async def _ask(
        self,
        waiting: UncertifiedBlock,
        name: Hash32,
        claims: OutcomeClaims,
        patience: float,
        *,
        founding: bool,
    ) -> None:
        """Ask all who may tell and have not said it for the digest, at once."""
        seats = [
            seat
            for seat, feed in self._followers.feeds.items()
            if seat not in claims.digests
            and self._agrees(waiting, seat, name)
            and (founding or feed.shown >= waiting.height)
        ]
        with suppress(TimeoutError):
            async with asyncio.timeout(patience), asyncio.TaskGroup() as group:
                for seat in seats:
                    group.create_task(self._digest(seat, waiting.height))

    async def _digest(self, seat: int, height: Height) -> None:
        with suppress(Refused):
            await self._followers.fetch(seat, height, digest=True)

    def _agrees(self, waiting: UncertifiedBlock, seat: int, name: Hash32) -> bool:
        ballot = waiting.ballots.get(seat)
        return ballot is not None and ballot.hash == name

    def _read(
        self, raw: bytes, waiting: UncertifiedBlock, name: Hash32, claims: OutcomeClaims
    ) -> CertifiedBlock | None:
        try:
            return read_outcome(raw, waiting.block, name)
        except BadOutcome as error:
            for seat, digest in list(claims.digests.items()):
                if claims.content(digest) == raw:
                    self._followers.blame(waiting, seat, str(error))
                    del claims.digests[seat]
            return None
