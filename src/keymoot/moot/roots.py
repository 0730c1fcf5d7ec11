"""The assembly's roots: what each is for, its group and its degree."""

from dataclasses import dataclass
from typing import Any

from keymoot.threshold.bls12381 import G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import Group
from keymoot.threshold.secp256k1 import SECP256K1

ECDSA, EDDSA, DERIVE, CERTIFICATE = "ecdsa", "eddsa", "derive", "certificate"


@dataclass(frozen=True, slots=True)
class RootKind:
    """One root of every assembly."""

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
