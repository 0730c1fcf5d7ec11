"""A block's header and the id of a block, as CometBFT v0.40 hashes and writes them.

The hash is the Merkle root over the fourteen fields, each encoded by itself
(CometBFT's specification, "Data structures: Header").
"""

from dataclasses import dataclass
from typing import Self

from keymoot.attest import merkle
from keymoot.attest import messages_pb2 as pb
from keymoot.attest.wire import (
    decode,
    encode,
    read_address,
    read_hash,
    read_time,
    write_time,
)
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height, UnixNanos

BLOCK_PROTOCOL = 11
"""Version of the block format that CometBFT v0.40 speaks (`version/version.go`)."""

MAX_CHAIN_ID_BYTES = 50
MAX_APP_HASH_BYTES = 64
MAX_HEADER_BYTES = 1024


def chain_id_of(network: NetworkId) -> str:
    """Give the chain id text of a network's headers: half of its id, as it must be short."""
    return "keymoot-" + network.hex()[:32]


@dataclass(frozen=True, slots=True)
class BlockId:
    """What a vote names: the header's hash and the parts in which the block travels.

    Attributes:
        hash: 32 bytes, or empty for nil.
        parts_total: Count of parts of 64 KiB.
        parts_hash: Merkle root over the parts; 32 bytes, or empty.
    """

    hash: bytes = b""
    parts_total: int = 0
    parts_hash: bytes = b""

    @property
    def is_nil(self) -> bool:
        """Tell whether this names no block."""
        return not self.hash and not self.parts_total and not self.parts_hash

    def write(self, into: pb.BlockId) -> None:
        """Fill a message; CometBFT writes the inner one even when it is empty."""
        into.SetInParent()
        into.hash = self.hash
        into.parts.SetInParent()
        into.parts.total = self.parts_total
        into.parts.hash = self.parts_hash

    def encode(self) -> bytes:
        """Give the protobuf bytes."""
        message = pb.BlockId()
        self.write(message)
        return encode(message)

    @classmethod
    def read(cls, message: pb.BlockId, path: str) -> Self:
        """Take a block id from a message.

        Raises:
            Malformed: a hash has another length, or some of it is missing.
        """
        found = cls(
            hash=read_hash(message.hash, f"{path}.hash"),
            parts_total=message.parts.total,
            parts_hash=read_hash(message.parts.hash, f"{path}.parts.hash"),
        )
        if not found.is_nil and not (found.hash and found.parts_total and found.parts_hash):
            raise Malformed("a block id is whole or empty", path)
        return found


NIL = BlockId()
"""The id of no block: what a validator votes for when it saw none in time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The head of one block; `app_hash` and `last_results_hash` speak of the block before.

    Attributes:
        chain_id: Text of at most 50 bytes, `chain_id_of(network)`.
        height: 1 for the first block.
        time: Nanoseconds; from the second block on, the median of the last votes.
        last_block_id: The block before; nil in the first.
        app_hash: State root after the block before (32 bytes for Keymoot).
        proposer_address: 20 bytes.
    """

    version_block: int = BLOCK_PROTOCOL
    version_app: int = 0
    chain_id: str
    height: Height
    time: UnixNanos
    last_block_id: BlockId
    last_commit_hash: bytes
    data_hash: bytes
    validators_hash: bytes
    next_validators_hash: bytes
    consensus_hash: bytes
    app_hash: bytes
    last_results_hash: bytes
    evidence_hash: bytes
    proposer_address: bytes

    def hash(self) -> Hash32:
        """Give the hash by which validators and everyone else name this block."""
        message = self.message()
        return merkle.root(
            [
                encode(message.version),
                encode(pb.TextLeaf(value=self.chain_id)),
                encode(pb.IntegerLeaf(value=self.height)),
                encode(message.time),
                encode(message.last_block_id),
                *[
                    encode(pb.BytesLeaf(value=value))
                    for value in (
                        self.last_commit_hash,
                        self.data_hash,
                        self.validators_hash,
                        self.next_validators_hash,
                        self.consensus_hash,
                        self.app_hash,
                        self.last_results_hash,
                        self.evidence_hash,
                        self.proposer_address,
                    )
                ],
            ]
        )

    def message(self) -> pb.Header:
        """Give the protobuf message."""
        message = pb.Header(
            version=pb.ConsensusVersion(block=self.version_block, app=self.version_app),
            chain_id=self.chain_id,
            height=self.height,
            last_commit_hash=self.last_commit_hash,
            data_hash=self.data_hash,
            validators_hash=self.validators_hash,
            next_validators_hash=self.next_validators_hash,
            consensus_hash=self.consensus_hash,
            app_hash=self.app_hash,
            last_results_hash=self.last_results_hash,
            evidence_hash=self.evidence_hash,
            proposer_address=self.proposer_address,
        )
        write_time(message.time, self.time)
        self.last_block_id.write(message.last_block_id)
        return message

    def encode(self) -> bytes:
        """Give the protobuf bytes."""
        return encode(self.message())

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read protobuf bytes.

        Raises:
            Malformed: no header, or not in the one form that CometBFT writes.
        """
        return decode(raw, pb.Header, cls.read, cls.encode, MAX_HEADER_BYTES)

    @classmethod
    def read(cls, message: pb.Header) -> Self:
        """Take a header from a message, with the checks of CometBFT's ValidateBasic.

        Raises:
            Malformed: a field is out of its bounds; the path names it.
        """
        if message.version.block != BLOCK_PROTOCOL:
            raise Malformed(
                f"block format {message.version.block} is not {BLOCK_PROTOCOL}", "header.version"
            )
        if len(message.chain_id.encode()) > MAX_CHAIN_ID_BYTES:
            raise Malformed(f"a chain id has at most {MAX_CHAIN_ID_BYTES} bytes", "header.chainId")
        if message.height < 1:
            raise Malformed(f"the first height is 1, got {message.height}", "header.height")
        if len(message.app_hash) > MAX_APP_HASH_BYTES:
            raise Malformed(f"at most {MAX_APP_HASH_BYTES} bytes are accepted", "header.appHash")
        if len(message.validators_hash) != Hash32.LENGTH:
            raise Malformed(
                "without a validator set's hash nobody can sign", "header.validatorsHash"
            )
        return cls(
            version_block=message.version.block,
            version_app=message.version.app,
            chain_id=message.chain_id,
            height=Height(message.height),
            time=read_time(message.time, "header.time"),
            last_block_id=BlockId.read(message.last_block_id, "header.lastBlockId"),
            last_commit_hash=read_hash(message.last_commit_hash, "header.lastCommitHash"),
            data_hash=read_hash(message.data_hash, "header.dataHash"),
            validators_hash=message.validators_hash,
            next_validators_hash=read_hash(
                message.next_validators_hash, "header.nextValidatorsHash"
            ),
            consensus_hash=read_hash(message.consensus_hash, "header.consensusHash"),
            app_hash=message.app_hash,
            last_results_hash=read_hash(message.last_results_hash, "header.lastResultsHash"),
            evidence_hash=read_hash(message.evidence_hash, "header.evidenceHash"),
            proposer_address=read_address(message.proposer_address, "header.proposerAddress"),
        )
