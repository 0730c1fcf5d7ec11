"""Proofs of knowledge: of one logarithm, and of two equal ones.

Sigma protocols made non-interactive by a hash over the whole statement, the session and
the prover (Fiat–Shamir). A proof is its challenge and its answers, so the verifier makes
the commitments anew and compares the challenge.
"""

from dataclasses import dataclass

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.threshold.group import SCALAR_BYTES, Group, P
from keymoot.threshold.secp256k1 import SECP256K1, Point
from keymoot.threshold.session import Session, challenge, index_bytes

PROOF_BYTES = 2 * SCALAR_BYTES


@dataclass(frozen=True, slots=True)
class Proof:
    """A challenge and one answer: 64 bytes."""

    challenge: int
    answer: int

    def encode(self, group: Group[P]) -> bytes:
        return group.encode_scalar(self.challenge) + group.encode_scalar(self.answer)

    @staticmethod
    def decode(group: Group[P], data: bytes) -> "Proof":
        if len(data) != PROOF_BYTES:
            raise Malformed(f"a proof has {PROOF_BYTES} bytes, got {len(data)}")
        return Proof(
            group.decode_scalar(data[:SCALAR_BYTES]), group.decode_scalar(data[SCALAR_BYTES:])
        )


def prove_possession(
    group: Group[P], session: Session, prover: int, secret: Secret, point: P, nonce: Secret
) -> Proof:
    """Prove to know `secret` with point = secret·G (Schnorr), with a fresh nonce.

    It is worth nothing in another session, or in another prover's name.
    """
    c = _possession_challenge(group, session, prover, point, group.base(nonce))
    return Proof(c, group.open(group.add_scalars((nonce, group.scale(c, secret)))))


def verify_possession(
    group: Group[P], session: Session, prover: int, point: P, proof: Proof
) -> bool:
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

    `points` are `public`, `base`, `shared`; the nonce is a fresh secret scalar.
    """
    group = SECP256K1
    commitments = (group.base(nonce), group.multiply(nonce, points[1]))
    c = _equality_challenge(session, prover, points, commitments)
    return Proof(c, group.open(group.add_scalars((nonce, group.scale(c, secret)))))


def verify_equality(
    session: Session, prover: int, points: tuple[Point, Point, Point], proof: Proof
) -> bool:
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
