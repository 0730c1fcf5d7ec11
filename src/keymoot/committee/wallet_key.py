"""The public key of a wallet that the committee keeps: a child of its scheme's root."""

from keymoot.base.fixed import NetworkId, WalletId
from keymoot.crypto.scheme import ECDSA, ED25519, Scheme
from keymoot.threshold import derivation
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.root import Root
from keymoot.threshold.secp256k1 import SECP256K1

_PATH = b"wallet"


def path_of(wallet: WalletId) -> bytes:
    return _PATH + wallet


def tweak_of(root: Root, network: NetworkId, wallet: WalletId) -> int:
    return derivation.tweak(root, network, path_of(wallet))


def wallet_key(scheme: Scheme, root: Root, network: NetworkId, wallet: WalletId) -> bytes:
    """Public key, of `scheme.key_bytes` bytes; the chain makes its address of it."""
    return _ENCODE[scheme](derivation.child(root, tweak_of(root, network, wallet)))


_ENCODE = {ECDSA: SECP256K1.encode_uncompressed, ED25519: EDWARDS25519.encode}
