"""All replicas that execute a chain here: each is fed, and what they give comes together."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from keymoot.base.errors import Fault, Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.engine.certifiers import Certifiers
from keymoot.engine.claims import OutcomeClaims
from keymoot.engine.feed import Feed
from keymoot.engine.replicas import BlockExecutor, ReleasedOutcomes
from keymoot.engine.tail import BlockTail, UncertifiedBlock
from keymoot.runtime.disclosure import Disclosure
from keymoot.runtime.vote import Vote

A = TypeVar("A")

Listener = Callable[[int, Height, Sequence[A]], None]


class Followers(Generic[A]):
    """Replicas by seat.

    Attributes:
        feeds: By seat.
        heard: Set when a ballot has come, or a replica is gone.
        claimed: Set when somebody has said what a block did, or is gone.
        claims: What blocks did, as replicas say; of those that wait to be written.
        members: Whose word on that counts: f of them may be broken, and beside them there may be
            more, who are about to be members or have been.
    """

    def __init__(self, tail: BlockTail) -> None:
        self.feeds: dict[int, Feed[A]] = {}
        self.heard = asyncio.Event()
        self.claimed = asyncio.Event()
        self.claims: dict[Height, OutcomeClaims] = {}
        self.members: frozenset[int] = frozenset()
        self.on_answers: list[Listener[A]] = []
        self.on_lost: list[Callable[[BlockExecutor[A], Exception], None]] = []
        self.on_blamed: list[Callable[[int, Height, str], None]] = []
        self._tail = tail
        self._group: asyncio.TaskGroup | None = None

    def start(self, group: asyncio.TaskGroup) -> None:
        self._group = group
        for feed in self.feeds.values():
            self._start(feed)

    def seat(self, replica: BlockExecutor[A]) -> None:
        """Feed a replica from where it began; another one of its seat is let go of."""
        old = self.feeds.get(replica.seat)
        if old is not None:
            self.unseat(old.replica)
        feed = self.feeds[replica.seat] = Feed(replica, self._tail, self._hear, self._release)
        self._start(feed)

    def unseat(self, replica: BlockExecutor[A]) -> None:
        feed = self.feeds.get(replica.seat)
        if feed is None or feed.replica is not replica:
            return
        del self.feeds[replica.seat]
        if feed.task is not None:
            feed.task.cancel()
        self.heard.set()
        self.claimed.set()

    def wake(self) -> None:
        """Have all go on; first those who tell what is written while the others answer."""
        for feed in sorted(self.feeds.values(), key=lambda feed: not feed.tells):
            feed.wake()

    def ask_again(self) -> None:
        """Ask all once more for what vouches for blocks that are not certified."""
        for feed in self.feeds.values():
            feed.ask_again()

    def needed(self, faults: int) -> int:
        """Give how many have to say the same; with fewer here, the word of all that are."""
        return max(1, min(faults + 1, len(self.feeds)))

    def heeded(self, seats: Iterable[int], faults: int) -> list[int]:
        """Give those of some seats whose word counts: all, where too few members are here."""
        few = len(self.feeds.keys() & self.members) <= faults
        return [seat for seat in seats if few or seat in self.members]

    def expect(
        self,
        covered: Sequence[UncertifiedBlock],
        name: Hash32,
        standing: Certifiers,
        *,
        whole: bool,
    ) -> None:
        """Have as many as are believed say what these blocks did, one of them all of it.

        Who agrees with their end is asked; who kept others waiting, or was not believed, last.
        The first who agree answer what the last block bound, as many as are enough; others rest.
        The last block's hash is `name`. Without `whole`, digests come with the certificate only.
        """
        self.members, faults = standing.members, standing.faults
        for waiting in covered:
            self.claims.setdefault(waiting.height, OutcomeClaims())
        agree = [seat for seat, ballot in covered[-1].ballots.items() if ballot.hash == name]
        asked = [self.feeds[seat] for seat in self.heeded(agree, faults) if seat in self.feeds]
        asked.sort(key=lambda feed: feed.doubted)
        first = [seat for seat in agree if seat in self.members][: standing.answering]
        if len(first) == standing.answering:
            for seat in self.feeds.keys() - set(first):
                self.feeds[seat].resting.add(covered[-1].height)
        for place, feed in enumerate(asked[: self.needed(faults)]):
            feed.telling = Disclosure.DIGESTS if place or not whole else Disclosure.OUTCOMES
            for waiting in covered:
                self.claims[waiting.height].asked.add(feed.replica.seat)

    def owing(self, claims: OutcomeClaims) -> list[Feed[A]]:
        """Give who was asked with the certificate, has not said it, and still may."""
        owing = claims.asked - claims.digests.keys()
        return [self.feeds[seat] for seat in sorted(owing) if seat in self.feeds]

    def doubt(self, seat: int) -> None:
        """Ask this one after the others from now on, in its present start."""
        if seat in self.feeds:
            self.feeds[seat].doubted += 1

    async def fetch(self, seat: int, height: Height, *, digest: bool) -> None:
        """Ask one for what a block did, or for the digest of that."""
        feed, claims = self.feeds.get(seat), self.claims.get(height)
        if feed is None or claims is None:
            return
        try:
            raw = await feed.replica.outcome(height, digest=digest)
            if digest:
                claims.add_digest(seat, Hash32(raw))
            else:
                claims.add(seat, raw)
        except (Fault, Malformed) as error:
            self.lose(feed, error)
        self.claimed.set()

    def blame(self, waiting: UncertifiedBlock, seat: int, words: str) -> None:
        """Name a replica that gave something bad for a block; once for each."""
        if seat in waiting.blamed:
            return
        waiting.blamed.add(seat)
        for listener in self.on_blamed:
            listener(seat, waiting.height, words)

    def lose(self, feed: Feed[A], error: Exception) -> None:
        """Let go of a replica that is over, and say so."""
        if self.feeds.get(feed.replica.seat) is not feed:
            return
        self.unseat(feed.replica)
        for listener in self.on_lost:
            listener(feed.replica, error)

    def _start(self, feed: Feed[A]) -> None:
        if self._group is not None:
            feed.task = self._group.create_task(self._follow(feed))

    async def _follow(self, feed: Feed[A]) -> None:
        try:
            await feed.run()
        except (Fault, Malformed) as error:
            self.lose(feed, error)

    def _hear(self, seat: int, height: Height, ballot: Vote) -> None:
        waiting = self._tail.get(height)
        if waiting is not None:
            waiting.ballots[seat] = ballot
            self.heard.set()

    def _release(self, feed: Feed[A], height: Height, released: ReleasedOutcomes[A]) -> None:
        seat = feed.replica.seat
        last = released.first + len(released.outcomes) - 1
        if released.outcomes and last != height:
            raise Malformed("the outcomes do not end at the certificate's own block")
        for at, raw in enumerate(released.outcomes, released.first):
            claims = self.claims.get(Height(at))
            if claims is None or not raw:
                continue
            if feed.told is Disclosure.OUTCOMES:
                claims.add(seat, raw)
            elif feed.told is Disclosure.DIGESTS:
                claims.add_digest(seat, Hash32(raw))
        self.claimed.set()
        if released.answers:
            for listener in self.on_answers:
                listener(seat, height, released.answers)
