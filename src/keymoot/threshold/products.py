"""One proof for all products of a dealer's batch.

Of each presignature the dealer has K = k·G and L = l·G + l'·H from the first round, and of
the epoch X = x·G. He commits to two products, N = k·l·G + n'·H and M = x·l·G + m'·H, which
is to say N = k·L + (n'−k·l')·H and M = x·L + (m'−x·l')·H. He proves that he knows all k, x
and the masks, in these steps:

1. A hash over the whole statement gives two weights u, v of 128 bits for each presignature.
   With P = Σ (u·N + v·M), the statement becomes P = Σ (u·k + v·x)·L + r·H: whoever
   committed to something else than a product passes for one value of the hash in 2**128.
2. A sigma protocol for the map (k…, x, r) → (K…, X, P): the dealer commits to random
   (a…, b, e) by A = a·G, B = b·G and E = Σ (u·a + v·b)·L + e·H; a hash over these and the
   statement gives the challenge c; he answers a + c·k, b + c·x and e + c·r.

From enough answers to other challenges and weights all k, x and masks can be computed, so
a convincing prover knows them (Gennaro, Leigh, Sundaram, Yerazunis, "Batching Schnorr
identification", 2004, for the weights).
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.threshold.batch_verifier import BatchVerifier
from keymoot.threshold.group import SCALAR_BYTES
from keymoot.threshold.multi_scalar import weighted_sum
from keymoot.threshold.polynomial import masked
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1, Point
from keymoot.threshold.session import Session, challenge, digest, index_bytes

GROUP = SECP256K1
_POINT = GROUP.WIDE_POINT_BYTES

MIX_BYTES = 16
"""Length of the weights u and v: a dealer can try hashes at home, so 64 bits would not do."""

EACH_BYTES = _POINT + SCALAR_BYTES
"""What a proof has for each presignature: A and its answer."""
ONCE_BYTES = 2 * _POINT + 2 * SCALAR_BYTES
"""What a proof has once: B, E and their answers."""


@dataclass(frozen=True, slots=True)
class ProductsProof:
    """Commitments A…, B, E and answers a…, b, e, for a batch of any size."""

    nonces: tuple[bytes, ...]
    key: bytes
    cross: bytes
    nonce_answers: tuple[int, ...]
    key_answer: int
    mask_answer: int

    def encode(self) -> bytes:
        answers = (*self.nonce_answers, self.key_answer, self.mask_answer)
        points = (*self.nonces, self.key, self.cross)
        return b"".join(points) + b"".join([GROUP.encode_scalar(answer) for answer in answers])

    @staticmethod
    def decode(data: bytes) -> "ProductsProof":
        """Read a proof; its points are decoded by who checks."""
        size, rest = divmod(len(data) - ONCE_BYTES, EACH_BYTES)
        if size < 1 or rest:
            raise Malformed(f"no proof of products has {len(data)} bytes")
        middle = (size + 2) * _POINT
        *nonces, key, cross = (data[at : at + _POINT] for at in range(0, middle, _POINT))
        *nonce_answers, key_answer, mask_answer = (
            GROUP.decode_scalar(data[at : at + SCALAR_BYTES])
            for at in range(middle, len(data), SCALAR_BYTES)
        )
        return ProductsProof(
            tuple(nonces), key, cross, tuple(nonce_answers), key_answer, mask_answer
        )


@dataclass(frozen=True, slots=True)
class Witness:
    """What a dealer knows of one presignature: k, l, l', and the masks n' and m'."""

    nonce: Secret
    value: Secret
    mask: Secret
    nonce_mask: Secret
    key_mask: Secret


@dataclass(frozen=True)
class Products:
    """The statement.

    Attributes:
        prover: Index of who proves.
        transcript: Hash of the first round, which fixes every K and L.
        key: X.
        products: N and M of each presignature.
    """

    session: Session
    prover: int
    transcript: bytes
    key: Point
    products: Sequence[tuple[Point, Point]]

    @cached_property
    def _bytes(self) -> bytes:
        points = GROUP.encode_all([self.key, *(point for pair in self.products for point in pair)])
        return digest("products", self.session, index_bytes(self.prover), self.transcript, points)

    @cached_property
    def mix(self) -> list[tuple[int, int]]:
        """Of each presignature, u and v."""
        stream = hashlib.shake_256(self._bytes).digest(2 * MIX_BYTES * len(self.products))
        numbers = [
            int.from_bytes(stream[at : at + MIX_BYTES], "big")
            for at in range(0, len(stream), MIX_BYTES)
        ]
        return list(zip(numbers[::2], numbers[1::2], strict=True))

    def _challenge(self, points: Sequence[bytes]) -> int:
        return challenge(GROUP, "products/challenge", self.session, self._bytes, b"".join(points))

    def prove(
        self, key: Secret, known: Sequence[Witness], coins: Sequence[Secret]
    ) -> ProductsProof:
        """Prove it, with x and as many fresh secret scalars as there are presignatures, and two."""
        *nonces, b, e = coins
        crosses, rests = [], []
        for (u, v), opening, a in zip(self.mix, known, nonces, strict=True):
            both = GROUP.hide(u), GROUP.hide(v)
            crosses.append(GROUP.weigh(both, (a, b)))
            # r is what is left of the masks of N and M beside u·k + v·x times the mask of L.
            whole = GROUP.negate_scalar(GROUP.weigh(both, (opening.nonce, key)))
            rests.append(
                GROUP.weigh((*both, whole), (opening.nonce_mask, opening.key_mask, opening.mask))
            )
        mask = GROUP.weigh(crosses, [opening.mask for opening in known])
        cross = masked(
            GROUP.weigh(crosses, [opening.value for opening in known]), GROUP.add_scalars((mask, e))
        )
        points = [GROUP.encode_wide(point) for point in (*map(GROUP.base, nonces), GROUP.base(b))]
        points.append(GROUP.encode_wide(cross))
        factor = GROUP.hide(self._challenge(points))

        def answer(coin: Secret, secret: Secret) -> int:
            return GROUP.open(GROUP.add_scalars((coin, GROUP.multiply_scalars(factor, secret))))

        return ProductsProof(
            tuple(points[:-2]),
            points[-2],
            points[-1],
            tuple(answer(a, opening.nonce) for a, opening in zip(nonces, known, strict=True)),
            answer(b, key),
            answer(e, GROUP.add_scalars(rests)),
        )

    def verify(
        self, proof: ProductsProof, nonces: Sequence[Point], others: Sequence[Point]
    ) -> bool:
        """Check a proof alone, each equation by itself and without randomness: everyone agrees.

        Each presignature has its K in `nonces` and its L in `others`.
        """
        c, order = self._challenge((*proof.nonces, proof.key, proof.cross)), GROUP.ORDER
        try:
            *first, key, cross = map(GROUP.decode_wide, (*proof.nonces, proof.key, proof.cross))
        except Malformed:
            return False
        claims = zip((*nonces, self.key), (*proof.nonce_answers, proof.key_answer), strict=True)
        for (point, answer), commitment in zip(claims, (*first, key), strict=True):
            # 1. Each K, and X: answer·G = A + c·K.
            if not GROUP.equal(GROUP.combine_public(answer, order - c, point), commitment):
                return False
        # 2. P: Σ (u·answer + v·answer of x)·L + answer·H = E + c·P.
        terms = [
            ((u * answer + v * proof.key_answer) % order, other)
            for (u, v), answer, other in zip(self.mix, proof.nonce_answers, others, strict=True)
        ]
        left = weighted_sum([*terms, (proof.mask_answer, SECOND_GENERATOR)])
        right = GROUP.sum((cross, GROUP.multiply_public(c, self._mixed())))
        return GROUP.equal(left, right)

    def verifier(
        self, proof: ProductsProof, verifier: BatchVerifier, weights: Sequence[int]
    ) -> tuple[int, list[int]]:
        """Add the proof's equations to a batch verifier, but for their terms over K and L.

        Those points come again in others' proofs. Gives the factor of Σ weight·K, and the
        factor of each L. A weight for each presignature is drawn from the verifier, the same for
        all provers.
        """
        c = self._challenge((*proof.nonces, proof.key, proof.cross))
        # 1. All K: Σ weight·A + c·Σ weight·K = Σ weight·answer·G, under this prover's weight.
        own = verifier.long_weight()
        nonces = map(GROUP.decode_wide, proof.nonces)
        verifier.add_point(own, weighted_sum(zip(weights, nonces, strict=True)))
        answers = zip(weights, proof.nonce_answers, strict=True)
        verifier.add_base(own * sum(weight * answer for weight, answer in answers))
        nonce_factor = own * c
        # 2. X: B + c·X = answer·G.
        weight = verifier.weight()
        verifier.add_point(weight, GROUP.decode_wide(proof.key))
        verifier.add_point(weight * c % GROUP.ORDER, self.key)
        verifier.add_base(weight * proof.key_answer)
        # 3. P: E + c·P − Σ (u·answer + v·answer of x)·L = answer·H.
        weight = verifier.weight()
        verifier.add_point(weight, GROUP.decode_wide(proof.cross))
        verifier.add_point(weight * c % GROUP.ORDER, self._mixed())
        verifier.add_base(0, weight * proof.mask_answer)
        other_factors = [
            -weight * (u * answer + v * proof.key_answer)
            for (u, v), answer in zip(self.mix, proof.nonce_answers, strict=True)
        ]
        return nonce_factor, other_factors

    def _mixed(self) -> Point:
        pairs = zip(self.mix, self.products, strict=True)
        return weighted_sum([term for mix, pair in pairs for term in zip(mix, pair, strict=True)])
