"""ECDSA on secp256k1 as Ethereum uses it, by libsecp256k1 (coincurve).

Signatures are deterministic (RFC 6979) with low s (EIP-2).
"""

from coincurve import PrivateKey, PublicKey

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.crypto.keccak import keccak256

ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""Number of points of the group (SEC 2, section 2.4.1)."""

HALF_ORDER = ORDER // 2


def private_key(entropy: bytes) -> Secret:
    """Make a private key of 48 or more uniform bytes, refusing fewer.

    Reduction of 48 bytes leaves a bias below 2**-128 (RFC 9380, section 5).
    """
    if len(entropy) < 48:
        raise Malformed(f"a private key is made of at least 48 random bytes, got {len(entropy)}")
    scalar = int.from_bytes(entropy, "big") % (ORDER - 1) + 1
    return Secret(scalar.to_bytes(32, "big"))


def check_private_key(secret: Secret) -> Secret:
    if len(secret) != 32 or not 0 < int.from_bytes(secret.expose(), "big") < ORDER:
        raise Malformed("a private key is 32 bytes, above zero and below the group's order")
    return secret


def public_key(secret: Secret) -> bytes:
    """Give x (32 bytes) ‖ y (32 bytes)."""
    return PrivateKey(secret.expose()).public_key.format(compressed=False)[1:]


def address_of(public: bytes) -> Address:
    """The Ethereum address of a public key of 64 bytes."""
    return Address(keccak256(public)[12:])


def address_of_secret(secret: Secret) -> Address:
    return address_of(public_key(secret))


def sign(secret: Secret, digest: Bytes32 | Hash32) -> Signature65:
    return Signature65(PrivateKey(secret.expose()).sign_recoverable(digest, hasher=None))


def recover(digest: Bytes32 | Hash32, signature: Signature65) -> Address:
    """Give the address whose key made `signature`; a high s (EIP-2) is Malformed."""
    r = int.from_bytes(signature[:32], "big")
    s = int.from_bytes(signature[32:64], "big")
    if not 0 < r < ORDER or not 0 < s <= HALF_ORDER:
        raise Malformed("a signature's r or s is out of range (s must be low, EIP-2)", "signature")
    try:
        point = PublicKey.from_signature_and_message(bytes(signature), digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception
        raise Malformed("no public key fits this signature", "signature") from error
    return address_of(point.format(compressed=False)[1:])
