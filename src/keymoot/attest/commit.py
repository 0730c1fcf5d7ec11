"""Votes and the commit that they make, as CometBFT v0.40 signs, hashes and writes them."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Self

from keymoot.attest import merkle
from keymoot.attest import messages_pb2 as pb
from keymoot.attest.header import NIL, BlockId, Header
from keymoot.attest.validators import MAX_VALIDATORS
from keymoot.attest.wire import (
    NO_TIME,
    decode,
    delimited,
    encode,
    read_address,
    read_time,
    write_time,
)
from keymoot.base.errors import Malformed
from keymoot.base.units import Height, UnixNanos

MAX_SIGNATURE_BYTES = 64
"""Ed25519 signatures are 64 bytes; CometBFT allows other keys, we do not."""

MAX_COMMIT_BYTES = 128 + 128 * MAX_VALIDATORS
MAX_SIGNED_HEADER_BYTES = 2048 + MAX_COMMIT_BYTES

NO_LOCK = -1
"""The lock round of a proposal that no earlier round locked."""


class VoteKind(IntEnum):
    """What a vote says: CometBFT's SignedMsgType."""

    PREVOTE = 1
    PRECOMMIT = 2


class Flag(IntEnum):
    """What one validator did: CometBFT's BlockIDFlag."""

    ABSENT = 1
    COMMIT = 2
    NIL = 3


_PROPOSAL = 32


def vote_sign_bytes(
    chain_id: str,
    kind: VoteKind,
    height: Height,
    round_: int,
    block_id: BlockId,
    timestamp: UnixNanos,
) -> bytes:
    """Give the bytes that a validator signs to vote (CanonicalVote, length first).

    Args:
        chain_id: Text of the header's chain id.
        kind: Prevote or precommit.
        height: The block's height.
        round_: Attempt at that height, from 0.
        block_id: What it votes for; `NIL` for none.
        timestamp: When it votes, by its own clock.
    """
    message = pb.CanonicalVote(kind=kind, height=height, round=round_, chain_id=chain_id)
    if not block_id.is_nil:
        block_id.write(message.block_id)
    write_time(message.timestamp, timestamp)
    return delimited(message)


def proposal_sign_bytes(
    chain_id: str,
    height: Height,
    round_: int,
    lock_round: int,
    block_id: BlockId,
    timestamp: UnixNanos,
) -> bytes:
    """Give the bytes that a proposer signs (CanonicalProposal, length first).

    Args:
        chain_id: Text of the header's chain id.
        height: The block's height.
        round_: Attempt at that height, from 0.
        lock_round: Round that locked the block (CometBFT's POLRound), or `NO_LOCK`.
        block_id: What it proposes.
        timestamp: When it proposes.
    """
    message = pb.CanonicalProposal(
        kind=_PROPOSAL, height=height, round=round_, lock_round=lock_round, chain_id=chain_id
    )
    if not block_id.is_nil:
        block_id.write(message.block_id)
    write_time(message.timestamp, timestamp)
    return delimited(message)


@dataclass(frozen=True, slots=True)
class CommitSig:
    """One validator's part of a commit.

    An absent one has no address, `NO_TIME` and no signature.
    """

    flag: Flag
    address: bytes
    timestamp: UnixNanos
    signature: bytes

    def message(self) -> pb.CommitSig:
        """Give the protobuf message."""
        message = pb.CommitSig(
            flag=self.flag, validator_address=self.address, signature=self.signature
        )
        write_time(message.timestamp, self.timestamp)
        return message

    @classmethod
    def read(cls, message: pb.CommitSig, path: str) -> Self:
        """Take one from a message, with the checks of CometBFT's ValidateBasic.

        Raises:
            Malformed: an unknown flag, or fields that the flag forbids or demands.
        """
        try:
            flag = Flag(message.flag)
        except ValueError as error:
            raise Malformed(f"{message.flag} is none of 1, 2, 3", f"{path}.flag") from error
        time = read_time(message.timestamp, f"{path}.timestamp")
        if flag is Flag.ABSENT:
            if message.validator_address or message.signature or time != NO_TIME:
                raise Malformed("an absent validator has no address, time or signature", path)
            return cls(flag, b"", NO_TIME, b"")
        if len(message.signature) != MAX_SIGNATURE_BYTES:
            raise Malformed(f"a signature is {MAX_SIGNATURE_BYTES} bytes", f"{path}.signature")
        address = read_address(message.validator_address, f"{path}.address")
        return cls(flag, address, time, message.signature)


ABSENT = CommitSig(Flag.ABSENT, b"", NO_TIME, b"")
"""The place of a validator whose vote did not arrive."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The precommits that made one block final, one place a validator in the set's order."""

    height: Height
    round: int
    block_id: BlockId
    signatures: tuple[CommitSig, ...]

    def hash(self) -> bytes:
        """Give the hash that the next header carries as `last_commit_hash`."""
        return merkle.root([encode(each.message()) for each in self.signatures])

    def sign_bytes(self, chain_id: str, index: int) -> bytes:
        """Give the bytes that the validator at `index` signed."""
        each = self.signatures[index]
        voted = self.block_id if each.flag is Flag.COMMIT else NIL
        return vote_sign_bytes(
            chain_id, VoteKind.PRECOMMIT, self.height, self.round, voted, each.timestamp
        )

    def message(self) -> pb.Commit:
        """Give the protobuf message."""
        message = pb.Commit(
            height=self.height,
            round=self.round,
            signatures=[each.message() for each in self.signatures],
        )
        self.block_id.write(message.block_id)
        return message

    def encode(self) -> bytes:
        """Give the protobuf bytes."""
        return encode(self.message())

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read protobuf bytes.

        Raises:
            Malformed: no commit, or not in the one form that CometBFT writes.
        """
        return decode(raw, pb.Commit, cls.read, cls.encode, MAX_COMMIT_BYTES)

    @classmethod
    def read(cls, message: pb.Commit) -> Self:
        """Take a commit from a message, with the checks of CometBFT's ValidateBasic.

        Raises:
            Malformed: numbers below zero, or a commit of a block without its id or votes.
        """
        if message.height < 0 or message.round < 0:
            raise Malformed("height and round are not below zero", "commit")
        found = cls(
            Height(message.height),
            message.round,
            BlockId.read(message.block_id, "commit.blockId"),
            tuple(
                CommitSig.read(each, f"commit.signatures[{at}]")
                for at, each in enumerate(message.signatures)
            ),
        )
        if found.height and (found.block_id.is_nil or not found.signatures):
            raise Malformed("a commit names a block and carries signatures", "commit")
        return found


NO_COMMIT = Commit(Height(0), 0, NIL, ())
"""What the first block carries as its last commit."""


@dataclass(frozen=True, slots=True)
class SignedHeader:
    """A header and the commit that makes it final, both unverified; see `quorum`."""

    header: Header
    commit: Commit

    def encode(self) -> bytes:
        """Give the protobuf bytes (CometBFT's SignedHeader)."""
        return encode(pb.SignedHeader(header=self.header.message(), commit=self.commit.message()))

    @classmethod
    def decode(cls, raw: bytes) -> Self:
        """Read protobuf bytes.

        Raises:
            Malformed: no signed header, or not in the one form that CometBFT writes.
        """
        return decode(raw, pb.SignedHeader, cls._read, cls.encode, MAX_SIGNED_HEADER_BYTES)

    @classmethod
    def _read(cls, message: pb.SignedHeader) -> Self:
        if not message.HasField("header") or not message.HasField("commit"):
            raise Malformed("a signed header has a header and a commit")
        return cls(Header.read(message.header), Commit.read(message.commit))
