"""Threshold BLS (Boneh, Lynn, Shacham 2001; Boldyreva 2003): signatures in G1, keys in G2.

A signature is unique, so whoever combines it cannot choose, any two sufficient sets of
parties give the same, and nobody knows it before enough of them sign. The degree is such that
two sufficient sets share an honest party: parties that signed different messages cannot both
have enough. The network's certificates are such signatures.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from itertools import combinations
from typing import Any

from keymoot.threshold.bls12381 import G1, G2, pairings_equal
from keymoot.threshold.errors import TooFew
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.root import Root, Share

TAG = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
"""Domain separation tag (RFC 9380), the standard one of BLS signatures in G1: other people's
libraries verify ours. No other use of BLS here hashes to these points."""

VALUE_BYTES = 32


@lru_cache(maxsize=16)
def point_of(message: bytes) -> Any:
    """Hash a message to the curve, once: whoever signs one mostly verifies it a moment later."""
    return G1.hash_to_curve(message, TAG)


def sign(share: Share, message: bytes) -> Any:
    """Whether it may be signed is the caller's rule."""
    return G1.multiply(share.secret, point_of(message))


def check(root: Root, index: int, message: bytes, share: Any) -> bool:
    """One pairing check."""
    point = point_of(message)
    return pairings_equal((share, G2.generator), [(point, root.share_of(index))])


def verify(public: Any, message: bytes, signature: Any) -> bool:
    point = point_of(message)
    return pairings_equal((signature, G2.generator), [(point, public)])


def value(signature: Any) -> bytes:
    """What nobody knew before it was signed: 32 bytes."""
    return hashlib.sha256(G1.encode(signature)).digest()


def combine(root: Root, message: bytes, shares: Mapping[int, Any]) -> tuple[Any, list[int]]:
    """Combine any degree+1 good shares; name the parties whose are bad.

    Shares are looked at one by one only if the first combination fails.
    """
    need = root.degree + 1
    if len(shares) < need:
        raise TooFew("shares of the signature", len(shares), need)
    chosen = next(combinations(sorted(shares), need))
    signature = interpolate_points(G1, {index: shares[index] for index in chosen})
    if verify(root.public, message, signature):
        return signature, []
    good = {index: share for index, share in shares.items() if check(root, index, message, share)}
    bad = sorted(shares.keys() - good.keys())
    if len(good) < need:
        raise TooFew("shares of the signature", len(good), need)
    chosen = next(combinations(sorted(good), need))
    return interpolate_points(G1, {index: good[index] for index in chosen}), bad
