"""Names as the Oasis network makes them: 21 bytes, a version and a hash under a context.

Follows oasis-core's address package and oasis-sdk's ROFL module, whose clients show and
compute the same.
"""

from cryptography.hazmat.primitives.hashes import SHA512_256, Hash

from keymoot.base.fixed import Address, AppId
from keymoot.base.units import Height, Nonce

_VERSION = b"\0"
_ETHEREUM = "oasis-runtime-sdk/address: secp256k1eth"
_BY_PLACE = "oasis-sdk/rofl: cri app id"
_BY_NONCE = "oasis-sdk/rofl: cn app id"
_HASH_BYTES = AppId.LENGTH - len(_VERSION)


def native_address(account: Address) -> bytes:
    """Give the 21 bytes by which Oasis knows an Ethereum account."""
    return _named(_ETHEREUM, account)


def app_by_place(creator: bytes, height: Height, index: int) -> AppId:
    """Name an app by who created it, and where its transaction stands.

    Args:
        creator: The native address, 21 bytes.
        height: The block; Oasis says round.
        index: The transaction's place in it, from 0.
    """
    return AppId(_named(_BY_PLACE, creator + height.to_bytes(8, "big") + index.to_bytes(4, "big")))


def app_by_nonce(creator: bytes, nonce: Nonce) -> AppId:
    """Name an app by who created it, and how many transactions that account had then.

    `nonce` is as the transaction itself sees it: its own number and one.
    """
    return AppId(_named(_BY_NONCE, creator + nonce.to_bytes(8, "big")))


def _named(context: str, content: bytes) -> bytes:
    hashed = Hash(SHA512_256())
    hashed.update(context.encode() + _VERSION + content)
    return _VERSION + hashed.finalize()[:_HASH_BYTES]
