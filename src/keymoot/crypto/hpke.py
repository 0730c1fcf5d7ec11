"""Hybrid public key encryption (RFC 9180, base mode): answers sealed to a reply key.

DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM, one message for each key: section 6.1.
From primitives of `cryptography`, whose own HPKE came in release 47; agent frameworks of today
hold it at 46. The ephemeral key is drawn by the library, so this is for the enclave and the
agent, never for replicated code.
"""

import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto.sealing import SealBroken

KEY_BYTES = 32
"""Length of an X25519 public key, and of the encapsulated key before each ciphertext."""

_VERSION = b"HPKE-v1"
_KEM = b"KEM" + (0x0020).to_bytes(2, "big")
_MODE_BASE = b"\0"
_HASH_BYTES, _NONCE_BYTES = 32, 12


@dataclass(frozen=True, slots=True)
class Suite:
    """AES-GCM by its number in RFC 9180, table 5; KEM and KDF are always the same."""

    aead: int
    key_bytes: int

    @property
    def name(self) -> bytes:
        return b"HPKE" + b"".join(
            number.to_bytes(2, "big") for number in (0x0020, 0x0001, self.aead)
        )

    def context(self, shared: bytes, info: bytes) -> tuple[bytes, bytes]:
        """Give the AEAD's key and nonce for the only message (section 5.1, KeySchedule)."""
        name = self.name
        no_psk = _extract(name, b"", b"psk_id_hash", b"")
        bound = _MODE_BASE + no_psk + _extract(name, b"", b"info_hash", info)
        secret = _extract(name, shared, b"secret", b"")
        return (
            _expand(name, secret, b"key", bound, self.key_bytes),
            _expand(name, secret, b"base_nonce", bound, _NONCE_BYTES),
        )


AES_256_GCM = Suite(2, 32)


def public_key(secret: Secret) -> Bytes32:
    return _raw(X25519PrivateKey.from_private_bytes(secret.expose()).public_key())


def seal_to(public: Bytes32, plaintext: bytes, info: bytes, aad: bytes) -> bytes:
    """Encrypt to `public`; the result is 48 bytes longer (32 ephemeral, 16 tag).

    `info` names the use and `aad` what the answer belongs to. Both are bound. Malformed: `public`
    is a point of low order, to which nothing can be sealed.
    """
    ephemeral = X25519PrivateKey.generate()
    return sealed_by(AES_256_GCM, ephemeral, public, plaintext, _bound(info, aad))


def sealed_by(
    suite: Suite,
    ephemeral: X25519PrivateKey,
    public: Bytes32,
    plaintext: bytes,
    info: bytes,
    aad: bytes = b"",
) -> bytes:
    """Encrypt with an ephemeral key that serves once: SealBase of section 6.1."""
    try:
        point = ephemeral.exchange(X25519PublicKey.from_public_bytes(public))
    except ValueError as error:
        raise Malformed("the reply key is not a usable X25519 public key", "replyKey") from error
    encapsulated = _raw(ephemeral.public_key())
    key, nonce = suite.context(_shared(point, encapsulated, public), info)
    return encapsulated + AESGCM(key).encrypt(nonce, plaintext, aad)


def open_with(secret: Secret, sealed: bytes, info: bytes, aad: bytes) -> bytes:
    own = X25519PrivateKey.from_private_bytes(secret.expose())
    return opened_by(AES_256_GCM, own, sealed, _bound(info, aad))


def opened_by(
    suite: Suite, own: X25519PrivateKey, sealed: bytes, info: bytes, aad: bytes = b""
) -> bytes:
    """Decrypt with our private key: OpenBase of section 6.1."""
    encapsulated, ciphertext = sealed[:KEY_BYTES], sealed[KEY_BYTES:]
    try:
        point = own.exchange(X25519PublicKey.from_public_bytes(encapsulated))
        shared = _shared(point, encapsulated, _raw(own.public_key()))
        key, nonce = suite.context(shared, info)
        return AESGCM(key).decrypt(nonce, ciphertext, aad)
    except (InvalidTag, ValueError) as error:
        raise SealBroken("the sealed answer") from error


def _bound(info: bytes, aad: bytes) -> bytes:
    return len(info).to_bytes(4, "big") + info + aad


def _raw(key: X25519PublicKey) -> Bytes32:
    return Bytes32(key.public_bytes_raw())


def _shared(point: bytes, encapsulated: bytes, public: bytes) -> bytes:
    """ExtractAndExpand of section 4.1."""
    secret = _extract(_KEM, b"", b"eae_prk", point)
    return _expand(_KEM, secret, b"shared_secret", encapsulated + public, _HASH_BYTES)


def _extract(suite: bytes, salt: bytes, label: bytes, secret: bytes) -> bytes:
    """LabeledExtract of section 4."""
    return hmac.digest(salt or bytes(_HASH_BYTES), _VERSION + suite + label + secret, "sha256")


def _expand(suite: bytes, secret: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """LabeledExpand of section 4."""
    labeled = length.to_bytes(2, "big") + _VERSION + suite + label + info
    return HKDFExpand(SHA256(), length, labeled).derive(secret)
