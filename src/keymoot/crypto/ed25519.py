"""Ed25519 (RFC 8032) for consensus votes and node identities.

`cryptography` signs; libsodium verifies, in half the time, and as strictly: no small-order
points, no second encodings.
"""

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from nacl import bindings
from nacl.exceptions import BadSignatureError

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret

SIGNATURE_BYTES = 64


def public_key(seed: Secret) -> Bytes32:
    """Give the public key of a 32-byte seed."""
    key = Ed25519PrivateKey.from_private_bytes(seed.expose())
    return Bytes32(
        key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    )


def sign(seed: Secret, message: bytes) -> bytes:
    """Sign a message of any length; 64 bytes."""
    return Ed25519PrivateKey.from_private_bytes(seed.expose()).sign(message)


def verify(public: Bytes32, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is `public`'s over `message`; never raises."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True
