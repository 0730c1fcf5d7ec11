"""The founding record: all founders say which roots they made, and in which block.

Until the roots exist nothing can be certified. So all founders, each with the session key that
the genesis lists for it, sign once which roots it holds its shares of; whoever knows the
network's id learns the verifying key from it. It counts as the certificate of its block.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, fixed_of, list_of, text_of, uint, uint_of
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.crypto.ed25519 import SIGNATURE_BYTES
from keymoot.crypto.keccak import keccak256
from keymoot.moot.genesis import Genesis
from keymoot.moot.roots import CERTIFICATE, ROOTS
from keymoot.threshold.committee import MAX_SIZE

_TAG = b"keymoot/v1/founding-record"

MAX_RECORD_BYTES = 8_192
"""Longest record: 64 founders' signatures take half of it."""


class NotFounded(Refused):
    """The record is not of this network, or not all of its founders signed it."""

    code = "NOT_FOUNDED"


@dataclass(frozen=True, slots=True)
class FoundingRecord:
    """What founders sign, and their signatures, as many as there are yet.

    Attributes:
        network: The network's id.
        height: The block after which all founders held the shares of these roots.
        block: Its hash.
        roots: The public key of every root by its name, encoded as its group does.
        signatures: Ed25519 by seat, each by the session key that the genesis lists.
    """

    network: NetworkId
    height: Height
    block: Hash32
    roots: Mapping[str, bytes]
    signatures: Mapping[int, bytes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse roots that are not ours, and points that are none (the identity is none).

        Raises:
            Malformed: any of these, or a signature of another length.
        """
        if self.roots.keys() != {kind.name for kind in ROOTS}:
            names = ", ".join([kind.name for kind in ROOTS])
            raise Malformed(f"a founding record names the roots {names}", "roots")
        for kind in ROOTS:
            kind.group.decode(self.roots[kind.name])
        if len(self.signatures) > MAX_SIZE:
            raise Malformed(f"a founding record has at most {MAX_SIZE} signatures", "signatures")
        if any(len(one) != SIGNATURE_BYTES for one in self.signatures.values()):
            raise Malformed(f"a signature has {SIGNATURE_BYTES} bytes", "signatures")

    @property
    def verifying_key(self) -> bytes:
        """The key under which every certificate of the network is verified: a point of G2."""
        return self.roots[CERTIFICATE]

    def digest(self) -> Hash32:
        """Give what each founder signs."""
        return keccak256(_TAG + rlp.encode(self._terms()))

    def sign(self, session: Secret) -> bytes:
        """Sign with a session's signing key: once for each network, which is the caller's rule."""
        return ed25519.sign(session, self.digest())

    def signed(self, seat: int, signature: bytes) -> "FoundingRecord":
        """Give the record with one founder's signature more; `check` looks at it."""
        return replace(self, signatures={**self.signatures, seat: signature})

    def encode(self) -> bytes:
        """Give the canonical bytes."""
        signatures: list[rlp.Item] = [
            [uint(seat), self.signatures[seat]] for seat in sorted(self.signatures)
        ]
        return rlp.encode([*self._terms(), signatures])

    @staticmethod
    def decode(raw: bytes) -> "FoundingRecord":
        """Read the canonical bytes.

        Raises:
            Malformed: not a founding record, or not written in the one way there is.
        """
        if len(raw) > MAX_RECORD_BYTES:
            raise Malformed(f"a founding record has at most {MAX_RECORD_BYTES} bytes", "record")
        network, height, block, roots, signatures = list_of(rlp.decode(raw), 5, "record")
        points = {}
        for item in list_of(roots, len(ROOTS), "roots"):
            name, point = list_of(item, 2, "roots")
            points[text_of(name, "root", 16)] = bytes_of(point, "root", 96)
        found = {}
        for item in list_of(signatures, None, "signatures"):
            seat, signature = list_of(item, 2, "signatures")
            found[uint_of(seat, "seat", 2)] = bytes_of(signature, "signature", SIGNATURE_BYTES)
        record = FoundingRecord(
            fixed_of(network, NetworkId, "network"),
            Height(uint_of(height, "height", 8)),
            fixed_of(block, Hash32, "block"),
            points,
            found,
        )
        if record.encode() != raw:
            raise Malformed("a founding record lists roots and seats once, in order", "record")
        return record

    def check(self, genesis: Genesis) -> None:
        """Raise unless all founders of the network signed these roots.

        Raises:
            NotFounded: another network, a founder's signature is missing or not good, or
                somebody else's stands here.
            Malformed: the genesis has no assembly.
        """
        # 1. It is of this network.
        if self.network != genesis.network:
            raise NotFounded(
                f"the founding record is of network {self.network.hex0x}, "
                f"this is {genesis.network.hex0x}"
            )
        founders = genesis.founders()
        if not founders:
            raise Malformed("the genesis has no assembly, so nobody founds it", "members")
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
            if not ed25519.verify(founder.boot.signing, digest, self.signatures[seat]):
                raise NotFounded(
                    f"the signature of seat {seat} is not by the session that the genesis lists"
                )

    def _terms(self) -> list[rlp.Item]:
        roots: rlp.Item = [[kind.name.encode(), self.roots[kind.name]] for kind in ROOTS]
        return [self.network, uint(self.height), self.block, roots]
