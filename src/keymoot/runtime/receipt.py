"""What became of a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from keymoot.base import rlp
from keymoot.base.errors import MAX_MESSAGE_BYTES
from keymoot.base.fields import (
    bytes_of,
    fixed_of,
    list_of,
    optional_fixed_of,
    text_of,
    uint,
    uint_of,
)
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.shown import bounded
from keymoot.base.units import Gas, Wei
from keymoot.crypto.keccak import keccak256_raw
from keymoot.store.header import BLOOM_BYTES

_LEGACY = 0xC0
"""A transaction that begins with a list has no type."""

MAX_OUTPUT_BYTES = 8_192
"""Longest result that a receipt keeps: nobody pays for its bytes, and a page of a wallet's log
has millions. Whoever wants it asks in a query."""

_BITS_KEPT = 4_096
"""Of how many addresses and topics the bits of a bloom filter are remembered: 2 MB."""


@dataclass(frozen=True, slots=True)
class Log:
    """One event of a contract."""

    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes

    def encode(self) -> list[rlp.Item]:
        """Give the RLP item."""
        return [self.address, list(self.topics), self.data]

    @staticmethod
    def decode(item: rlp.Decoded) -> "Log":
        """Read the RLP item."""
        address, topics, data = list_of(item, 3, "log")
        return Log(
            fixed_of(address, Address, "address"),
            tuple(fixed_of(topic, Bytes32, "topic") for topic in list_of(topics, None, "topics")),
            bytes_of(data, "data"),
        )


@dataclass(frozen=True, slots=True)
class Receipt:
    """The outcome of one transaction.

    Attributes:
        status: 1 for done (a request: bound), 0 for refused.
        gas_used: What was paid for; 0 where the transaction could not even pay.
        price: Wei for each unit of gas.
        output: What the method returned, or its revert data; empty where that is longer than
            `MAX_OUTPUT_BYTES`.
        error_code: The refusal's word; empty where status is 1.
        error: The refusal's message.
        fault: What our code did not expect, for this node's log; no part of the receipt.
    """

    transaction_hash: Hash32
    sender: Address
    to: Address | None
    status: int
    gas_used: Gas
    price: Wei
    logs: tuple[Log, ...] = ()
    output: bytes = b""
    error_code: str = ""
    error: str = ""
    fault: BaseException | None = field(default=None, compare=False, repr=False)

    def encode(self) -> bytes:
        """Give the archive's bytes."""
        return rlp.encode(
            [
                self.transaction_hash,
                self.sender,
                self.to or b"",
                uint(self.status),
                uint(self.gas_used),
                uint(self.price),
                [log.encode() for log in self.logs],
                self.output,
                self.error_code.encode(),
                bounded(self.error, MAX_MESSAGE_BYTES).encode(),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Receipt":
        """Read the archive's bytes.

        Raises:
            Malformed: not a receipt.
        """
        fields = list_of(rlp.decode(raw), 10, "receipt")
        return Receipt(
            transaction_hash=fixed_of(fields[0], Hash32, "hash"),
            sender=fixed_of(fields[1], Address, "sender"),
            to=optional_fixed_of(fields[2], Address, "to"),
            status=uint_of(fields[3], "status", 1),
            gas_used=Gas(uint_of(fields[4], "gasUsed", 8)),
            price=Wei(uint_of(fields[5], "price")),
            logs=tuple(Log.decode(log) for log in list_of(fields[6], None, "logs")),
            output=bytes_of(fields[7], "output"),
            error_code=text_of(fields[8], "errorCode", 64),
            error=text_of(fields[9], "error", MAX_MESSAGE_BYTES),
        )


def consensus_receipts(raws: Sequence[bytes], receipts: Sequence[Receipt]) -> list[bytes]:
    """Give what a header's receipts root commits to, in the order of the block.

    Each is `type ‖ rlp([status, cumulative gas, bloom, logs])` (EIP-2718, EIP-658); a legacy
    transaction's has no type.
    """
    total, found = 0, []
    for raw, receipt in zip(raws, receipts, strict=True):
        total += receipt.gas_used
        kind = b"" if raw[0] >= _LEGACY else raw[:1]
        fields: list[rlp.Item] = [uint(receipt.status), uint(total), bloom(receipt.logs)]
        fields.append([log.encode() for log in receipt.logs])
        found.append(kind + rlp.encode(fields))
    return found


def bloom(logs: tuple[Log, ...]) -> bytes:
    """Give the bloom filter of logs: 256 bytes (Yellow Paper, section 4.3.1)."""
    bits = 0
    for log in logs:
        bits |= _bits(log.address)
        for topic in log.topics:
            bits |= _bits(topic)
    return bits.to_bytes(BLOOM_BYTES, "big")


@lru_cache(maxsize=_BITS_KEPT)
def _bits(part: bytes) -> int:
    """Give the three bits of an address or a topic."""
    bits, digest = 0, keccak256_raw(part)
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits
