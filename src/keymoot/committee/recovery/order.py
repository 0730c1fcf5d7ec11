"""Recovery: when too many restart at once, a new generation begins by certificate.

Its id is the hash of the certificate. Everything one-time carries the id, so entering a
generation wipes what came before: dealings, acknowledgements and requests that a recovery
undid cannot be replayed into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.forms import AtMost
from keymoot.base.record import Record
from keymoot.base.units import Height
from keymoot.committee.errors import NotSeated
from keymoot.committee.messages import Kind, NodeMessage, is_message
from keymoot.committee.seat import SessionKeys
from keymoot.committee.seat_lists import BySeat
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.committee import MAX_SIZE

_TAG = b"keymoot/v1/recovery"


@dataclass(frozen=True, slots=True)
class RecoveryOrder(Record):
    """The terms of a new generation.

    Attributes:
        network: Which network.
        previous: The generation that it ends, so that no certificate serves twice.
        base: The height on which it builds; blocks above it belong to the new generation.
        block: Hash of that block.
        sessions: New keys by seat.
    """

    network: NetworkId
    previous: Hash32
    base: Height
    block: Hash32
    sessions: Annotated[BySeat[SessionKeys], AtMost(MAX_SIZE)]

    def digest(self) -> Hash32:
        """The generation's id, which is also what is signed."""
        return keccak256(_TAG + self.encode())


@dataclass(frozen=True, slots=True)
class SignedRecoveryOrder(Record):
    """A certificate with the signatures of seats' identities."""

    terms: RecoveryOrder
    signatures: Annotated[BySeat[Annotated[bytes, AtMost(64)]], AtMost(MAX_SIZE)]

    def check(self, identities: Mapping[int, Bytes32], needed: int) -> None:
        """Raise NotSeated unless enough seats signed, and each one that it seats is among them.

        Whoever runs the machines can propose any keys as a seat's: only its own identity says
        with which ones it has started.
        """
        signed = self.signers(identities)
        if len(signed) < needed:
            raise NotSeated(f"a recovery is signed by {needed} seats, this one by {len(signed)}")
        others = self.terms.sessions.keys() - signed
        if others:
            raise NotSeated(f"a recovery seats who signs it: seat {min(others)} did not")

    def signers(self, identities: Mapping[int, Bytes32]) -> set[int]:
        digest = self.terms.digest()
        return {
            at
            for at, signature in self.signatures.items()
            if at in identities and ed25519.verify(identities[at], digest, signature)
        }


def terms_in(raw: bytes) -> RecoveryOrder | None:
    """Give the terms of a recovery order; None for any other transaction. Nothing is checked."""
    if not is_message(raw):
        return None
    try:
        message = NodeMessage.decode(raw)
        if message.kind is Kind.RECOVER:
            return SignedRecoveryOrder.decode(message.body).terms
    except Malformed:
        pass
    return None
