"""What became of a transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import MAX_MESSAGE_BYTES
from keymoot.base.fields import uint
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.forms import UNWRITTEN, AtMost, Cut, Uint
from keymoot.base.record import Record
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
class Log(Record):
    address: Address
    topics: tuple[Bytes32, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Receipt(Record):
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
    status: Annotated[int, Uint(1)]
    gas_used: Gas
    price: Wei
    logs: tuple[Log, ...] = ()
    output: bytes = b""
    error_code: Annotated[str, AtMost(64)] = ""
    error: Annotated[str, Cut(MAX_MESSAGE_BYTES)] = ""
    fault: Annotated[BaseException | None, UNWRITTEN] = field(
        default=None, compare=False, repr=False
    )


def consensus_receipts(raws: Sequence[bytes], receipts: Sequence[Receipt]) -> list[bytes]:
    """Give what a header's receipts root commits to, in the order of the block.

    Each is `type ‖ rlp([status, cumulative gas, bloom, logs])` (EIP-2718, EIP-658); a legacy
    transaction's has no type.
    """
    total, done = 0, []
    for raw, receipt in zip(raws, receipts, strict=True):
        total += receipt.gas_used
        kind = b"" if raw[0] >= _LEGACY else raw[:1]
        fields: list[rlp.Item] = [uint(receipt.status), uint(total), bloom(receipt.logs)]
        fields.append([log.item() for log in receipt.logs])
        done.append(kind + rlp.encode(fields))
    return done


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
    bits, digest = 0, keccak256_raw(part)
    for at in (0, 2, 4):
        bits |= 1 << (int.from_bytes(digest[at : at + 2], "big") & 2047)
    return bits
