"""Answers that were given out: kept for a day, sealed as they are.

An answer is the same however often it is fetched, also by an agent that crashed and comes
back after its request has expired. Enclaves that start anew have burned what made it, so the
node keeps the sealed bytes, which only the requester can open.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress

from keymoot.base import rlp
from keymoot.base.fields import bytes_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import UnixSeconds
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.kept_answers import forget_shares, put_shares, shares_of
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.store.table import Batch

Given = dict[int, RequestAnswer]
"""What enclaves answered a request with, by seat; refusals are not kept."""

MAX_IN_MEMORY = 4_096
SWEEP_EVERY = 1_024
"""After how many requests expired answers are let go of."""


class ResponseCache:
    """Keeps answers in the node's store, beside the chain."""

    def __init__(self, store: LmdbStore) -> None:
        self._store = store
        self._recent: dict[Hash32, Given] = {}
        self._count = 0
        self._writing = asyncio.Lock()

    def get(self, request: Hash32, until: UnixSeconds) -> Given | None:
        recent = self._recent.get(request)
        if recent is not None:
            return recent
        with self._store.snapshot() as table:
            raw = shares_of(table, request, until)
        return None if raw is None else _decode(request, raw)

    @staticmethod
    def batch(answers: Mapping[Hash32, tuple[UnixSeconds, Given]]) -> Batch:
        """Give the entries of answers: until when, and what, by request."""
        batch: Batch = {}
        for request, (until, given) in answers.items():
            put_shares(batch, request, until, _encode(given))
        return batch

    async def keep(
        self, answers: Mapping[Hash32, tuple[UnixSeconds, Given]], now: UnixSeconds
    ) -> None:
        """Write down, synced, what may be given out from then on: nothing the disk does not take.

        What was kept before is written over; what has expired by `now` is forgotten, now and then.
        """
        async with self._writing:
            await asyncio.to_thread(self._store.write, self.batch(answers))
            for request, (_, given) in answers.items():
                self._recent[request] = dict(given)
            while len(self._recent) > MAX_IN_MEMORY:
                del self._recent[next(iter(self._recent))]
            self._count += len(answers)
            if self._count >= SWEEP_EVERY:
                self._count = 0
                await self._sweep(now)

    async def _sweep(self, now: UnixSeconds) -> None:
        expired: Batch = {}
        with self._store.snapshot() as table:
            forget_shares(table, expired, now)
        # What has expired may stay until the disk takes something again.
        with suppress(CannotWrite):
            await asyncio.to_thread(self._store.write, expired)


def _encode(given: Given) -> bytes:
    return rlp.encode([[uint(at), given[at].sealed, given[at].signature] for at in sorted(given)])


def _decode(request: Hash32, raw: bytes) -> Given:
    answers: Given = {}
    for item in list_of(rlp.decode(raw), None, "given"):
        seat, sealed, signature = list_of(item, 3, "given")
        answer = RequestAnswer(
            request, bytes_of(sealed, "sealed"), bytes_of(signature, "signature")
        )
        answers[uint_of(seat, "seat", 2)] = answer
    return answers
