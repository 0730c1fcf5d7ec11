"""Proofs of knowledge: of one logarithm, of two equal ones, of a product.

Sigma protocols made non-interactive by a hash over the whole statement, the session and
the prover (Fiat–Shamir). A proof is its challenge and its answers, so the verifier makes
the commitments anew and compares the challenge.
"""

from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.threshold.group import SCALAR_BYTES, Group, P
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1, Point
from keymoot.threshold.session import Session, challenge, index_bytes
from keymoot.threshold.tally import Tally

PROOF_BYTES = 2 * SCALAR_BYTES
PRODUCT_PROOF_BYTES = 2 * SECP256K1.POINT_BYTES + 2 * SCALAR_BYTES


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge and one answer: 64 bytes."""

    challenge: int
    answer: int

    def encode(self, group: Group[P]) -> bytes:
        """Give 64 bytes."""
        return group.encode_scalar(self.challenge) + group.encode_scalar(self.answer)

    @staticmethod
    def decode(group: Group[P], data: bytes) -> "Proof":
        """Read 64 bytes.

        Raises:
            Malformed: another length, or no scalars.
        """
        if len(data) != PROOF_BYTES:
            raise Malformed(f"a proof has {PROOF_BYTES} bytes, got {len(data)}")
        return Proof(
            group.decode_scalar(data[:SCALAR_BYTES]), group.decode_scalar(data[SCALAR_BYTES:])
        )


def prove_possession(
    group: Group[P], session: Session, prover: int, secret: Secret, point: P, nonce: Secret
) -> Proof:
    """Prove to know `secret` with point = secret·G (Schnorr).

    Args:
        group: Where.
        session: What the proof is for; it is worth nothing elsewhere.
        prover: Index of who proves; the proof is worth nothing in another's name.
        secret: The logarithm.
        point: Its point.
        nonce: A fresh secret scalar.
    """
    c = _possession_challenge(group, session, prover, point, group.base(nonce))
    return Proof(c, group.open(group.add_scalars((nonce, group.scale(c, secret)))))


def verify_possession(
    group: Group[P], session: Session, prover: int, point: P, proof: Proof
) -> bool:
    """Check a proof of possession."""
    commitment = group.combine_public(proof.answer, group.ORDER - proof.challenge, point)
    if group.is_identity(commitment) or group.is_identity(point):
        return False
    return _possession_challenge(group, session, prover, point, commitment) == proof.challenge


def _possession_challenge(
    group: Group[P], session: Session, prover: int, point: P, commitment: P
) -> int:
    parts = (index_bytes(prover), group.encode(point), group.encode(commitment))
    return challenge(group, "possession", session, *parts)


def prove_equality(
    session: Session, prover: int, secret: Secret, points: tuple[Point, Point, Point], nonce: Secret
) -> Proof:
    """Prove that public = secret·G and shared = secret·base (Chaum–Pedersen), on secp256k1.

    Args:
        session: What the proof is for.
        prover: Index of who proves.
        secret: The common logarithm.
        points: `public`, `base`, `shared`.
        nonce: A fresh secret scalar.
    """
    group = SECP256K1
    commitments = (group.base(nonce), group.multiply(nonce, points[1]))
    c = _equality_challenge(session, prover, points, commitments)
    return Proof(c, group.open(group.add_scalars((nonce, group.scale(c, secret)))))


def verify_equality(
    session: Session, prover: int, points: tuple[Point, Point, Point], proof: Proof
) -> bool:
    """Check a proof of equality."""
    group = SECP256K1
    public, base, shared = points
    back = group.ORDER - proof.challenge
    first = group.combine_public(proof.answer, back, public)
    second = group.add(
        group.multiply_public(proof.answer, base), group.multiply_public(back, shared)
    )
    if any(group.is_identity(point) for point in (*points, first, second)):
        return False
    return _equality_challenge(session, prover, points, (first, second)) == proof.challenge


def _equality_challenge(
    session: Session, prover: int, points: tuple[Point, ...], commitments: tuple[Point, ...]
) -> int:
    encoded = [SECP256K1.encode(point) for point in (*points, *commitments)]
    return challenge(SECP256K1, "equality", session, index_bytes(prover), *encoded)


@dataclass(frozen=True, slots=True)
class ProductProof:
    """Two commitments and two answers: 130 bytes.

    It carries its commitments, not its challenge, so that many proofs can be checked at
    once (`tally`).
    """

    first: bytes
    second: bytes
    answer: int
    masked_answer: int

    def encode(self) -> bytes:
        """Give 130 bytes."""
        numbers = (self.answer, self.masked_answer)
        return b"".join(
            [self.first, self.second, *(number.to_bytes(SCALAR_BYTES, "big") for number in numbers)]
        )

    @staticmethod
    def decode(data: bytes) -> "ProductProof":
        """Read 130 bytes; the points are decoded by who checks.

        Raises:
            Malformed: another length, or no scalars.
        """
        if len(data) != PRODUCT_PROOF_BYTES:
            raise Malformed(f"a product proof has {PRODUCT_PROOF_BYTES} bytes, got {len(data)}")
        points = SECP256K1.POINT_BYTES
        return ProductProof(
            data[:points],
            data[points : 2 * points],
            SECP256K1.decode_scalar(data[2 * points : 2 * points + SCALAR_BYTES]),
            SECP256K1.decode_scalar(data[2 * points + SCALAR_BYTES :]),
        )


@dataclass(frozen=True, slots=True)
class Product:
    """The statement that one commitment holds the product of what two others hold.

    K = k·G, L = l·G + l'·H and D = k·l·G + d'·H. The prover knows k and d'−k·l', for
    K = k·G and D = k·L + (d'−k·l')·H (specs/threshold.md section 2.2).

    Attributes:
        session: What the proof is for.
        prover: Index of who proves.
        context: Which product of the session this is.
        factor: K.
        other: L.
        product: D.
    """

    session: Session
    prover: int
    context: bytes
    factor: Point
    other: Point
    product: Point

    def prove(self, factor: Secret, mask: Secret, nonces: tuple[Secret, Secret]) -> ProductProof:
        """Prove it.

        Args:
            factor: k.
            mask: d' − k·l'.
            nonces: Two fresh secret scalars.
        """
        group = SECP256K1
        a, b = nonces
        first = group.base(a)
        second = group.sum((group.multiply(a, self.other), group.multiply(b, SECOND_GENERATOR)))
        encoded = group.encode(first), group.encode(second)
        c = self.challenge(*encoded)
        return ProductProof(
            *encoded,
            group.open(group.add_scalars((a, group.scale(c, factor)))),
            group.open(group.add_scalars((b, group.scale(c, mask)))),
        )

    def challenge(self, first: bytes, second: bytes) -> int:
        """Give the challenge to two commitments."""
        points = [SECP256K1.encode(one) for one in (self.factor, self.other, self.product)]
        prover = index_bytes(self.prover)
        parts = (prover, self.context, *points, first, second)
        return challenge(SECP256K1, "product", self.session, *parts)

    def verify(self, proof: ProductProof) -> bool:
        """Check a proof alone."""
        group = SECP256K1
        c = self.challenge(proof.first, proof.second)
        try:
            first, second = group.decode(proof.first), group.decode(proof.second)
        except Malformed:
            return False
        back = group.ORDER - c
        left = group.combine_public(proof.answer, back, self.factor)
        right = group.sum(
            (
                group.multiply_public(proof.answer, self.other),
                group.multiply_public(proof.masked_answer, SECOND_GENERATOR),
                group.multiply_public(back, self.product),
            )
        )
        return group.equal(left, first) and group.equal(right, second)

    def tally(self, proof: ProductProof, tally: Tally) -> tuple[int, int]:
        """Add the proof's two equations to a tally, but for their terms over K and L.

        Those two points come again in other proofs. Gives the factors of K and of L.

        Raises:
            BadPoint: a commitment of the proof is no point.
        """
        group = SECP256K1
        c = self.challenge(proof.first, proof.second)
        one, two = tally.weight(), tally.weight()
        terms = ((-two * c, self.product),)
        tally.add(one * proof.answer, two * proof.masked_answer, terms)
        tally.subtract(one, group.decode(proof.first))
        tally.subtract(two, group.decode(proof.second))
        return -one * c, two * proof.answer
