"""The founding record: all founders say which roots they made, and in which block.

Until the roots exist nothing can be certified. So all founders, each with the session key that
the genesis lists for it, sign once which roots it holds its shares of; whoever knows the
network's id learns the verifying key from it. It counts as the certificate of its block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.forms import AtMost, Form
from keymoot.base.record import Record
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.committee.genesis import Genesis
from keymoot.committee.roots import CERTIFICATE, ROOTS
from keymoot.committee.seat_lists import BySeat
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SIGNATURE_BYTES
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.committee import MAX_SIZE

_TAG = b"keymoot/v1/founding-record"

MAX_RECORD_BYTES = 8_192
"""Longest record: 64 founders' signatures take half of it."""


class NotFounded(Refused, code="NOT_FOUNDED"):
    """The record is not of this network, or not all of its founders signed it."""


def _read_roots(item: rlp.Decoded) -> dict[str, bytes]:
    roots = {}
    for kind, encoded in zip(ROOTS, list_of(item, len(ROOTS), ""), strict=True):
        name, point = list_of(encoded, 2, "")
        if name != kind.name.encode():
            raise Malformed(f"the root {kind.name} stands here", kind.name)
        roots[kind.name] = bytes_of(point, kind.name, 96)
    return roots


def _write_roots(roots: Mapping[str, bytes]) -> rlp.Item:
    return [[kind.name.encode(), roots[kind.name]] for kind in ROOTS]


@dataclass(frozen=True, slots=True)
class FoundingRecord(Record):
    """What founders sign, and their signatures, as many as there are yet.

    Attributes:
        network: The network's id.
        height: The block after which all founders held the shares of these roots.
        block: Its hash.
        roots: The public key of every root by its name, encoded as its group does.
        signatures: Ed25519 by seat, each by the session key that the genesis lists.
    """

    MAX_BYTES = MAX_RECORD_BYTES

    network: NetworkId
    height: Height
    block: Hash32
    roots: Annotated[Mapping[str, bytes], Form(_read_roots, _write_roots)]
    signatures: BySeat[Annotated[bytes, AtMost(SIGNATURE_BYTES)]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse roots that are not ours, and points that are none (the identity is none)."""
        if self.roots.keys() != {kind.name for kind in ROOTS}:
            names = ", ".join([kind.name for kind in ROOTS])
            raise Malformed(f"a founding record names the roots {names}", "roots")
        for kind in ROOTS:
            kind.group.decode(self.roots[kind.name])
        if len(self.signatures) > MAX_SIZE:
            raise Malformed(f"a founding record has at most {MAX_SIZE} signatures", "signatures")
        if any(len(signature) != SIGNATURE_BYTES for signature in self.signatures.values()):
            raise Malformed(f"a signature has {SIGNATURE_BYTES} bytes", "signatures")

    @property
    def verifying_key(self) -> bytes:
        """The key under which every certificate of the network is verified: a point of G2."""
        return self.roots[CERTIFICATE]

    def digest(self) -> Hash32:
        return keccak256(_TAG + rlp.encode(self.item()[:-1]))

    def sign(self, session: Secret) -> bytes:
        """Sign with a session's signing key: once for each network, which is the caller's rule."""
        return ed25519.sign(session, self.digest())

    def signed(self, seat: int, signature: bytes) -> "FoundingRecord":
        """Give the record with one founder's signature more; `check` looks at it."""
        return replace(self, signatures={**self.signatures, seat: signature})

    def check(self, genesis: Genesis) -> None:
        """Raise unless all founders of the network signed these roots, and nobody else."""
        # 1. It is of this network.
        if self.network != genesis.network:
            raise NotFounded(
                f"the founding record is of network {self.network.hex0x}, "
                f"this is {genesis.network.hex0x}"
            )
        founders = genesis.founders()
        if not founders:
            raise Malformed("the genesis has no committee, so nobody founds it", "members")
        # 2. All founders signed, and nobody else.
        seats = range(1, len(founders) + 1)
        if self.signatures.keys() != set(seats):
            raise NotFounded(
                f"a founding record is signed by all {len(founders)} founders and nobody else, "
                f"this one by {len(self.signatures)} seats"
            )
        # 3. Each with the very start that the genesis lists: no earlier one made these shares.
        digest = self.digest()
        for seat, founder in zip(seats, founders, strict=True):
            if not ed25519.verify(founder.session.signing, digest, self.signatures[seat]):
                raise NotFounded(
                    f"the signature of seat {seat} is not by the session that the genesis lists"
                )
