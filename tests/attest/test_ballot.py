"""A ballot is signed as CometBFT signs a proposal and its votes."""

from keymoot.attest.ballot import Ballot
from keymoot.attest.commit import NO_LOCK, VoteKind, proposal_sign_bytes, vote_sign_bytes
from keymoot.attest.header import BlockId
from keymoot.base.units import Height
from tests.attest.known import CHAIN, NOW

BLOCK = BlockId(b"\1" * 32, 1, b"\2" * 32)


def test_signs_the_proposal_and_both_votes_for_one_block() -> None:
    ballot = Ballot(CHAIN, Height(5), 0, BLOCK, NOW)
    assert ballot.sign_bytes() == (
        proposal_sign_bytes(CHAIN, Height(5), 0, NO_LOCK, BLOCK, NOW),
        vote_sign_bytes(CHAIN, VoteKind.PREVOTE, Height(5), 0, BLOCK, NOW),
        vote_sign_bytes(CHAIN, VoteKind.PRECOMMIT, Height(5), 0, BLOCK, NOW),
    )
    assert len(set(ballot.sign_bytes())) == 3
