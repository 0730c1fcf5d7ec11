"""A block's header as Ethereum writes it since Paris: 16 fields, whose hash names the block.

Follows the Yellow Paper, section 4.3, EIP-1559 (base fee) and EIP-3675 (no work). What our
ledger has no use for is constant, and a header with anything else there is refused: ommers,
coinbase, difficulty and nonce. `extraData` is the generation after the block.
"""

from dataclasses import dataclass, field
from typing import Annotated, ClassVar

from keymoot.base.fixed import Address, Hash32
from keymoot.base.forms import ALWAYS, Exactly
from keymoot.base.record import Record
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.crypto.keccak import keccak256

BLOOM_BYTES = 256

MAX_HEADER_BYTES = 1_024
"""Longest RLP of a header; a usual one has about 560 bytes."""

NO_OMMERS = keccak256(b"\xc0")


@dataclass(frozen=True, slots=True)
class Header(Record):
    """What is hashed into a block's name.

    Attributes:
        parent_hash: Hash of the block before; of block 1 the network's id.
        state_root: Root of the state after the block.
        logs_bloom: 256 bytes.
        generation: The generation in which the state after the block lives.
        mix_hash: A number that nobody without the state's secret can compute: it keeps the
            hash from telling which of several outcomes a block had. Zeros before that secret.
    """

    MAX_BYTES = MAX_HEADER_BYTES
    MAX_DEPTH = 1

    parent_hash: Hash32
    ommers_hash: ClassVar[Annotated[Hash32, ALWAYS]] = NO_OMMERS
    coinbase: ClassVar[Annotated[Address, ALWAYS]] = Address(bytes(Address.LENGTH))
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    logs_bloom: Annotated[bytes, Exactly(BLOOM_BYTES)]
    difficulty: ClassVar[Annotated[bytes, ALWAYS]] = b""
    height: Height
    gas_limit: Gas
    gas_used: Gas
    time: UnixSeconds
    generation: Hash32
    mix_hash: Hash32
    nonce: ClassVar[Annotated[bytes, ALWAYS]] = bytes(8)
    base_fee: Wei
    hash: Hash32 = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "hash", keccak256(self.encode()))
