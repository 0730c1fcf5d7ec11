"""The committee's roots: what each is for, its group and its degree."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from keymoot.crypto import scheme
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.dealing import Recipients
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import Group
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.session import Session

ECDSA, EDDSA, DERIVE, CERTIFICATE = scheme.ECDSA.root, scheme.ED25519.root, "derive", "certificate"


@dataclass(frozen=True, slots=True)
class RootKind:
    """One root of every committee."""

    name: str
    group: Group[Any]

    def degree(self, committee: Committee) -> int:
        """Give how many shares tell nothing."""
        return committee.ecdsa_degree if self.name == ECDSA else committee.degree


ROOTS = (
    RootKind(ECDSA, SECP256K1),
    RootKind(EDDSA, EDWARDS25519),
    RootKind(DERIVE, G2),
    RootKind(CERTIFICATE, G2),
)
"""In the order in which messages list them."""


@dataclass(frozen=True, slots=True)
class RootDealing:
    """What dealings of all roots share.

    Attributes:
        session: Network, generation and attempt; towards an epoch its number too.
        committee: Who gets shares.
        keys: The sealing keys that shares are encrypted to, by seat.
    """

    session: Session
    committee: Committee
    keys: Mapping[int, Any]

    def recipients(self, place: int) -> Recipients:
        kind = ROOTS[place]
        session = replace(self.session, name=f"{self.session.name}/{kind.name}")
        return Recipients(kind.group, session, kind.degree(self.committee), self.keys)
