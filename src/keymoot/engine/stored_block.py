"""Blocks as they stand on disk, and what is left of them later.

    B ‖ height          header and transactions, of dealings the hash and size; compressed
    D ‖ height ‖ index  a dealing, for a while: see `dealings`
    R ‖ height          receipts, compressed

A dealing is a message full of ciphertexts: most of what a chain weighs. Once it has been
executed, what anybody needs of it is in the state. So dealings of blocks whose state is not kept
any more (`undo`) are erased, unless the node keeps all of them. What stays of such a block is its
header with its certificate, its other transactions, and all receipts.
"""

import zlib
from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import BrokenStorage, Fault, Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.messages import is_dealing
from keymoot.crypto.transactions import transaction_hash
from keymoot.engine.dealings import KEPT_DEALINGS, dealing_in, put_dealing
from keymoot.runtime.block import Block
from keymoot.runtime.receipt import Receipt
from keymoot.store.header import Header
from keymoot.store.table import Batch, Table, Writes

_BLOCK, _RECEIPTS = b"B", b"R"


@dataclass(frozen=True, slots=True)
class Erased:
    """What is left of a dealing: its name on the ledger, and how long it was."""

    hash: Hash32
    size_bytes: int


class DealingsErased(Fault, code="DEALINGS_ERASED"):
    def __init__(self, height: Height) -> None:
        super().__init__(
            f"dealings of block {height} are erased, those of the newest {KEPT_DEALINGS} blocks "
            "are kept: begin at a newer block"
        )


@dataclass(frozen=True, slots=True)
class StoredBlock:
    header: Header
    transactions: tuple[bytes | Erased, ...]

    @property
    def height(self) -> Height:
        return self.header.height

    @property
    def size_bytes(self) -> int:
        """Bytes of its header and of all its transactions, erased ones too."""
        sizes = (
            transaction.size_bytes if isinstance(transaction, Erased) else len(transaction)
            for transaction in self.transactions
        )
        return len(self.header.encode()) + sum(sizes)

    @property
    def whole(self) -> bool:
        """Whether none of its dealings is erased."""
        return not any(isinstance(transaction, Erased) for transaction in self.transactions)

    def order(self) -> Block:
        """Give the block as replicas execute it."""
        raws = tuple(
            transaction for transaction in self.transactions if not isinstance(transaction, Erased)
        )
        if len(raws) != len(self.transactions):
            raise DealingsErased(self.height)
        return Block(self.header.height, self.header.time, raws)

    def encode(self) -> bytes:
        """Give the bytes on disk, without the dealings."""
        kept: list[rlp.Item] = []
        for transaction in self.transactions:
            if isinstance(transaction, Erased):
                kept.append([transaction.hash, uint(transaction.size_bytes)])
            elif is_dealing(transaction):
                kept.append([transaction_hash(transaction), uint(len(transaction))])
            else:
                kept.append(transaction)
        return zlib.compress(rlp.encode([self.header.encode(), kept]))

    @staticmethod
    def decode(raw: bytes) -> "StoredBlock":
        """Read the bytes on disk: a block without its dealings."""
        plain = _plain(raw)
        header, kept = list_of(rlp.decode(plain, max_items=len(plain)), 2, "block")
        return StoredBlock(
            Header.decode(bytes_of(header, "header")),
            tuple(_kept(transaction) for transaction in list_of(kept, None, "transactions")),
        )


def put_block(
    batch: Batch, block: StoredBlock, receipts: tuple[Receipt, ...], writes: Writes
) -> None:
    """Write a block that is whole, and its receipts.

    What it wrote to the state is in `writes`, unless dealings are kept longer than that.
    """
    height = _number(block.height)
    for index, raw in enumerate(block.order().transactions):
        if is_dealing(raw):
            put_dealing(batch, block.height, index, raw, writes)
    batch[_BLOCK + height] = block.encode()
    batch[_RECEIPTS + height] = zlib.compress(
        rlp.encode([receipt.encode() for receipt in receipts])
    )


def block_in(table: Table, height: Height, after: Table | None) -> StoredBlock | None:
    """Give a block of a table by its height, or None; as much of it as there is.

    The state after it is `after`; None where it is not kept.
    """
    block = _without_dealings(table, height)
    if block is None or block.whole:
        return block
    transactions = list(block.transactions)
    for index, transaction in enumerate(block.transactions):
        raw = dealing_in(table, height, index, after) if isinstance(transaction, Erased) else None
        if raw is None or not isinstance(transaction, Erased):
            continue
        if transaction_hash(raw) != transaction.hash:
            raise missing("a dealing of the block", height)
        transactions[index] = raw
    return StoredBlock(block.header, tuple(transactions))


def header_in(table: Table, height: Height) -> Header | None:
    block = _without_dealings(table, height)
    return None if block is None else block.header


def receipts_in(table: Table, height: Height) -> tuple[Receipt, ...]:
    raw = table.get(_RECEIPTS + _number(height))
    if raw is None:
        raise missing("the receipts", height)
    try:
        plain = _plain(raw)
        items = list_of(rlp.decode(plain, max_items=len(plain)), None, "receipts")
        return tuple(Receipt.decode(bytes_of(item, "receipt")) for item in items)
    except Malformed as error:
        raise missing("the receipts", height) from error


def missing(what: str, height: Height) -> BrokenStorage:
    return BrokenStorage(
        f"{what} at {height} is missing in the data folder or altered: restore it whole, "
        "or start a new one"
    )


def _without_dealings(table: Table, height: Height) -> StoredBlock | None:
    raw = table.get(_BLOCK + _number(height))
    if raw is None:
        return None
    try:
        return StoredBlock.decode(raw)
    except Malformed as error:
        raise missing("the block", height) from error


def _plain(raw: bytes) -> bytes:
    try:
        return zlib.decompress(raw)
    except zlib.error as error:
        raise Malformed("that was not compressed") from error


def _kept(item: rlp.Decoded) -> bytes | Erased:
    if isinstance(item, bytes):
        return item
    name, size = list_of(item, 2, "dealing")
    return Erased(fixed_of(name, Hash32, "dealing"), uint_of(size, "dealing", 4))


def _number(height: Height) -> bytes:
    return height.to_bytes(8, "big")
