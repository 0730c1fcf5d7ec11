"""Blocks that are decided and not on disk yet: in memory, with what replicas gave for them."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import Height
from keymoot.engine.chain_store import ChainStore
from keymoot.engine.replicas import Ballot
from keymoot.runtime.block import Block
from keymoot.runtime.transactions import LedgerTransaction

MAX_TAIL_BLOCKS = 1_024
MAX_TAIL_BYTES = 134_217_728
"""So much waits for a certificate at most; then no block is made until one comes."""

MAX_BLOCKS_ABOVE = 64
"""But for recovery orders, so many: what waits for an order would else wait for ever."""


@dataclass
class Waiting:
    """A block that waits for its certificate, or for the disk.

    Attributes:
        block: The block.
        raw: Its bytes, as replicas get them.
        transactions: The same, opened.
        ballots: What each seat gave for it.
        blamed: Seats that gave something for it that is not good.
        certificate: 48 bytes, once it has one of its own.
    """

    block: Block
    raw: bytes
    transactions: tuple[LedgerTransaction, ...]
    ballots: dict[int, Ballot] = field(default_factory=dict)
    blamed: set[int] = field(default_factory=set)
    certificate: bytes = b""

    @property
    def height(self) -> Height:
        """Its height."""
        return self.block.height

    def by_hash(self) -> list[tuple[Hash32, dict[int, Ballot]]]:
        """Give the ballots of those who agree, the most numerous first."""
        found: dict[Hash32, dict[int, Ballot]] = {}
        for seat, ballot in self.ballots.items():
            found.setdefault(ballot.hash, {})[seat] = ballot
        return sorted(found.items(), key=lambda pair: -len(pair[1]))


class Tail:
    """All decided blocks: those on disk, and above them those that are not."""

    def __init__(self, chain: ChainStore) -> None:
        """Stand where the disk does."""
        self._chain = chain
        self._waiting: dict[Height, Waiting] = {}
        self.certified = chain.tip.height
        """Height of the newest certified block, which may not be on disk yet."""

    def __iter__(self) -> Iterator[Waiting]:
        """Give what is not on disk, the lowest first."""
        return iter(self._waiting.values())

    def __len__(self) -> int:
        """Count what is not on disk."""
        return len(self._waiting)

    @property
    def top(self) -> Height:
        """The newest decided block's height."""
        return Height(self._chain.tip.height + len(self._waiting))

    @property
    def full(self) -> bool:
        """Whether no more than this is held in memory."""
        size = sum(len(one.raw) for one in self)
        return len(self) >= MAX_TAIL_BLOCKS or size >= MAX_TAIL_BYTES

    @property
    def over(self) -> bool:
        """Whether not even a recovery order gets a block any more."""
        return len(self) >= MAX_TAIL_BLOCKS + MAX_BLOCKS_ABOVE

    @property
    def newest(self) -> Waiting | None:
        """The newest decided block, unless it is on disk."""
        return self._waiting.get(self.top)

    def get(self, height: Height) -> Waiting | None:
        """Give a block that is not on disk, or None."""
        return self._waiting.get(height)

    def uncertified(self) -> list[Waiting]:
        """Give the blocks above the newest certified one, the lowest first."""
        return [one for one in self if one.height > self.certified]

    def covered(self, height: Height) -> list[Waiting]:
        """Give the uncertified blocks that a certificate of this height would cover."""
        return [one for one in self.uncertified() if one.height <= height]

    def add(self, waiting: Waiting) -> None:
        """Take the next block."""
        self._waiting[waiting.height] = waiting

    def written(self) -> None:
        """Let go of what is on disk now."""
        newest = self._chain.tip.height
        self.certified = max(self.certified, newest)
        for height in [one for one in self._waiting if one <= newest]:
            del self._waiting[height]

    def raw(self, height: Height) -> bytes:
        """Give a decided block's bytes."""
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
        """Give the hashes of all transactions in it."""
        return {tx.hash for one in self for tx in one.transactions}

    def senders(self) -> set[Address]:
        """Give the senders of all ordinary transactions in it: their next ones wait."""
        return {tx.sender for one in self for tx in one.transactions if tx.ethereum is not None}
