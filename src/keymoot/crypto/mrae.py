"""Oasis's box: X25519 to somebody's key, then Deoxys-II.

The AEAD's key is HMAC-SHA-512/256 of the shared secret, under the box's name.
"""

from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA512_256
from cryptography.hazmat.primitives.hmac import HMAC

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto.deoxys import DeoxysII

_NAME: Final = b"MRAE_Box_Deoxys-II-256-128"


def box(private: Secret, public: Bytes32) -> DeoxysII:
    """Give the cipher that two keys share, whoever has which half of each.

    Malformed: the public key gives everybody the same secret.
    """
    mac = HMAC(_NAME, SHA512_256())
    try:
        ours = X25519PrivateKey.from_private_bytes(private.expose())
        mac.update(ours.exchange(X25519PublicKey.from_public_bytes(public)))
    except ValueError as error:
        raise Malformed("no X25519 key") from error
    return DeoxysII(Secret(mac.finalize()))
