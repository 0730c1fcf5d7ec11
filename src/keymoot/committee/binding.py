"""What one signature is made of, by scheme: bound by a block to one request, and used once.

On the ledger both are bytes beside a message, as `encode` gives them; what they are is told
here, and nowhere else.
"""

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from keymoot.base.errors import Malformed
from keymoot.committee.nonces.record import SignerCommitment, SignerCommitments
from keymoot.committee.presign.record import PresignatureId
from keymoot.crypto.scheme import ECDSA, ED25519, Scheme


@dataclass(frozen=True, slots=True)
class PresignatureBinding:
    """A presignature, for an ECDSA signature over a digest."""

    scheme: ClassVar[Scheme] = ECDSA

    name: PresignatureId

    @property
    def message(self) -> bytes:
        """Nothing: the digest is signed."""
        return b""

    def encode(self) -> bytes:
        return self.name.encode()


@dataclass(frozen=True, slots=True)
class FrostBinding:
    """Nonces of the signers whose turn it is, for an Ed25519 signature over a message.

    Attributes:
        slots: In the order of seats; each signer has one.
        message: What is signed, never empty.
    """

    scheme: ClassVar[Scheme] = ED25519

    slots: tuple[SignerCommitment, ...]
    message: bytes

    def encode(self) -> bytes:
        return SignerCommitments(self.slots).encode()


SignatureBinding: TypeAlias = PresignatureBinding | FrostBinding
"""One of the two; `scheme` tells which."""


def scheme_of(bound_to: bytes) -> Scheme:
    """Tell by the ledger's bytes which scheme's they are: only a presignature has 10."""
    return ECDSA if len(bound_to) == PresignatureId.LENGTH else ED25519


def read_binding(bound_to: bytes, message: bytes) -> SignatureBinding:
    """Raise Malformed for neither of the two, a presignature with a message, or nonces without."""
    if scheme_of(bound_to) is ECDSA:
        if message:
            raise Malformed("a presignature signs a digest, and no message", "message")
        return PresignatureBinding(PresignatureId.decode(bound_to))
    if not message:
        raise Malformed("nonces sign a message, and none is there", "message")
    return FrostBinding(SignerCommitments.decode(bound_to).slots, message)
