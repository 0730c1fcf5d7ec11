"""The chain on disk: blocks, certificates, receipts, indexes and old values beside the state.

    B, D, R         blocks and receipts: see `stored_block`
    C ‖ height      a block's certificate, 48 bytes; blocks that a later one covers have none
    T ‖ hash        where a transaction stands (paid ones only: others may come again)
    H ‖ hash        the height of a block
    U ‖ height      what it wrote over, for a while: see `undo`
    M ‖ name        the genesis, its state root, the founding record, the newest height

One atomic, synced write brings all blocks that a certificate covers. So whatever is on disk is
certified, and the newest block is the newest certified one. The same write erases dealings that
are old; nothing else of a block ever goes.
"""

from dataclasses import dataclass, field
from weakref import ref

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, seconds_of
from keymoot.committee.founding_record import FoundingRecord
from keymoot.committee.genesis import Genesis
from keymoot.crypto.transactions import transaction_hash
from keymoot.engine.dealings import erase_dealings, keeps_dealings
from keymoot.engine.lmdb_table import LmdbSnapshot, LmdbStore
from keymoot.engine.stored_block import (
    StoredBlock,
    block_in,
    header_in,
    missing,
    put_block,
    receipts_in,
)
from keymoot.engine.undo import KEPT_BLOCKS, PastViews, StateNotKept, old_values, put_undo
from keymoot.runtime.block import Tip
from keymoot.runtime.outcome import Outcome
from keymoot.runtime.receipt import Receipt
from keymoot.store.header import Header
from keymoot.store.state import State
from keymoot.store.table import Batch, OverlayTable, Table
from keymoot.store.trie import NodeCache

HELD_SNAPSHOTS = 16
"""Earlier states that somebody may still be reading.

LMDB has room for few, and keeps their pages.
"""

_CERTIFICATE, _TRANSACTION, _HEIGHT, _META = b"C", b"T", b"H", b"M"
GENESIS, FIRST_ROOT = _META + b"genesis", _META + b"first-root"
RECORD, NEWEST = _META + b"record", _META + b"newest"
_PROBE = _META + b"probe"


@dataclass(frozen=True, slots=True)
class CertifiedBlock:
    """A certified block and what it did, not on disk yet."""

    block: StoredBlock
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class CertifiedRun:
    """What one certificate covers and the disk does not have: one write.

    Attributes:
        blocks: One after the other; the last one is the certificate's own.
        certificate: 48 bytes; empty where the founding record stands for it.
        record: The founding record, with the blocks of the founding; None ever after.
    """

    blocks: tuple[CertifiedBlock, ...]
    certificate: bytes
    record: FoundingRecord | None = None

    @property
    def newest(self) -> Header:
        return self.blocks[-1].block.header


@dataclass
class ChainStore:
    """Reads what is on disk, and writes what a certificate covers.

    `write` may run beside reads, in a thread of its own; what it wrote is seen after `adopt`.

    Attributes:
        genesis: The network's.
        first_root: The state root of the genesis.
        tip: The newest certified block, on which the next one builds.
        record: The founding record; None while there is none.
        snapshot: The table as of `tip`.
        keeps_dealings: Whether dealings are kept for ever.
    """

    store: LmdbStore
    genesis: Genesis
    first_root: Hash32
    tip: Tip
    record: FoundingRecord | None
    snapshot: LmdbSnapshot
    keeps_dealings: bool = False
    cache: NodeCache = field(default_factory=NodeCache)
    past: PastViews = field(default_factory=PastViews)
    _earlier: list["ref[LmdbSnapshot]"] = field(default_factory=list)

    # -- state

    def state(self) -> State:
        return State(self.snapshot, self.tip.state_root, self.cache)

    def state_at(self, height: Height) -> State:
        return State(self.view(height), self.tip_at(height).state_root, self.cache)

    def view(self, height: Height) -> Table:
        """Give the table as of the state after a block; it is of now, not of later.

        Raises:
            StateNotKept: it is further below the newest one than `KEPT_BLOCKS`, or above.
        """
        return self.past.view(self.snapshot, self.tip.height, height)

    def tip_at(self, height: Height) -> Tip:
        """Give a block that is on disk, as what builds on it sees it; the genesis at 0."""
        if height == self.tip.height:
            return self.tip
        if height > self.tip.height:
            raise StateNotKept(height, self.oldest_state, self.tip.height)
        if height:
            return Tip.of(self._header(height))
        genesis = self.genesis
        return Tip.of_genesis(genesis.network, seconds_of(genesis.time), self.first_root)

    def newest(self) -> Height:
        return self.tip.height

    @property
    def oldest_state(self) -> Height:
        return Height(max(0, self.tip.height - KEPT_BLOCKS))

    # -- blocks

    def block(self, height: Height) -> StoredBlock | None:
        """Give a block by its height, or None; dealings that are old are left out of it."""
        after = self.view(height) if self.oldest_state <= height <= self.tip.height else None
        stored = block_in(self.snapshot, height, after)
        if stored is not None and not stored.whole and keeps_dealings(height, self.tip.height):
            raise missing("a dealing of the block", height)
        return stored

    def header(self, height: Height) -> Header | None:
        return header_in(self.snapshot, height)

    def order(self, height: Height) -> bytes:
        """Give a block that is on disk as replicas execute it."""
        block = self.block(height)
        if block is None:
            raise missing("the block", height)
        return block.order().encode()

    def receipts(self, height: Height) -> tuple[Receipt, ...]:
        return receipts_in(self.snapshot, height)

    def certificate(self, height: Height) -> bytes | None:
        """Give a block's own certificate, 48 bytes, or None."""
        return self.snapshot.get(_CERTIFICATE + _number(height))

    def certified(self, height: Height) -> tuple[Header, bytes | None] | None:
        """Give the next header at or above a height that has a certificate, and that.

        Where the founding record counts as the certificate there is None in its place. None at
        all where there is no such block.
        """
        if self.record is None or height > self.tip.height:
            return None
        if height <= self.record.height:
            return self._header(self.record.height), None
        for key, signature in self.snapshot.scan(_CERTIFICATE + _number(height), _CERTIFICATE):
            newest = Height(int.from_bytes(key[1:], "big"))
            return self._header(newest), signature
        raise missing("the certificate", height)

    def height_of(self, block_hash: Hash32) -> Height | None:
        """Give the height of a block by its hash, or None; 0 by the network's id."""
        if block_hash == Hash32(self.genesis.network):
            return Height(0)
        raw = self.snapshot.get(_HEIGHT + block_hash)
        return None if raw is None else Height(int.from_bytes(raw, "big"))

    def place_of(self, transaction: Hash32) -> tuple[Height, int] | None:
        raw = self.snapshot.get(_TRANSACTION + transaction)
        if raw is None:
            return None
        return Height(int.from_bytes(raw[:8], "big")), int.from_bytes(raw[8:], "big")

    # -- writing

    def batch(self, covered: CertifiedRun) -> Batch:
        """Give the one write that brings what a certificate covers."""
        batch: Batch = {}
        table = OverlayTable(self.snapshot, batch)
        for done in covered.blocks:
            undo = old_values(table, done.outcome.writes)
            batch.update(done.outcome.writes)
            put_undo(batch, done.block.height, undo)
            _put(batch, done, whole=self.keeps_dealings)
        if not self.keeps_dealings:
            erase_dealings(self.snapshot, batch, covered.newest.height, len(covered.blocks))
        newest = _number(covered.newest.height)
        if covered.record is not None:
            batch[RECORD] = covered.record.encode()
        else:
            batch[_CERTIFICATE + newest] = covered.certificate
        batch[NEWEST] = newest
        return batch

    def write(self, batch: Batch) -> None:
        """Write a batch and sync it; nobody sees it before `adopt`."""
        self.store.write(batch)

    def adopt(self, covered: CertifiedRun) -> None:
        """Read what was written from now on."""
        # Whoever still reads the old snapshot sees one block's whole state; it ends with him.
        self._earlier.append(ref(self.snapshot))
        self.snapshot = self.store.snapshot()
        held = [snapshot for snapshot in (each() for each in self._earlier) if snapshot is not None]
        while len(held) > HELD_SNAPSHOTS:
            held.pop(0).close()
        self._earlier = [ref(snapshot) for snapshot in held]
        self.tip = Tip.of(covered.newest)
        self.record = covered.record or self.record

    def close(self) -> None:
        self.snapshot.close()

    def _header(self, height: Height) -> Header:
        header = self.header(height)
        if header is None:
            raise missing("the block", height)
        return header


def certificate_in(table: Table, height: Height) -> bytes:
    """Give a block's own certificate out of a table; empty where there is none."""
    return table.get(_CERTIFICATE + _number(height)) or b""


def newest_in(table: Table) -> Height | None:
    """Give the height of the newest block of a table; None for an empty one."""
    raw = table.get(NEWEST)
    return None if raw is None else Height(int.from_bytes(raw, "big"))


def put_probe(batch: Batch, content: bytes | None) -> None:
    """Write something that means nothing, to learn whether the disk takes it; None to erase it."""
    batch[_PROBE] = content


def _put(batch: Batch, done: CertifiedBlock, *, whole: bool) -> None:
    block, receipts = done.block, done.outcome.receipts
    put_block(batch, block, receipts, {} if whole else done.outcome.writes)
    height, raws = _number(block.height), block.order().transactions
    batch[_HEIGHT + block.header.hash] = height
    for index, receipt in enumerate(receipts):
        if receipt.gas_used:
            name = transaction_hash(raws[index])
            batch[_TRANSACTION + name] = height + index.to_bytes(4, "big")


def _number(height: Height) -> bytes:
    return height.to_bytes(8, "big")
