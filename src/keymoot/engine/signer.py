"""Who signs blocks: the engine asks, the enclave answers."""

from typing import Protocol

from keymoot.attest.ballot import Ballot, Votes
from keymoot.attest.validators import Ed25519Key


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
