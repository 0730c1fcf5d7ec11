"""Blocks that are decided and not on disk yet: in memory, with what replicas gave for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import Height
from keymoot.engine.chain_store import ChainStore
from keymoot.runtime.block import Block
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.runtime.vote import Vote

MAX_TAIL_BLOCKS = 1_024
MAX_TAIL_BYTES = 134_217_728
"""So much waits for a certificate at most; then no block is made until one comes."""

MAX_BLOCKS_ABOVE = 64
"""But for recovery orders, so many: what waits for an order would else wait for ever."""


@dataclass
class UncertifiedBlock:
    """A block that waits for its certificate, or for the disk.

    Attributes:
        raw: Its bytes, as replicas get them.
        ballots: What each seat gave for it.
        blamed: Seats that gave something for it that is not good.
        certificate: 48 bytes, once it has one of its own.
    """

    block: Block
    raw: bytes
    transactions: tuple[LedgerTransaction, ...]
    ballots: dict[int, Vote] = field(default_factory=dict)
    blamed: set[int] = field(default_factory=set)
    certificate: bytes = b""

    @property
    def height(self) -> Height:
        return self.block.height

    def by_hash(self) -> list[tuple[Hash32, dict[int, Vote]]]:
        """Give the ballots of those who agree, the most numerous first."""
        votes: dict[Hash32, dict[int, Vote]] = {}
        for seat, ballot in self.ballots.items():
            votes.setdefault(ballot.hash, {})[seat] = ballot
        return sorted(votes.items(), key=lambda pair: -len(pair[1]))


class BlockTail:
    """All decided blocks: those on disk, and above them those that are not."""

    def __init__(self, chain: ChainStore) -> None:
        self._chain = chain
        self._waiting: dict[Height, UncertifiedBlock] = {}
        self.certified = chain.tip.height
        """Height of the newest certified block, which may not be on disk yet."""

    def __iter__(self) -> Iterator[UncertifiedBlock]:
        """Give what is not on disk, the lowest first."""
        return iter(self._waiting.values())

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def top(self) -> Height:
        return Height(self._chain.tip.height + len(self._waiting))

    @property
    def full(self) -> bool:
        size = sum(len(transaction.raw) for transaction in self)
        return len(self) >= MAX_TAIL_BLOCKS or size >= MAX_TAIL_BYTES

    @property
    def over(self) -> bool:
        """Whether not even a recovery order gets a block any more."""
        return len(self) >= MAX_TAIL_BLOCKS + MAX_BLOCKS_ABOVE

    @property
    def newest(self) -> UncertifiedBlock | None:
        """The newest decided block, unless it is on disk."""
        return self._waiting.get(self.top)

    def get(self, height: Height) -> UncertifiedBlock | None:
        """Give a block that is not on disk, or None."""
        return self._waiting.get(height)

    def uncertified(self) -> list[UncertifiedBlock]:
        return [block for block in self if block.height > self.certified]

    def covered(self, height: Height) -> list[UncertifiedBlock]:
        """Give the uncertified blocks that a certificate of this height would cover."""
        return [block for block in self.uncertified() if block.height <= height]

    def add(self, waiting: UncertifiedBlock) -> None:
        self._waiting[waiting.height] = waiting

    def written(self) -> None:
        newest = self._chain.tip.height
        self.certified = max(self.certified, newest)
        for height in [old for old in self._waiting if old <= newest]:
            del self._waiting[height]

    def raw(self, height: Height) -> bytes:
        waiting = self._waiting.get(height)
        return self._chain.order(height) if waiting is None else waiting.raw

    def proof(self, height: Height) -> bytes:
        """Give what certifies a block: its certificate, or the founding record; empty for nothing.

        The record is shown from the disk only: whoever has seen it never founds anew.
        """
        waiting = self._waiting.get(height)
        if waiting is not None:
            return waiting.certificate
        record = self._chain.record
        if record is not None and record.height == height:
            return record.encode()
        return self._chain.certificate(height) or b""

    def names(self) -> set[Hash32]:
        return {tx.hash for block in self for tx in block.transactions}

    def senders(self) -> set[Address]:
        """Give the senders of all ordinary transactions in it: their next ones wait."""
        return {tx.sender for block in self for tx in block.transactions if tx.ethereum is not None}
