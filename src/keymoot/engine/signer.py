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
"""How often they are asked, and all of them answer, before the engine gives up."""


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
    loop, found, rounds = asyncio.get_running_loop(), dict[bytes, Votes](), 0
    last = Refused("nobody votes")
    asked: dict[asyncio.Task[Votes], bytes] = {}
    try:
        while True:
            for one in validators.validators:
                key = bytes(one.public_key)
                if key in signers and key not in found and key not in asked.values():
                    asked[asyncio.create_task(_vote(signers[key], ballot))] = key
            again, no = loop.time() + RETRY_SECONDS, False
            while asked:
                enough = _enough(validators, found)
                # One that hangs is not waited for where another said no: that one is asked again.
                patience = max(again - loop.time(), 0) if no else None
                done, _ = await asyncio.wait(
                    asked,
                    timeout=GRACE_SECONDS if enough else patience,
                    return_when=asyncio.FIRST_COMPLETED,
                )
                if not done:
                    break
                for task in done:
                    key = asked.pop(task)
                    try:
                        found[key] = task.result()
                    except Refused as error:
                        last, no = error, True
            if _enough(validators, found):
                return [found.get(bytes(one.public_key)) for one in validators.validators]
            if not asked:
                rounds += 1
                if rounds == MAX_ROUNDS:
                    raise last
                await asyncio.sleep(RETRY_SECONDS)
    finally:
        for task in asked:
            task.cancel()


def _enough(validators: ValidatorSet, found: Mapping[bytes, Votes]) -> bool:
    """Tell whether more than two thirds of the power have voted."""
    power = sum(one.power for one in validators.validators if bytes(one.public_key) in found)
    return 3 * power > 2 * validators.total_power


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
