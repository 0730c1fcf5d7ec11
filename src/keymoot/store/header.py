"""A block's header as Ethereum writes it since Paris: 16 fields, whose hash names the block.

Follows the Yellow Paper, section 4.3, EIP-1559 (base fee) and EIP-3675 (no work). What our
ledger has no use for is constant, and a header with anything else there is refused: ommers,
coinbase, difficulty and nonce. `extraData` is the generation after the block.
"""

from dataclasses import dataclass, field

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Address, Hash32
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.crypto.keccak import keccak256

BLOOM_BYTES = 256

MAX_HEADER_BYTES = 1_024
"""Longest RLP of a header; a usual one has about 560 bytes."""

NO_OMMERS = keccak256(b"\xc0")
"""Hash of the empty list of ommers."""

_NO_NONCE = bytes(8)
_NOBODY = Address(bytes(Address.LENGTH))
_FIELDS = 16


@dataclass(frozen=True, slots=True)
class Header:
    """What is hashed into a block's name.

    Attributes:
        parent_hash: Hash of the block before; of block 1 the network's id.
        state_root: Root of the state after the block.
        logs_bloom: 256 bytes.
        gas_limit: Gas that a block may use.
        gas_used: Gas that its transactions used.
        generation: The generation in which the state after the block lives.
        mix_hash: A number that nobody without the state's secret can compute: it keeps the
            hash from telling which of several outcomes a block had. Zeros before that secret.
        base_fee: Price of a unit of gas.
        hash: The block's hash: Keccak-256 of the RLP.
    """

    parent_hash: Hash32
    state_root: Hash32
    transactions_root: Hash32
    receipts_root: Hash32
    logs_bloom: bytes
    height: Height
    gas_limit: Gas
    gas_used: Gas
    time: UnixSeconds
    generation: Hash32
    mix_hash: Hash32
    base_fee: Wei
    hash: Hash32 = field(init=False, compare=False)

    def __post_init__(self) -> None:
        """Name it."""
        object.__setattr__(self, "hash", keccak256(self.encode()))

    def encode(self) -> bytes:
        """Give the canonical RLP."""
        return rlp.encode(
            [
                self.parent_hash,
                NO_OMMERS,
                _NOBODY,
                self.state_root,
                self.transactions_root,
                self.receipts_root,
                self.logs_bloom,
                uint(0),
                uint(self.height),
                uint(self.gas_limit),
                uint(self.gas_used),
                uint(self.time),
                self.generation,
                self.mix_hash,
                _NO_NONCE,
                uint(self.base_fee),
            ]
        )

    @staticmethod
    def decode(raw: bytes) -> "Header":
        """Read the canonical RLP.

        Raises:
            Malformed: not a header of our ledger.
        """
        if len(raw) > MAX_HEADER_BYTES:
            raise Malformed(f"a header has at most {MAX_HEADER_BYTES} bytes, got {len(raw)}")
        fields = list_of(rlp.decode(raw, 1, _FIELDS), _FIELDS, "header")
        constants = [fields[1], fields[2], fields[7], fields[14]]
        if constants != [NO_OMMERS, _NOBODY, b"", _NO_NONCE]:
            raise Malformed("ommers, coinbase, difficulty and nonce are constant here", "header")
        bloom = bytes_of(fields[6], "header.logsBloom", BLOOM_BYTES)
        if len(bloom) != BLOOM_BYTES:
            raise Malformed(f"a bloom filter has {BLOOM_BYTES} bytes", "header.logsBloom")
        return Header(
            parent_hash=fixed_of(fields[0], Hash32, "header.parentHash"),
            state_root=fixed_of(fields[3], Hash32, "header.stateRoot"),
            transactions_root=fixed_of(fields[4], Hash32, "header.transactionsRoot"),
            receipts_root=fixed_of(fields[5], Hash32, "header.receiptsRoot"),
            logs_bloom=bloom,
            height=Height(uint_of(fields[8], "header.number", 8)),
            gas_limit=Gas(uint_of(fields[9], "header.gasLimit", 8)),
            gas_used=Gas(uint_of(fields[10], "header.gasUsed", 8)),
            time=UnixSeconds(uint_of(fields[11], "header.timestamp", 8)),
            generation=fixed_of(fields[12], Hash32, "header.extraData"),
            mix_hash=fixed_of(fields[13], Hash32, "header.mixHash"),
            base_fee=Wei(uint_of(fields[15], "header.baseFeePerGas")),
        )
