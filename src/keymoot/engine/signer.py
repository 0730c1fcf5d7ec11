"""Who signs blocks: the engine asks, the enclaves answer."""

import asyncio
from collections.abc import Mapping
from typing import Protocol

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.validators import Ed25519Key, ValidatorSet
from keymoot.base.errors import Malformed, Refused
from keymoot.crypto import ed25519


class ConsensusSigner(Protocol):
    """Holds a consensus key, and refuses a second vote for one height and round."""

    @property
    def public_key(self) -> Ed25519Key:
        """The validator's public key."""
        ...

    async def sign(self, ballot: Ballot) -> Votes:
        """Propose and vote for a block.

        Raises:
            Refused: another block was signed at this height and round.
        """
        ...


GRACE_SECONDS = 0.05
"""How long the others may take once two thirds have voted."""

RETRY_SECONDS = 0.1
"""Pause before those are asked again who said no, when there are too few."""

MAX_ROUNDS = 300
"""How often they are asked before the engine gives up."""


class BadVote(Refused):
    """A validator gave something that is not its vote."""

    code = "BAD_VOTE"

    def __init__(self, height: int) -> None:
        """Name the height."""
        super().__init__(f"what a validator gave for block {height} is not its signature")


async def gather_votes(
    validators: ValidatorSet, signers: Mapping[bytes, ConsensusSigner], ballot: Ballot
) -> list[Votes | None]:
    """Have a ballot signed by all validators, or by those who answer; in their order.

    Waits for as long as it takes to have more than two thirds of the power, and not much
    longer. Whom we cannot ask is silent, and who gives no vote of its own is as if it were: one
    bad signature would make the whole commit a forged one. A signer that crashes stops the engine.

    Raises:
        Refused: too few voted, however often they were asked: what one of them said.
    """
    found: dict[bytes, Votes] = {}
    last = Refused("nobody votes")
    for _ in range(MAX_ROUNDS):
        missing = [
            one
            for one in validators.validators
            if bytes(one.public_key) not in found and bytes(one.public_key) in signers
        ]
        asked = {
            asyncio.create_task(_vote(signers[bytes(one.public_key)], ballot)): one
            for one in missing
        }
        pending = set(asked)
        while pending:
            power = sum(
                one.power for one in validators.validators if bytes(one.public_key) in found
            )
            enough = 3 * power > 2 * validators.total_power
            done, pending = await asyncio.wait(
                pending,
                timeout=GRACE_SECONDS if enough else None,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                break
            for task in done:
                try:
                    found[bytes(asked[task].public_key)] = task.result()
                except Refused as error:
                    last = error
        for task in pending:
            task.cancel()
        power = sum(one.power for one in validators.validators if bytes(one.public_key) in found)
        if 3 * power > 2 * validators.total_power:
            return [found.get(bytes(one.public_key)) for one in validators.validators]
        await asyncio.sleep(RETRY_SECONDS)
    raise last


async def _vote(signer: ConsensusSigner, ballot: Ballot) -> Votes:
    """Have a ballot signed; what is no vote of the signer's own is a refusal."""
    try:
        votes = await signer.sign(ballot)
    except Malformed as error:
        raise BadVote(ballot.height) from error
    *_, precommit = ballot.sign_bytes()
    if not ed25519.verify(signer.public_key, precommit, votes.precommit):
        raise BadVote(ballot.height)
    return votes
