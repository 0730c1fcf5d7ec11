"""FROST's ciphersuites: a group and its five hashes (RFC 9591, section 6).

* Ed25519: its signatures verify with any Ed25519 verifier (Solana's, RFC 8032's);
* secp256k1: the RFC's own signatures, which nothing else verifies;
* Taproot: BIP-340's, as the Zcash Foundation's `frost-secp256k1-tr` defines it.
"""

import hashlib
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from nacl import bindings
from nacl.exceptions import BadSignatureError

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import Group
from keymoot.threshold.secp256k1 import SECP256K1

_WIDE_SECP = 48
"""L of RFC 9380's hash_to_field for secp256k1."""


class Ciphersuite(ABC):
    """One ciphersuite; instances have no state."""

    NAME: ClassVar[str]
    CONTEXT: ClassVar[bytes]
    group: Group[Any]
    HASH: ClassVar[str]

    @abstractmethod
    def h1(self, message: bytes) -> int:
        """Hash to a binding factor."""

    @abstractmethod
    def h2(self, nonce: Any, public: Any, message: bytes) -> int:
        """Hash to the challenge."""

    @abstractmethod
    def h3(self, message: bytes) -> Secret:
        """Hash to a nonce."""

    def h4(self, message: bytes) -> bytes:
        """Hash a message."""
        return hashlib.new(self.HASH, self.CONTEXT + b"msg" + message).digest()

    def h5(self, message: bytes) -> bytes:
        """Hash a list of commitments."""
        return hashlib.new(self.HASH, self.CONTEXT + b"com" + message).digest()

    def signature(self, nonce: Any, answer: int) -> bytes:
        """R ‖ z: 64 bytes of Ed25519, 65 of secp256k1."""
        return self.group.encode(nonce) + self.group.encode_scalar(answer)

    @abstractmethod
    def verify(self, public: Any, message: bytes, signature: bytes) -> bool:
        """Verify a signature, by a library that knows nothing of FROST where there is one."""

    def turned(self, point: Any) -> bool:
        """Tell whether a point stands for its inverse (BIP-340's even-y rule)."""
        del point
        return False

    def identifier(self, index: int) -> bytes:
        """Encode a party's index."""
        return self.group.encode_scalar(index)


class FrostEd25519(Ciphersuite):
    """FROST(Ed25519, SHA-512), RFC 9591 section 6.1."""

    NAME: ClassVar[str] = "FROST(Ed25519, SHA-512)"
    CONTEXT: ClassVar[bytes] = b"FROST-ED25519-SHA512-v1"
    group = EDWARDS25519
    HASH: ClassVar[str] = "sha512"

    def h1(self, message: bytes) -> int:
        return self._scalar(self.CONTEXT + b"rho" + message)

    def h2(self, nonce: Any, public: Any, message: bytes) -> int:
        """Without a prefix, as RFC 8032 has it."""
        return self._scalar(self.group.encode(nonce) + self.group.encode(public) + message)

    def h3(self, message: bytes) -> Secret:
        wide = hashlib.sha512(self.CONTEXT + b"nonce" + message).digest()
        return self.group.scalar(wide)

    def verify(self, public: Any, message: bytes, signature: bytes) -> bool:
        try:
            bindings.crypto_sign_open(signature + message, self.group.encode(public))
        except BadSignatureError:
            return False
        return True

    def _scalar(self, message: bytes) -> int:
        wide = hashlib.sha512(message).digest()
        return int.from_bytes(wide, "little") % self.group.ORDER


class FrostSecp256k1(Ciphersuite):
    """FROST(secp256k1, SHA-256), RFC 9591 section 6.5."""

    NAME: ClassVar[str] = "FROST(secp256k1, SHA-256)"
    CONTEXT: ClassVar[bytes] = b"FROST-secp256k1-SHA256-v1"
    group = SECP256K1
    HASH: ClassVar[str] = "sha256"

    def h1(self, message: bytes) -> int:
        return hash_to_field(self.CONTEXT + b"rho", message)

    def h2(self, nonce: Any, public: Any, message: bytes) -> int:
        whole = self.group.encode(nonce) + self.group.encode(public) + message
        return hash_to_field(self.CONTEXT + b"chal", whole)

    def h3(self, message: bytes) -> Secret:
        return self.group.hide(hash_to_field(self.CONTEXT + b"nonce", message))

    def verify(self, public: Any, message: bytes, signature: bytes) -> bool:
        """Verify z·G − c·Y = R."""
        length = self.group.POINT_BYTES
        try:
            nonce = self.group.decode(signature[:length])
            answer = self.group.decode_scalar(signature[length:])
        except Malformed:
            return False
        back = self.group.ORDER - self.h2(nonce, public, message)
        return self.group.equal(self.group.combine_public(answer, back, public), nonce)


class FrostTaproot(FrostSecp256k1):
    """FROST(secp256k1, SHA-256-TR): BIP-340 signatures."""

    NAME: ClassVar[str] = "FROST(secp256k1, SHA-256-TR)"
    CONTEXT: ClassVar[bytes] = b"FROST-secp256k1-SHA256-TR-v1"

    def h2(self, nonce: Any, public: Any, message: bytes) -> int:
        """BIP-340's challenge, over x coordinates."""
        tag = hashlib.sha256(b"BIP0340/challenge").digest()
        whole = tag + tag + self._x(nonce) + self._x(public) + message
        return int.from_bytes(hashlib.sha256(whole).digest(), "big") % self.group.ORDER

    def signature(self, nonce: Any, answer: int) -> bytes:
        """x(R) ‖ z, 64 bytes."""
        return self._x(nonce) + self.group.encode_scalar(answer)

    def verify(self, public: Any, message: bytes, signature: bytes) -> bool:
        return SECP256K1.verify_bip340(self._x(public), message, signature)

    def turned(self, point: Any) -> bool:
        return bool(self.group.encode(point)[0] & 1)

    def _x(self, point: Any) -> bytes:
        return self.group.encode(point)[1:]


def hash_to_field(tag: bytes, message: bytes) -> int:
    """Hash to a scalar of secp256k1 (RFC 9380, hash_to_field with XMD:SHA-256, L = 48)."""
    return int.from_bytes(expand_message(message, tag, _WIDE_SECP), "big") % SECP256K1.ORDER


def expand_message(message: bytes, tag: bytes, length: int) -> bytes:
    """expand_message_xmd with SHA-256 (RFC 9380, section 5.3.1), up to 255 blocks."""
    suffix = tag + bytes((len(tag),))
    first = hashlib.sha256(bytes(64) + message + length.to_bytes(2, "big") + b"\0" + suffix)
    block = hashlib.sha256(first.digest() + b"\x01" + suffix).digest()
    blocks = [block]
    while 32 * len(blocks) < length:
        mixed = bytes(a ^ b for a, b in zip(first.digest(), blocks[-1], strict=True))
        counter = bytes((len(blocks) + 1,))
        blocks.append(hashlib.sha256(mixed + counter + suffix).digest())
    return b"".join(blocks)[:length]


ED25519 = FrostEd25519()
SECP256K1_SHA256 = FrostSecp256k1()
TAPROOT = FrostTaproot()
