"""CometBFT's Merkle tree: SHA-256 with RFC 6962's prefixes and shape."""

from collections.abc import Sequence
from hashlib import sha256

from keymoot.base.fixed import Hash32

_LEAF = b"\x00"
_INNER = b"\x01"

EMPTY_ROOT = Hash32(sha256(b"").digest())
"""Root of a tree without leaves."""


def root(leaves: Sequence[bytes]) -> Hash32:
    """Give the root over `leaves` in their order (RFC 6962, section 2.1)."""
    if not leaves:
        return EMPTY_ROOT
    level = [sha256(_LEAF + leaf).digest() for leaf in leaves]
    # Pairing neighbours level by level and carrying an odd last one up gives the
    # same tree as RFC 6962's split at the largest power of two.
    while len(level) > 1:
        paired = [
            sha256(_INNER + level[at] + level[at + 1]).digest()
            for at in range(0, len(level) - 1, 2)
        ]
        level = paired + level[len(paired) * 2 :]
    return Hash32(level[0])
