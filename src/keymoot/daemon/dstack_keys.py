"""Keys as dstack's clients ask for them: version 0 by path, version 1 by domain and algorithm.

Theirs derives all keys of an app from the app's root key, by HKDF-SHA-256. Here each key has a
root of its own, as for ROFL's; on it the same derivation works, so their vectors are ours. The
app's key is left with signing what was derived, and never leaves the daemon.

One thing differs from version 0 on purpose: the algorithm is part of a key's name, so that no 32
bytes serve two curves. Claims of the two versions are never alike, whatever a caller says for a
purpose: those of version 0 end with a colon and hex digits, those of version 1 with a length.
"""

from dataclasses import dataclass
from hashlib import sha256

from coincurve import PrivateKey, PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519, secp256k1
from keymoot.crypto.keccak import keccak256
from keymoot.daemon.errors import BadArgument

MAX_NAME_BYTES = 4_096
"""Longest path, domain or purpose."""

SECP256K1, ED25519 = "secp256k1", "ed25519"

_CLAIM = b"dstack-guest-v1-key-claim"
_ISSUED = b"keymoot-app-issued:"
_ROOT = b"keymoot/daemon/dstack/v1\0"


@dataclass(frozen=True, slots=True)
class DstackKey:
    """A derived key and its public half: 33 bytes of secp256k1, 32 of Ed25519."""

    algorithm: str
    secret: Secret
    public: bytes

    def sign(self, message: bytes) -> bytes:
        """Sign a message: SHA-256 and ECDSA, or Ed25519; 64 bytes."""
        if self.algorithm == ED25519:
            return ed25519.sign(self.secret, message)
        return self.sign_digest(sha256(message).digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a digest of 32 bytes with secp256k1."""
        return bytes(secp256k1.sign(self.secret, Bytes32(digest)))[:64]


def path_root(path: str, algorithm: str) -> bytes:
    """Give the name under which the ledger is asked for the root of a path's key."""
    return _root_name(b"v0", algorithm, path)


def domain_root(domain: str, algorithm: str) -> bytes:
    return _root_name(b"v1", algorithm, domain)


def app_root() -> bytes:
    """Give the name of the root of the app's own key, which signs what was derived."""
    return _root_name(b"app", SECP256K1, "")


def authority_root() -> bytes:
    """Give the name of the root of the key that signs the app's certificates."""
    return _root_name(b"certificates", "p256", "")


def path_key(root: Secret, path: str, algorithm: str) -> DstackKey:
    """Derive as version 0 does: HKDF with its salt, and the path as context."""
    return _key(_hkdf(root, b"RATLS", path.encode()), algorithm)


def domain_key(root: Secret, domain: str, algorithm: str) -> DstackKey:
    """Derive as version 1 does."""
    info = b"".join(map(_framed, (b"dstack-guest-v1-key", algorithm.encode(), domain.encode())))
    return _key(_hkdf(root, b"dstack-guest-v1", info), algorithm)


def named_algorithm(name: str) -> str:
    """Read version 0's name of an algorithm; nothing is secp256k1."""
    algorithm = {"": SECP256K1, "k256": SECP256K1}.get(name, name)
    if algorithm not in (SECP256K1, ED25519):
        raise BadArgument(f"algorithms are {SECP256K1} and {ED25519}", "algorithm")
    return algorithm


@dataclass(frozen=True, slots=True)
class SignatureChain:
    """Signs what was derived: the app's key the key, and the instance's own key the app's.

    The second link is not dstack's, whose root is one machine's key: it leads to the key that the
    ledger has registered, with its evidence.

    Attributes:
        app: The app's id, 21 bytes.
        key: Of the app.
        issued: The instance's signature over the app's key: see `issued_digest`.
    """

    app: bytes
    key: DstackKey
    issued: bytes

    def over_path(self, purpose: str, public: bytes) -> list[bytes]:
        """Give version 0's two signatures: its claim is `purpose:hex of the public key`."""
        return self._over(f"{purpose}:{public.hex()}".encode())

    def over_domain(self, domain: str, key: DstackKey) -> list[bytes]:
        parts = (_CLAIM, key.algorithm.encode(), domain.encode(), key.public)
        return self._over(b"".join(map(_framed, parts)))

    def _over(self, claim: bytes) -> list[bytes]:
        return [bytes(secp256k1.sign(self.key.secret, keccak256(claim))), self.issued]


def issued_digest(app: bytes, public: bytes) -> Bytes32:
    """Give what an instance's registered key signs over the app's key."""
    return Bytes32(keccak256(_ISSUED + app + public))


def secp256k1_verifies(digest: bytes, signature: bytes, public: bytes) -> bool:
    """Tell whether 64 bytes, r and s, are a key's signature over a digest.

    The key has 33 bytes, or 65 where it is not compressed.
    """
    try:
        wanted = PublicKey(public).format()
    except ValueError:
        return False
    return any(_recovered(digest, signature, parity) == wanted for parity in (0, 1))


def _recovered(digest: bytes, signature: bytes, parity: int) -> bytes | None:
    whole = signature + bytes([parity])
    try:
        return PublicKey.from_signature_and_message(whole, digest, hasher=None).format()
    except Exception:  # noqa: BLE001  coincurve raises bare Exception
        return None


def _root_name(kind: bytes, algorithm: str, name: str) -> bytes:
    parts = (kind, algorithm.encode(), name.encode())
    return sha256(_ROOT + b"".join(map(_framed, parts))).digest()


def _framed(part: bytes) -> bytes:
    return len(part).to_bytes(4, "big") + part


def _hkdf(root: Secret, salt: bytes, info: bytes) -> Secret:
    return Secret(HKDF(SHA256(), 32, salt, info).derive(root.expose()))


def _key(secret: Secret, algorithm: str) -> DstackKey:
    if algorithm == ED25519:
        return DstackKey(algorithm, secret, bytes(ed25519.public_key(secret)))
    secp256k1.check_private_key(secret)
    return DstackKey(algorithm, secret, PrivateKey(secret.expose()).public_key.format())
