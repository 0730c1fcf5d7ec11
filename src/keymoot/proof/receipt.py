"""A transaction and its receipt, proved to stand in a certified block.

Follows EIP-2718 and EIP-658: both stand under their index in the tries that the header names. A
block without a certificate of its own is named by the parents of the next one that has one.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from keymoot.base import hexes, rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint_of
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.strict_json import Json
from keymoot.base.units import Gas
from keymoot.crypto.keccak import keccak256
from keymoot.proof.chain import Shown
from keymoot.proof.descent import MAX_LINKS
from keymoot.proof.errors import NotProven
from keymoot.proof.shape import datas_of, fields_of, shown_datas
from keymoot.store.header import BLOOM_BYTES, MAX_HEADER_BYTES, Header
from keymoot.store.ordered import verify_ordered
from keymoot.store.proof import MAX_PROOF_NODES

MAX_ITEM_BYTES = 1_048_576
"""Longest node of a block's tries: a leaf holds a whole transaction, or a receipt with its logs."""

MAX_INDEX = 2**32 - 1

_FIELDS = ("header", "certificate", "links", "index", "transactionProof", "receiptProof")
_LEGACY = 0xC0


@dataclass(frozen=True, slots=True)
class ProvenLog:
    """One event, as a receipt has it."""

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class ProvenReceipt:
    """A transaction in a certified block; only `ReceiptProof.check` makes one.

    Attributes:
        transaction: Its bytes; their Keccak-256 is its hash.
        status: 1 for done, 0 for refused.
        cumulative_gas: Gas that the block used up to its end.
    """

    header: Header
    index: int
    transaction: bytes
    status: int
    cumulative_gas: Gas
    logs: tuple[ProvenLog, ...]

    @property
    def hash(self) -> Hash32:
        return keccak256(self.transaction)


@dataclass(frozen=True, slots=True)
class ReceiptProof:
    """What leads from a certified header to one receipt; nothing is checked yet.

    Attributes:
        shown: The block, or the next one that has a certificate.
        links: RLP of headers from that one's parent down to the block; empty if it is the block.
        index: The transaction's place in its block.
        transaction: Nodes (RLP) from the transactions' root to it.
        receipt: Nodes from the receipts' root to its receipt.
    """

    shown: Shown
    links: tuple[bytes, ...]
    index: int
    transaction: tuple[bytes, ...]
    receipt: tuple[bytes, ...]

    def check(self, certified: Header) -> ProvenReceipt:
        """Give what a certified header says: that of `shown`, whose certificate was checked.

        NotProven: another header, links that lead nowhere, or no such transaction.
        """
        # 1. The block is the certified one, or an ancestor that its descendants name.
        if certified != self.shown.header:
            raise NotProven("the receipt is proved under another header than was checked")
        block = _follow(certified, self.links)
        # 2. Transaction and receipt stand at one index.
        transaction = verify_ordered(block.transactions_root, self.index, self.transaction)
        receipt = verify_ordered(block.receipts_root, self.index, self.receipt)
        if transaction is None or receipt is None:
            raise NotProven(f"block {block.height} has no transaction at index {self.index}")
        # 3. The receipt is one, of a transaction of that type.
        kind = b"" if transaction[0] >= _LEGACY else transaction[:1]
        if not receipt.startswith(kind):
            raise NotProven("the receipt is of another type than its transaction")
        status, gas, logs = _read_receipt(receipt[len(kind) :])
        return ProvenReceipt(block, self.index, transaction, status, gas, logs)

    def to_json(self) -> Json:
        return {
            **self.shown.to_json(),
            "links": shown_datas(self.links),
            "index": hexes.quantity(self.index),
            "transactionProof": shown_datas(self.transaction),
            "receiptProof": shown_datas(self.receipt),
        }

    @staticmethod
    def from_json(told: Any, path: str = "receipt") -> "ReceiptProof":
        """Nothing is checked yet."""
        header, certificate, links, index, transaction, receipt = fields_of(told, _FIELDS, path)
        place = hexes.parse_quantity(index, f"{path}.index")
        if place > MAX_INDEX:
            raise Malformed("an index has at most 32 bits", f"{path}.index")
        return ReceiptProof(
            Shown.of(header, certificate, path),
            datas_of(links, MAX_LINKS, MAX_HEADER_BYTES, f"{path}.links"),
            place,
            datas_of(transaction, MAX_PROOF_NODES, MAX_ITEM_BYTES, f"{path}.transactionProof"),
            datas_of(receipt, MAX_PROOF_NODES, MAX_ITEM_BYTES, f"{path}.receiptProof"),
        )


def _follow(header: Header, links: Sequence[bytes]) -> Header:
    for raw in links:
        link = Header.decode(raw)
        if link.hash != header.parent_hash or link.height != header.height - 1:
            raise NotProven(f"block {header.height} names another parent than the link shows")
        header = link
    return header


def _read_receipt(raw: bytes) -> tuple[int, Gas, tuple[ProvenLog, ...]]:
    status, gas, bloom, logs = list_of(rlp.decode(raw), 4, "receipt")
    bytes_of(bloom, "receipt.bloom", BLOOM_BYTES)
    entries = []
    for log in list_of(logs, None, "receipt.logs"):
        address, topics, data = list_of(log, 3, "receipt.log")
        entries.append(
            ProvenLog(
                fixed_of(address, Address, "receipt.log.address"),
                tuple(
                    fixed_of(topic, Bytes32, "receipt.log.topic")
                    for topic in list_of(topics, None, "receipt.log.topics")
                ),
                bytes_of(data, "receipt.log.data"),
            )
        )
    return (
        uint_of(status, "receipt.status", 1),
        Gas(uint_of(gas, "receipt.gas", 8)),
        tuple(entries),
    )
