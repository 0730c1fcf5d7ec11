"""What a message of a protocol belongs to, and the hash that binds it there.

Every proof and every box is bound to network, generation and session, so that nothing
serves twice. Fields are written with their lengths: no two lists of fields read alike.
"""

import hashlib
from dataclasses import dataclass
from typing import Any

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.threshold.group import Group

_LENGTH_BYTES = 4
_PREFIX = b"keymoot/threshold/v1/"


@dataclass(frozen=True, slots=True)
class Session:
    """One run of one protocol.

    Attributes:
        network: Hash of the genesis.
        generation: Names the recovery since which one-time secrets live.
        name: What runs, and which time; unique within a generation.
    """

    network: NetworkId
    generation: Hash32
    name: str

    def parts(self) -> list[bytes]:
        return [self.network, self.generation, self.name.encode()]


def framed(*parts: bytes) -> bytes:
    """Join byte strings, each after its length."""
    return b"".join([len(part).to_bytes(_LENGTH_BYTES, "big") + part for part in parts])


def digest(purpose: str, session: Session, *parts: bytes) -> bytes:
    """Hash fields for one purpose of one session: 64 bytes (SHA-512)."""
    head = _PREFIX + purpose.encode()
    return hashlib.sha512(framed(head, *session.parts(), *parts)).digest()


def challenge(group: Group[Any], purpose: str, session: Session, *parts: bytes) -> int:
    """Give the Fiat–Shamir challenge over a whole statement, prover included."""
    wide = digest(purpose, session, group.NAME.encode(), *parts)
    return int.from_bytes(wide, "big") % group.ORDER


def index_bytes(index: int) -> bytes:
    return index.to_bytes(2, "big")
