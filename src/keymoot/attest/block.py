"""A whole block: what its header promises of it, and the parts in which it travels."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

from keymoot.attest import merkle
from keymoot.attest import messages_pb2 as pb
from keymoot.attest.commit import Commit
from keymoot.attest.header import BlockId, Header
from keymoot.attest.wire import decode, encode
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32

PART_BYTES = 65_536
"""Size of every part but the last (CometBFT's BlockPartSizeBytes)."""

MAX_BLOCK_BYTES = 104_857_600
"""Largest block that CometBFT's parameters can allow."""

NO_EVIDENCE_HASH = merkle.EMPTY_ROOT
"""Evidence hash of a block that accuses nobody."""


@dataclass(frozen=True, slots=True)
class TxResult:
    """What consensus keeps of one transaction's outcome (ExecTxResult's fixed fields).

    Attributes:
        code: 0 for success; anything else fails.
        data: What the application answers; for Keymoot the receipt's hash.
    """

    code: int
    data: bytes
    gas_wanted: int
    gas_used: int

    def encode(self) -> bytes:
        """Give the protobuf bytes of its leaf."""
        return encode(
            pb.TxResult(
                code=self.code, data=self.data, gas_wanted=self.gas_wanted, gas_used=self.gas_used
            )
        )


def data_hash(transactions: Sequence[bytes]) -> Hash32:
    """Give a header's `data_hash`: the Merkle root over the transactions' SHA-256 hashes."""
    return merkle.root([sha256(raw).digest() for raw in transactions])


def results_hash(results: Sequence[TxResult]) -> Hash32:
    """Give the `last_results_hash` that the next header carries."""
    return merkle.root([each.encode() for each in results])


def consensus_hash(max_block_bytes: int, max_block_gas: int) -> Hash32:
    """Give a header's `consensus_hash` for these parameters (gas -1: no limit)."""
    params = pb.HashedParams(block_max_bytes=max_block_bytes, block_max_gas=max_block_gas)
    return Hash32(sha256(encode(params)).digest())


def part_set(raw: bytes) -> tuple[int, Hash32]:
    """Cut an encoded block into parts: how many, and the Merkle root over them."""
    parts = [raw[at : at + PART_BYTES] for at in range(0, len(raw), PART_BYTES)]
    return len(parts), merkle.root(parts)


@dataclass(frozen=True, slots=True)
class Block:
    """A header, its transactions, and the commit of the block before.

    Evidence of double votes stays empty until several operators run CometBFT.
    """

    header: Header
    transactions: tuple[bytes, ...]
    last_commit: Commit

    def block_id(self) -> BlockId:
        """Give the id for which validators vote."""
        total, root = part_set(self.encode())
        return BlockId(self.header.hash(), total, root)

    def check(self) -> None:
        """Raise unless the header promises just these contents.

        Raises:
            Malformed: transactions, last commit or evidence have another hash.
        """
        # 1. The transactions are those of the header.
        if data_hash(self.transactions) != self.header.data_hash:
            raise Malformed("the transactions do not hash to the header's data hash", "block")
        # 2. So is the commit of the block before.
        if self.last_commit.hash() != self.header.last_commit_hash:
            raise Malformed("the last commit does not hash to the header's", "block")
        # 3. It is the commit of the block before, not of another.
        if self.last_commit.height != self.header.height - 1:
            raise Malformed("the last commit is of another height than the one before", "block")
        if self.last_commit.block_id != self.header.last_block_id:
            raise Malformed("the last commit is of another block than the header's last", "block")
        # 4. Nobody is accused.
        if self.header.evidence_hash != NO_EVIDENCE_HASH:
            raise Malformed("the header promises evidence, and there is none", "block")

    def encode(self) -> bytes:
        """Give the protobuf bytes, as the parts carry them."""
        message = pb.Block(
            header=self.header.message(),
            data=pb.Data(transactions=self.transactions),
            last_commit=self.last_commit.message(),
        )
        message.data.SetInParent()
        message.evidence.SetInParent()
        return encode(message)

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read protobuf bytes; the contents are not yet held against the header.

        Raises:
            Malformed: no block, or not in the one form that CometBFT writes.
        """
        return decode(raw, pb.Block, cls._read, cls.encode, MAX_BLOCK_BYTES)

    @classmethod
    def _read(cls, message: pb.Block) -> Self:
        if not message.HasField("last_commit"):
            raise Malformed("a block carries a last commit, the first an empty one", "block")
        return cls(
            Header.read(message.header),
            tuple(message.data.transactions),
            Commit.read(message.last_commit),
        )
