"""Ed25519 (RFC 8032) for consensus votes and node identities, by libsodium.

It is strict, no small-order points and no second encodings, and takes half of OpenSSL's time.
"""

from nacl import bindings
from nacl.exceptions import BadSignatureError

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret

SIGNATURE_BYTES = 64


def public_key(seed: Secret) -> Bytes32:
    """Give the public key of a 32-byte seed."""
    return Bytes32(bindings.crypto_sign_seed_keypair(seed.expose())[0])


def sign(seed: Secret, message: bytes) -> bytes:
    """Sign a message of any length; 64 bytes."""
    _, key = bindings.crypto_sign_seed_keypair(seed.expose())
    return bindings.crypto_sign(message, key)[:SIGNATURE_BYTES]


def verify(public: Bytes32, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is `public`'s over `message`; never raises."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True
