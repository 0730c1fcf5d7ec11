"""Hybrid public key encryption (RFC 9180, base mode): answers sealed to a reply key.

X25519, HKDF-SHA256, AES-256-GCM, by `cryptography`. The library draws the ephemeral
key itself, so this is for the enclave and the agent, never for replicated code.
"""

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto.sealing import SealBroken

_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


def public_key(secret: Secret) -> Bytes32:
    """Give the X25519 public key of a 32-byte secret."""
    key = X25519PrivateKey.from_private_bytes(secret.expose())
    return Bytes32(
        key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )


def seal_to(public: Bytes32, plaintext: bytes, info: bytes, aad: bytes) -> bytes:
    """Encrypt to `public`; the result is 48 bytes longer (32 ephemeral, 16 tag).

    `info` names the use and `aad` what the answer belongs to. Both are bound.

    Raises:
        Malformed: `public` is a point of low order, to which nothing can be sealed.
    """
    try:
        key = X25519PublicKey.from_public_bytes(public)
        return _SUITE.encrypt(plaintext, key, info=_bound(info, aad))
    except ValueError as error:
        raise Malformed("the reply key is not a usable X25519 public key", "replyKey") from error


def open_with(secret: Secret, sealed: bytes, info: bytes, aad: bytes) -> bytes:
    """Decrypt what was sealed to our public key.

    Raises:
        SealBroken: altered, or sealed to another key, use or owner.
    """
    try:
        key = X25519PrivateKey.from_private_bytes(secret.expose())
        return _SUITE.decrypt(sealed, key, info=_bound(info, aad))
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the sealed answer") from error


def _bound(info: bytes, aad: bytes) -> bytes:
    return len(info).to_bytes(4, "big") + info + aad
