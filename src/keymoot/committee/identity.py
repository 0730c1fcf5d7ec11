"""What stays of an enclave through all its starts: who it is, and what shows it, to others."""

from collections.abc import Callable

from keymoot.attest.evidence import ReportData
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto.ed25519 import SigningKey


class EnclaveIdentity:
    """An enclave's lasting key, and the machine's word for what runs.

    Attributes:
        public: The identity as others know it.
        quote: Gives evidence that binds 64 bytes of report data.
    """

    __slots__ = ("_key", "public", "quote")

    def __init__(self, identity: Secret, quote: Callable[[ReportData], bytes]) -> None:
        """Take the identity's Ed25519 seed; it signs answers, and session keys."""
        self.quote = quote
        self._key = SigningKey(identity)
        self.public: Bytes32 = self._key.public_key

    def sign(self, digest: bytes) -> bytes:
        return self._key.sign(digest)
