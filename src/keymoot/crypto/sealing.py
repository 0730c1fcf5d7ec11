"""Authenticated encryption that forgives a repeated nonce: AES-256-GCM-SIV (RFC 8452)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class SealBroken(Malformed, code="SEAL_BROKEN"):
    """A sealed value does not open: altered, moved, or sealed under another key.

    It names the thing that did not open, never its bytes.
    """

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} does not open: altered, moved, or sealed for something else")


class Sealer:
    """Seals and opens under one key; making one costs a key schedule, so keep it."""

    __slots__ = ("_cipher",)

    def __init__(self, key: Secret) -> None:
        self._cipher = AESGCMSIV(key.expose())

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt; the result is 16 bytes longer, `aad` is what it belongs to.

        A nonce (12 bytes) that comes again with another plaintext reveals nothing; with the same
        plaintext and aad it shows that they are the same.
        """
        return self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes, what: str) -> bytes:
        """Decrypt what `seal` made with the same nonce and aad; SealBroken names `what` if not."""
        if len(nonce) != NONCE_BYTES or len(sealed) < TAG_BYTES:
            raise SealBroken(what)
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except InvalidTag as error:
            raise SealBroken(what) from error
