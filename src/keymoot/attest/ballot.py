"""One block to vote for, and a validator's votes: what goes to a signer and comes back."""

from dataclasses import dataclass

from keymoot.attest.commit import NO_LOCK, VoteKind, proposal_sign_bytes, vote_sign_bytes
from keymoot.attest.header import BlockId
from keymoot.base.units import Height, UnixNanos


@dataclass(frozen=True, slots=True)
class Ballot:
    """One block to propose and vote for.

    Attributes:
        round: Attempt at the height; the local engine's is 0.
        time: The proposal's and the votes' time; the next header is dated by it.
    """

    chain_id: str
    height: Height
    round: int
    block_id: BlockId
    time: UnixNanos

    def sign_bytes(self) -> tuple[bytes, bytes, bytes]:
        """Give what is signed: the proposal, the prevote, the precommit."""
        place = (self.height, self.round)
        return (
            proposal_sign_bytes(self.chain_id, *place, NO_LOCK, self.block_id, self.time),
            vote_sign_bytes(self.chain_id, VoteKind.PREVOTE, *place, self.block_id, self.time),
            vote_sign_bytes(self.chain_id, VoteKind.PRECOMMIT, *place, self.block_id, self.time),
        )


@dataclass(frozen=True, slots=True)
class Votes:
    """A validator's three signatures over one ballot, 64 bytes each."""

    proposal: bytes
    prevote: bytes
    precommit: bytes
