"""What stays of an enclave through all its starts: who it is, to others."""

from dataclasses import dataclass

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519


@dataclass(frozen=True, slots=True)
class Papers:
    """An enclave's lasting key.

    Attributes:
        identity: Ed25519 seed; signs answers, and keys of boot.
    """

    identity: Secret

    @property
    def public(self) -> Bytes32:
        """The identity as others know it."""
        return Bytes32(ed25519.public_key(self.identity))

    def sign(self, digest: bytes) -> bytes:
        """Sign in the name of the identity."""
        return ed25519.sign(self.identity, digest)
