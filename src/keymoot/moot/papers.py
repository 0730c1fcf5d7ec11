"""What stays of an enclave through all its starts: who it is, to others."""

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto.ed25519 import SigningKey


class Papers:
    """An enclave's lasting key.

    Attributes:
        public: The identity as others know it.
    """

    __slots__ = ("_key", "public")

    def __init__(self, identity: Secret) -> None:
        """Take the identity's Ed25519 seed; it signs answers, and keys of boot."""
        self._key = SigningKey(identity)
        self.public: Bytes32 = self._key.public_key

    def sign(self, digest: bytes) -> bytes:
        """Sign in the name of the identity."""
        return self._key.sign(digest)
