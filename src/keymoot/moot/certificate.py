"""Recovery: when too many restart at once, a new generation begins by certificate.

Its id is the hash of the certificate. Everything one-time carries the id, so entering a
generation wipes what came before: dealings, acknowledgements and requests that a recovery
undid cannot be replayed into it.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint, uint_of
from keymoot.base.fixed import Bytes32, Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.crypto.keccak import keccak256
from keymoot.moot.errors import NotSeated
from keymoot.moot.message import Kind, NodeMessage, is_message
from keymoot.moot.seat import Boot
from keymoot.threshold.committee import MAX_SIZE

_TAG = b"keymoot/v1/recovery"


@dataclass(frozen=True, slots=True)
class Certificate:
    """The terms of a new generation.

    Attributes:
        network: Which network.
        previous: The generation that it ends, so that no certificate serves twice.
        base: The height on which it builds; blocks above it belong to the new generation.
        block: Hash of that block.
        boots: New keys by seat.
    """

    network: NetworkId
    previous: Hash32
    base: Height
    block: Hash32
    boots: dict[int, Boot]

    def digest(self) -> Hash32:
        """Give the generation's id, which is also what is signed."""
        return keccak256(_TAG + rlp.encode(self._fields()))

    def _fields(self) -> list[rlp.Item]:
        boots: list[rlp.Item] = [[uint(at), self.boots[at].encode()] for at in sorted(self.boots)]
        return [self.network, self.previous, uint(self.base), self.block, boots]


@dataclass(frozen=True, slots=True)
class SignedCertificate:
    """A certificate with the signatures of seats' identities."""

    terms: Certificate
    signatures: dict[int, bytes]

    def encode(self) -> bytes:
        """Give the body of a recovery message."""
        signatures: list[rlp.Item] = [
            [uint(at), self.signatures[at]] for at in sorted(self.signatures)
        ]
        return rlp.encode([self.terms._fields(), signatures])

    @staticmethod
    def decode(raw: bytes) -> "SignedCertificate":
        """Read the body of a recovery message.

        Raises:
            Malformed: not a certificate.
        """
        terms, signatures = list_of(rlp.decode(raw), 2, "recovery")
        network, previous, base, block, boots = list_of(terms, 5, "terms")
        found = {}
        for pair in _bounded(boots, "boots"):
            seat, boot = list_of(pair, 2, "boots")
            found[uint_of(seat, "seat", 2)] = Boot.decode(boot)
        signed = {}
        for pair in _bounded(signatures, "signatures"):
            seat, signature = list_of(pair, 2, "signatures")
            signed[uint_of(seat, "seat", 2)] = bytes_of(signature, "signature", 64)
        certificate = SignedCertificate(
            Certificate(
                fixed_of(network, NetworkId, "network"),
                fixed_of(previous, Hash32, "previous"),
                Height(uint_of(base, "base", 8)),
                fixed_of(block, Hash32, "block"),
                found,
            ),
            signed,
        )
        # The id hashes the terms, so there is one way to write them.
        if certificate.encode() != raw:
            raise Malformed("a recovery lists seats once, in order")
        return certificate

    def check(self, identities: Mapping[int, Bytes32], needed: int) -> None:
        """Raise unless enough seats signed, and each one that it seats is among them.

        Whoever runs the machines can propose any keys as a seat's: only its own identity says
        with which ones it has started.

        Args:
            identities: Of all members, by seat.
            needed: How many have to sign.

        Raises:
            NotSeated: too few signed, or one is seated that did not.
        """
        signed = self.signers(identities)
        if len(signed) < needed:
            raise NotSeated(f"a recovery is signed by {needed} seats, this one by {len(signed)}")
        others = self.terms.boots.keys() - signed
        if others:
            raise NotSeated(f"a recovery seats who signs it: seat {min(others)} did not")

    def signers(self, identities: Mapping[int, Bytes32]) -> set[int]:
        """Give the seats whose signature is good."""
        digest = self.terms.digest()
        return {
            at
            for at, signature in self.signatures.items()
            if at in identities and ed25519.verify(identities[at], digest, signature)
        }


def terms_in(raw: bytes) -> Certificate | None:
    """Give the terms of a recovery order; None for any other transaction. Nothing is checked."""
    if not is_message(raw):
        return None
    try:
        message = NodeMessage.decode(raw)
        if message.kind is Kind.RECOVER:
            return SignedCertificate.decode(message.body).terms
    except Malformed:
        pass
    return None


def _bounded(item: rlp.Decoded, path: str) -> list[rlp.Decoded]:
    found = list_of(item, None, path)
    if len(found) > MAX_SIZE:
        raise Malformed(f"at most {MAX_SIZE} seats", path)
    return found
