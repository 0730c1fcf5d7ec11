"""Finds the certificate of a decided block among the shares that replicas gave."""

from dataclasses import dataclass, replace
from typing import Generic, TypeVar

from keymoot.base.fixed import Hash32
from keymoot.engine.certifiers import Certifiers, orders_in, speaks, standing_in
from keymoot.engine.chain_store import CertifiedRun, ChainStore
from keymoot.engine.combining import SigningContext, combine
from keymoot.engine.followers import Followers
from keymoot.engine.tail import BlockTail, UncertifiedBlock

A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Certification:
    """A certificate, and the blocks that it covers, the lowest first."""

    covered: tuple[UncertifiedBlock, ...]
    name: Hash32
    signature: bytes


class Certifier(Generic[A]):
    """Combines shares as the newest state on disk says."""

    def __init__(self, chain: ChainStore, tail: BlockTail, followers: Followers[A]) -> None:
        self._chain, self._tail, self._followers = chain, tail, followers
        self._standing: Certifiers | None = None
        self._tried: dict[tuple[Hash32, int], dict[int, bytes]] = {}

    @property
    def standing(self) -> Certifiers:
        """Who certifies what follows the newest state on disk."""
        if self._standing is None:
            self._standing = standing_in(self._chain.state(), self._chain.genesis.network)
        return self._standing

    def settle(self, covered: CertifiedRun) -> None:
        """Look anew who certifies, where blocks that are on disk now may have changed it."""
        if any(speaks(done.block.order().transactions) for done in covered.blocks):
            self._standing = None

    def find(self) -> Certification | None:
        """Give the highest certificate for which enough good shares are here.

        All that is certified has to be on disk: that state says who certifies.
        """
        for waiting in reversed(self._tail.uncertified()):
            for name, ballots in waiting.by_hash():
                shares = {seat: ballot.share for seat, ballot in ballots.items() if ballot.share}
                signature = self._combine(waiting, name, shares)
                if signature:
                    return self._found(waiting, name, signature)
        return None

    def _combine(self, waiting: UncertifiedBlock, name: Hash32, shares: dict[int, bytes]) -> bytes:
        place, candidates = (name, waiting.height), self._under(waiting, name)
        # What comes into question has not the same degree in every epoch.
        enough = any(len(shares) > under.root.degree for under in candidates)
        if not enough or self._tried.get(place) == shares:
            return b""
        self._tried[place] = shares
        combined = combine(candidates, shares)
        for seat in combined.bad:
            self._followers.blame(waiting, seat, "its share of the certificate is not good")
            waiting.ballots[seat] = replace(waiting.ballots[seat], share=b"")
        return combined.signature

    def _under(self, waiting: UncertifiedBlock, name: Hash32) -> list[SigningContext]:
        orders = orders_in(waiting.block.transactions)
        contexts = self.standing.under_orders(waiting.height, name, orders)
        if waiting.height == self._tail.certified + 1:
            contexts.insert(0, self.standing.under(waiting.height, name))
        return contexts

    def _found(self, waiting: UncertifiedBlock, name: Hash32, signature: bytes) -> Certification:
        for seat, ballot in waiting.ballots.items():
            if ballot.hash != name:
                self._followers.blame(waiting, seat, "its block has another hash")
        self._tried.clear()
        return Certification(tuple(self._tail.covered(waiting.height)), name, signature)
