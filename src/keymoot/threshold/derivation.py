"""Wallet keys from a root by a public tweak: Y = X + ε·G, x = (shares of the root) + ε.

Specs section 5.4. A tweak is a hash of the root and of the wallet's whole path, so no two
wallets share one, on any root. A wallet's secret key would give the root away (x − ε), so
there is no function here that gives one, nor a share of one: signing takes the tweak as an
argument and applies it inside.
"""

import hashlib
from functools import lru_cache
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.base.fixed import NetworkId
from keymoot.threshold.group import Group
from keymoot.threshold.root import Root
from keymoot.threshold.session import framed

MAX_PATH_BYTES = 256
REMEMBERED = 4_096
"""Wallets whose keys are remembered: all of it is public, and who signs once signs again."""

_DOMAIN = b"keymoot/v1/wallet-tweak"


def tweak(root: Root, network: NetworkId, path: bytes) -> int:
    """Give the tweak of a path of at most 256 bytes on one network: public, and never zero."""
    if not 0 < len(path) <= MAX_PATH_BYTES:
        raise Malformed(f"a key's path has 1 to {MAX_PATH_BYTES} bytes, got {len(path)}")
    return _tweak(root.group, root.group.encode(root.public), network, path)


def child(root: Root, epsilon: int) -> Any:
    return _child(root.group, root.group.encode(root.public), epsilon)


def tweaked(group: Group[Any], point: Any, epsilon: int) -> Any:
    return group.add(point, group.base_public(epsilon)) if epsilon else point


@lru_cache(maxsize=REMEMBERED)
def _tweak(group: Group[Any], public: bytes, network: NetworkId, path: bytes) -> int:
    scalar = hash_to_scalar(group, _DOMAIN, network, public, path)
    if not scalar or group.is_identity(_child(group, public, scalar)):
        raise Malformed("this path makes no key: choose another")
    return scalar


@lru_cache(maxsize=REMEMBERED)
def _child(group: Group[Any], public: bytes, epsilon: int) -> Any:
    return tweaked(group, group.decode(public), epsilon)


def hash_to_scalar(group: Group[Any], domain: bytes, *parts: bytes) -> int:
    """SHA-512 of the framed fields, modulo the order."""
    wide = hashlib.sha512(framed(domain, group.NAME.encode(), *parts)).digest()
    return int.from_bytes(wide, "big") % group.ORDER
