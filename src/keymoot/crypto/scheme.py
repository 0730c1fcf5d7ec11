"""Signature schemes: what differs between one and another, in one value each.

A chain names the scheme of its keys (`policy.chains`); the committee keeps a root for each
(`committee.roots`), and says what serves one signature (`committee.binding`).
"""

from collections.abc import Callable
from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Hash32, Signature65
from keymoot.crypto import ed25519, secp256k1


@dataclass(frozen=True, slots=True, eq=False)
class Scheme:
    """One signature scheme.

    Attributes:
        root: The name of the committee's root whose children are the keys.
        key_bytes: Length of a public key: x ‖ y, or a point of edwards25519.
        verify: Whether a signature is by a public key, over a digest of 32 bytes or the message
            that it is of; what is no key and no signature is not.
    """

    name: str
    root: str
    key_bytes: int
    signature_bytes: int
    verify: Callable[[bytes, Hash32, bytes, bytes], bool]


def _ecdsa(public: bytes, digest: Hash32, message: bytes, signature: bytes) -> bool:
    del message
    try:
        signer = secp256k1.recover(digest, Signature65(signature))
    except Malformed:
        return False
    return signer == secp256k1.address_of(public)


def _ed25519(public: bytes, digest: Hash32, message: bytes, signature: bytes) -> bool:
    del digest
    if len(public) != Bytes32.LENGTH:
        return False
    return ed25519.verify(Bytes32(public), message, signature)


ECDSA = Scheme("ECDSA on secp256k1", "ecdsa", 64, 65, _ecdsa)
"""Signs a digest; made of a presignature, by any degree+1 of those who hold its shares."""

ED25519 = Scheme("Ed25519", "eddsa", 32, 64, _ed25519)
"""Signs a message as it is; made by FROST, by the signers that the block has named."""
