"""Authenticated encryption that forgives a repeated nonce: AES-256-GCM-SIV (RFC 8452)."""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret

NONCE_BYTES = 12
TAG_BYTES = 16
KEY_BYTES = 32


class SealBroken(Malformed):
    """A sealed value does not open: altered, moved, or sealed under another key."""

    code = "SEAL_BROKEN"

    def __init__(self, what: str) -> None:
        """Name the thing that did not open, never its bytes."""
        super().__init__(f"{what} does not open: altered, moved, or sealed for something else")


class Sealer:
    """Seals and opens under one key; making one costs a key schedule, so keep it."""

    __slots__ = ("_cipher",)

    def __init__(self, key: Secret) -> None:
        """Take a key of 32 bytes."""
        self._cipher = AESGCMSIV(key.expose())

    def seal(self, nonce: bytes, plaintext: bytes, aad: bytes) -> bytes:
        """Encrypt; the result is 16 bytes longer.

        Args:
            nonce: 12 bytes. A repeat with another plaintext reveals nothing; with the
                same plaintext and aad it shows that they are the same.
            plaintext: What to hide.
            aad: What the sealed bytes belong to.
        """
        return self._cipher.encrypt(nonce, plaintext, aad)

    def open(self, nonce: bytes, sealed: bytes, aad: bytes, what: str) -> bytes:
        """Decrypt what `seal` made with the same nonce and aad.

        Raises:
            SealBroken: anything differs.
        """
        if len(nonce) != NONCE_BYTES or len(sealed) < TAG_BYTES:
            raise SealBroken(what)
        try:
            return self._cipher.decrypt(nonce, sealed, aad)
        except InvalidTag as error:
            raise SealBroken(what) from error
