"""Blocks, receipts and the indexes over them, in the same table as the state.

    B ‖ height        the block, as CometBFT writes it
    C ‖ height        its commit
    R ‖ height ‖ n    the receipt of its n-th transaction
    T ‖ hash          where a transaction stands (paid ones only: others may come again)
    H ‖ hash          the height of a block
    S ‖ request       sealed shares that were given out, for a day
    E ‖ time ‖ request    when they expire, in that order
    M ‖ name          the engine's own records

It grows with every block and is never pruned: about 1.5 KB a request.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from keymoot.attest.block import Block
from keymoot.attest.commit import Commit
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, UnixNanos, UnixSeconds
from keymoot.contracts.context import BlockEnvironment
from keymoot.engine.application import Committed, Finalized
from keymoot.runtime.receipt import Receipt
from keymoot.store.table import Batch, Table

_BLOCK, _COMMIT, _RECEIPT, _TRANSACTION, _HEIGHT, _META = b"B", b"C", b"R", b"T", b"H", b"M"
_SHARES, _EXPIRY = b"S", b"E"
_STATUS, _PROPOSAL, _GENESIS = _META + b"status", _META + b"proposal", _META + b"genesis"
_PROBE = _META + b"probe"


class ScanTable(Table, Protocol):
    """A table that can also be walked in the order of keys."""

    def scan(self, start: bytes, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Give entries with `prefix` from the key `start` on, in order."""
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """A block written down before anybody signs it, and the time its votes will bear."""

    block: Block
    vote_time: UnixNanos

    def encode(self) -> bytes:
        """Give the record's bytes."""
        return rlp.encode([self.block.encode(), uint(self.vote_time)])

    @staticmethod
    def decode(raw: bytes) -> "Proposal":
        """Read the record's bytes.

        Raises:
            Malformed: not a proposal.
        """
        block, time = list_of(rlp.decode(raw), 2, "proposal")
        return Proposal(
            Block.decode(bytes_of(block, "block")), UnixNanos(uint_of(time, "voteTime", 8))
        )


def put_genesis(batch: Batch, genesis: bytes) -> None:
    """Write the genesis."""
    batch[_GENESIS] = genesis


def genesis_of(table: Table) -> bytes | None:
    """Give the genesis with which the table began."""
    return table.get(_GENESIS)


def put_committed(batch: Batch, committed: Committed) -> None:
    """Write where the ledger stands."""
    batch[_STATUS] = rlp.encode(
        [
            uint(committed.height),
            committed.root,
            uint(committed.block.time),
            committed.block.seed,
            committed.results_hash,
        ]
    )


def committed_of(table: Table, start: BlockEnvironment) -> Committed | None:
    """Give where the ledger stands, or None for an empty table.

    Args:
        table: The table.
        start: What stays the same in every block: network, chain id, base fee.
    """
    raw = table.get(_STATUS)
    if raw is None:
        return None
    fields = list_of(rlp.decode(raw), 5, "status")
    height = Height(uint_of(fields[0], "height", 8))
    block = BlockEnvironment(
        network=start.network,
        chain_id=start.chain_id,
        base_fee=start.base_fee,
        height=height,
        time=UnixSeconds(uint_of(fields[2], "time", 8)),
        seed=fixed_of(fields[3], Hash32, "hash"),
    )
    root = fixed_of(fields[1], Hash32, "root")
    return Committed(height, root, block, bytes_of(fields[4], "results"))


def put_proposal(batch: Batch, proposal: Proposal | None) -> None:
    """Write the next block, before it is signed; None when there is none."""
    batch[_PROPOSAL] = None if proposal is None else proposal.encode()


def proposal_of(table: Table) -> Proposal | None:
    """Give the block that was written down but not yet committed."""
    raw = table.get(_PROPOSAL)
    return None if raw is None else Proposal.decode(raw)


def put_probe(batch: Batch, content: bytes | None) -> None:
    """Write something that means nothing, to learn whether the disk takes it; None to erase it."""
    batch[_PROBE] = content


def put_block(batch: Batch, done: Finalized, commit: Commit, hashes: list[Hash32]) -> None:
    """Write an executed block, its commit, its receipts, and where to find them."""
    height = _number(done.block.header.height)
    batch[_BLOCK + height] = done.block.encode()
    batch[_COMMIT + height] = commit.encode()
    batch[_HEIGHT + done.environment.seed] = height
    for index, receipt in enumerate(done.receipts):
        place = height + index.to_bytes(4, "big")
        batch[_RECEIPT + place] = receipt.encode()
        if receipt.gas_used:
            batch[_TRANSACTION + hashes[index]] = place


def block_at(table: Table, height: Height) -> Block | None:
    """Give the block at a height, or None."""
    raw = table.get(_BLOCK + _number(height))
    return None if raw is None else Block.decode(raw)


def commit_at(table: Table, height: Height) -> Commit | None:
    """Give the commit of the block at a height, or None."""
    raw = table.get(_COMMIT + _number(height))
    return None if raw is None else Commit.decode(raw)


def height_of(table: Table, block_hash: Hash32) -> Height | None:
    """Give the height of a block by its hash, or None."""
    raw = table.get(_HEIGHT + block_hash)
    return None if raw is None else Height(int.from_bytes(raw, "big"))


def place_of(table: Table, transaction: Hash32) -> tuple[Height, int] | None:
    """Give the height and index of a transaction by its hash, or None."""
    raw = table.get(_TRANSACTION + transaction)
    if raw is None:
        return None
    return Height(int.from_bytes(raw[:8], "big")), int.from_bytes(raw[8:], "big")


def receipt_at(table: Table, height: Height, index: int) -> Receipt | None:
    """Give one receipt, or None."""
    raw = table.get(_RECEIPT + _number(height) + index.to_bytes(4, "big"))
    return None if raw is None else Receipt.decode(raw)


def receipts_at(table: Table, height: Height, count: int) -> list[Receipt]:
    """Give all receipts of a block with `count` transactions.

    Raises:
        Malformed: one is missing.
    """
    found = []
    for index in range(count):
        receipt = receipt_at(table, height, index)
        if receipt is None:
            raise Malformed(f"receipt {index} of block {height} is missing")
        found.append(receipt)
    return found


def _number(height: Height) -> bytes:
    return height.to_bytes(8, "big")


def put_shares(batch: Batch, request: Hash32, expires_at: UnixSeconds, answers: bytes) -> None:
    """Keep the answers to a request, which are sealed to its reply key."""
    batch[_SHARES + request] = answers
    batch[_EXPIRY + expires_at.to_bytes(8, "big") + request] = b""


def shares_of(table: Table, request: Hash32) -> bytes | None:
    """Give the answers to a request that were kept, or None."""
    return table.get(_SHARES + request)


def forget_shares(table: ScanTable, batch: Batch, now: UnixSeconds) -> None:
    """Let go of the answers to requests that have expired."""
    # In the order of expiry: those that live are not even looked at.
    for key, _ in table.scan(_EXPIRY, _EXPIRY):
        if int.from_bytes(key[1:9], "big") >= now:
            return
        batch[key] = batch[_SHARES + key[9:]] = None
