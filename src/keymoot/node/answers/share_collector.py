"""Answers of enclaves, as they come with certificates; a signature's on disk before they leave.

Enclaves answer what a block bound as soon as they are shown the block's certificate; where not
all are needed, those who were first to execute it do, and the others rest. Here answers to one
request come together until they are enough. Whoever answers late is not waited for longer than
twice the time of the others; what it says is added when it comes. Where too few answered, all
enclaves are asked: a frame was lost, what they needed came late, or one who rests is needed.

A signature's answers are written down before any of them leaves: enclaves have burned what made
them. For a derived key nothing is burned, and whoever lost its answers asks anew for the same key;
so nobody waits for the disk, and many are written down at once, a little later.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import structlog

from keymoot.base.fixed import Hash32
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height, UnixSeconds
from keymoot.enclave.answer import AnswersOnDemand, RequestAnswer
from keymoot.engine.chain_store import CertifiedRun
from keymoot.node.answers.micro_batcher import MicroBatcher
from keymoot.node.answers.requests import bound_at_once
from keymoot.node.answers.response_cache import Given, ResponseCache
from keymoot.node.answers.signing_material import SigningMaterial
from keymoot.store.table import Batch

GRACE_SECONDS = 0.1
"""How much longer than the others an enclave may take in any case."""

SILENT_SECONDS = 2.0
"""How long answers are waited for before those who owe one are asked."""

AGAIN_SECONDS = 1.0
"""Enclaves are asked for one request at most this often, however often it is fetched."""

LATE_SECONDS = 1.0
"""After which what came late is written down, where enough is: one write for many requests."""

WRITE_AGAIN_SECONDS = 1.0
MAX_HEARD = 8_192
"""Requests whose answers are in memory; those that are enough are on disk as well."""

Heard = list[tuple[int, Sequence[RequestAnswer]]]
"""What enclaves said when they were asked, by seat."""

log = structlog.get_logger("keymoot.shares")


@dataclass(slots=True)
class _Heard:
    need: SigningMaterial
    first_at: float
    good: Given = field(default_factory=dict)
    refused: Given = field(default_factory=dict)
    resting: set[int] = field(default_factory=set)
    enough_at: float | None = None
    asked_at: float | None = None
    kept: frozenset[int] = frozenset()

    @property
    def due_at(self) -> float | None:
        """When it is to be written down; None for as soon as it may be given."""
        if self.enough_at is None or (self.need.burns and not self.need.met(self.kept)):
            return None
        return self.enough_at + LATE_SECONDS

    def lacks(self, expected: frozenset[int], now: float) -> bool:
        """Tell whether who rests should not: the others are too few, or hang."""
        if not self.resting or self.need.met_well(self.good):
            return False
        if expected <= self.seats:
            return True
        return self.enough_at is None and now >= self.first_at + GRACE_SECONDS

    @property
    def seats(self) -> set[int]:
        return {*self.good, *self.refused, *self.resting}


class ShareCollector:
    """Brings the answers to each request together."""

    def __init__(
        self,
        given: ResponseCache,
        need: Callable[[Hash32], SigningMaterial | None],
        expected: Callable[[Height], frozenset[int]],
        ask: Callable[[Sequence[Hash32]], Awaitable[Heard]],
        now: Callable[[], UnixSeconds],
        well: Callable[[], int],
    ) -> None:
        """Collect what comes, as `given` keeps it on disk.

        The seats whose enclaves saw a block and run are `expected`; `well` says how many answers
        to most requests are enough, whoever lies; `now` is the later of ledger time and clock.
        """
        self._given, self._need, self._expected = given, need, expected
        self._ask, self._now, self._well = ask, now, well
        self._heard: dict[Hash32, _Heard] = {}
        self._dirty: dict[Hash32, None] = {}
        self._waiters: dict[Hash32, list[asyncio.Future[None]]] = {}
        self._wake = asyncio.Event()
        self._again: MicroBatcher[Hash32, None] = MicroBatcher(self._asked_again)

    def beside(
        self, covered: CertifiedRun, told: Sequence[tuple[int, Sequence[RequestAnswer]]]
    ) -> Batch:
        """Give what is written with the last block covered: answers to what it bound, by seat."""
        done = covered.blocks[-1]
        names = bound_at_once(done.outcome.receipts)
        kept: dict[Hash32, Given] = {name: {} for name in names}
        for seat, answers in told:
            for answer in answers:
                given = kept.get(answer.request)
                if given is not None and not answer.code and len(given) < self._well():
                    given.setdefault(seat, answer)
        until = UnixSeconds(done.block.header.time + REMEMBERED_SECONDS)
        return self._given.batch({name: (until, given) for name, given in kept.items() if given})

    def handle(self, seat: int, _: Height, answers: Sequence[RequestAnswer]) -> None:
        """Take what an enclave answers; the first good answer of a seat counts."""
        for answer in answers:
            heard = self._entry(answer.request)
            if heard is None or seat in heard.good:
                continue
            if answer.code == AnswersOnDemand.code:
                heard.resting.add(seat)
            elif answer.code:
                heard.refused[seat] = answer
            else:
                heard.refused.pop(seat, None)
                heard.resting.discard(seat)
                heard.good[seat] = answer
            if heard.enough_at is None and heard.need.met(heard.good):
                heard.enough_at = asyncio.get_running_loop().time()
            self._dirty[answer.request] = None
            if self._expected(heard.need.height) <= heard.seats:
                self._tell(answer.request)
        self._wake.set()

    async def of(self, request: Hash32, need: SigningMaterial, wait_seconds: float) -> Given:
        """Give good answers that may leave, with refusals; as soon as they are enough.

        Where they are not by then, what there is; enclaves have been asked once more for it.
        """
        loop = asyncio.get_running_loop()
        ends = loop.time() + min(wait_seconds, SILENT_SECONDS)
        while True:
            kept, left = self._leaves(request, need), ends - loop.time()
            if kept is not None and need.met(kept) and (left <= 0 or self._ripe(request)):
                return self._with_refusals(request, self._with_late(request, need, kept))
            heard, expected = self._entry(request), self._expected(need.height)
            if heard is None:
                return {}
            # What is enough is being written down; what is owed may come, but from who rests.
            comes = heard.enough_at is not None or expected - heard.seats
            now = heard.lacks(expected, loop.time()) and self._may_ask(heard)
            if comes and left > 0 and not now:
                await self._changed(request, min(left, self._next_look(heard)))
            elif expected and self._may_ask(heard):
                heard.asked_at = loop.time()
                await self._again.ask(request)
                await self._keep([request])
            else:
                await self._keep([request])
                kept = self._given.get(request, need.until)
                return self._with_refusals(request, kept or {})

    def _leaves(self, request: Hash32, need: SigningMaterial) -> Given | None:
        """Give what may leave: what is on disk, or all that came where nothing was burned."""
        heard = self._heard.get(request)
        if not need.burns and heard is not None and need.met(heard.good):
            return heard.good
        return self._given.get(request, need.until)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._again.run())
            tasks.create_task(self._write())

    def _next_look(self, heard: _Heard) -> float:
        """Give the seconds after which time alone may have changed something."""
        ripe_at, now = self._ripe_at(heard), asyncio.get_running_loop().time()
        if ripe_at is not None and ripe_at > now:
            return ripe_at - now
        return GRACE_SECONDS if heard.resting else SILENT_SECONDS

    @staticmethod
    def _may_ask(heard: _Heard) -> bool:
        asked_at = heard.asked_at
        return asked_at is None or asyncio.get_running_loop().time() - asked_at >= AGAIN_SECONDS

    async def _write(self) -> None:
        loop = asyncio.get_running_loop()
        pause: float | None = None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()
            now = loop.time()
            times: list[float] = []
            due, late = list[Hash32](), list[Hash32]()
            for request in list(self._dirty):
                heard = self._heard[request]
                ripe_at, due_at = self._ripe_at(heard), heard.due_at
                times += [at for at in (ripe_at, due_at) if at is not None and at > now]
                if ripe_at is None or ripe_at > now:
                    continue
                if due_at is None or due_at <= now:
                    due.append(request)
                else:
                    late.append(request)
                    self._tell(request)
            try:
                # A sync costs the same for all that is there, and none of it is due alone then.
                await self._keep([*due, *late] if due else [])
            except CannotWrite as error:
                log.warning("answers.not_kept", reason=str(error))
                pause = WRITE_AGAIN_SECONDS
                continue
            pause = min(times) - now if times else None

    def _ripe_at(self, heard: _Heard) -> float | None:
        """Give when what there is may be written down and given out.

        None where it is too little.
        """
        if heard.enough_at is None:
            return None
        if heard.need.met_well(heard.good):
            return heard.enough_at
        if not heard.resting and self._expected(heard.need.height) <= heard.seats:
            return heard.enough_at
        return heard.enough_at + (heard.enough_at - heard.first_at) + GRACE_SECONDS

    def _ripe(self, request: Hash32) -> bool:
        """Tell whether nothing more is waited for that would make an answer better."""
        heard = self._heard.get(request)
        at = None if heard is None else self._ripe_at(heard)
        return at is None or at <= asyncio.get_running_loop().time()

    async def _keep(self, requests: Sequence[Hash32]) -> None:
        """Write down what was heard of some requests, and tell those who wait."""
        answers = {}
        for request in requests:
            heard = self._heard.get(request)
            # In Vault's custody any one will do, and the first stays it.
            if heard is None or heard.need.met_well(heard.kept):
                continue
            if heard.good.keys() - heard.kept:
                answers[request] = (heard.need.until, self._worth_keeping(request, heard))
        if answers:
            await self._given.keep(answers, self._now())
        for request, (_, given) in answers.items():
            if request in self._heard:
                self._heard[request].kept = frozenset(given)
        for request in requests:
            self._dirty.pop(request, None)
            self._tell(request)

    def _tell(self, request: Hash32) -> None:
        for future in self._waiters.pop(request, []):
            if not future.done():
                future.set_result(None)

    def _worth_keeping(self, request: Hash32, heard: _Heard) -> Given:
        """Add to what is on disk already, which other starts may have given, what it lacks."""
        kept = self._given.get(request, heard.need.until) or {}
        fresh = {seat: answer for seat, answer in heard.good.items() if seat not in kept}
        return heard.need.chosen({**kept, **fresh})

    def _with_late(self, request: Hash32, need: SigningMaterial, kept: Given) -> Given:
        """Add to answers that are enough what came after they were written down."""
        heard = self._heard.get(request)
        late = {} if heard is None else heard.good
        return need.chosen(
            {**kept, **{at: answer for at, answer in late.items() if at not in kept}}
        )

    def _with_refusals(self, request: Hash32, kept: Given) -> Given:
        heard = self._heard.get(request)
        refused = {} if heard is None else heard.refused
        answers = {**refused, **kept}
        return {seat: answers[seat] for seat in sorted(answers)}

    def _entry(self, request: Hash32) -> _Heard | None:
        known = self._heard.get(request)
        if known is not None:
            return known
        need = self._need(request)
        if need is None:
            return None
        kept = frozenset(self._given.get(request, need.until) or ())
        made = _Heard(need, asyncio.get_running_loop().time(), kept=kept)
        self._heard[request] = made
        if len(self._heard) > MAX_HEARD:
            oldest = next(iter(self._heard))
            del self._heard[oldest]
            self._dirty.pop(oldest, None)
        return made

    async def _changed(self, request: Hash32, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiters = self._waiters.setdefault(request, [])
        waiters.append(future)
        try:
            async with asyncio.timeout(seconds):
                await future
        except TimeoutError:
            pass
        finally:
            with suppress(ValueError):
                waiters.remove(future)
            if not waiters and self._waiters.get(request) is waiters:
                del self._waiters[request]

    async def _asked_again(self, requests: list[Hash32]) -> list[None]:
        for seat, answers in await self._ask(sorted(set(requests))):
            self.handle(seat, Height(0), answers)
        return [None] * len(requests)
