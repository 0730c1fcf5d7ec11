"""The proof of a batch's products, alone and in a batch."""

from dataclasses import replace

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.threshold.batch_verifier import BatchVerifier
from keymoot.threshold.multi_scalar import weighted_sum
from keymoot.threshold.polynomial import masked
from keymoot.threshold.products import EACH_BYTES, ONCE_BYTES, Products, ProductsProof, Witness
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1
from tests.threshold.parties import rng, session

SIZE = 3

ELSEWHERE = [
    session("another"),
    replace(session(), network=NetworkId(bytes(32))),
    replace(session(), generation=Hash32(bytes(32))),
]


class Claim:
    """One dealer's statement with everything that he and the others know."""

    def __init__(self, prover=2, wrong=()):
        """Make it; `wrong` has places (presignature, product) where one is added to a product."""
        key, *drawn = rng().scalars(SECP256K1, "products", 1 + 5 * SIZE)
        self.key, self.nonces, self.others, self.known, products = key, [], [], [], []
        for at in range(SIZE):
            nonce, value, mask, *masks = drawn[5 * at : 5 * at + 5]
            pair = []
            for part, factor in enumerate((nonce, key)):
                one = SECP256K1.hide((at, part) in wrong)
                product = SECP256K1.multiply_scalars(factor, value)
                pair.append(masked(SECP256K1.add_scalars((product, one)), masks[part]))
            products.append(tuple(pair))
            self.nonces.append(SECP256K1.base(nonce))
            self.others.append(masked(value, mask))
            self.known.append(Witness(nonce, value, mask, *masks))
        self.statement = Products(session(), prover, b"t" * 64, SECP256K1.base(key), products)
        self.proof = self.prove(self.statement)

    def prove(self, statement):
        coins = rng().scalars(SECP256K1, "coins", SIZE + 2)
        return statement.prove(self.key, self.known, coins)

    def holds(self, statement=None, proof=None):
        """The proof alone and the proof in a batch agree."""
        statement, proof = statement or self.statement, proof or self.proof
        alone = statement.verify(proof, self.nonces, self.others)
        assert tallied((self, statement, proof)) == alone
        return alone


def tallied(*claims):
    verifier = BatchVerifier(rng())
    weights = [verifier.weight() for _ in range(SIZE)]
    for claim, statement, proof in claims:
        nonce, others = statement.verifier(proof, verifier, weights)
        total = weighted_sum(zip(weights, claim.nonces, strict=True))
        verifier.add_point(nonce % SECP256K1.ORDER, total)
        for factor, point in zip(others, claim.others, strict=True):
            verifier.add_point(factor % SECP256K1.ORDER, point)
    return verifier.holds()


def test_holds_and_survives_its_encoding():
    claim = Claim()
    assert claim.holds()
    raw = claim.proof.encode()
    assert len(raw) == SIZE * EACH_BYTES + ONCE_BYTES
    assert ProductsProof.decode(raw) == claim.proof


@pytest.mark.parametrize("at", range(SIZE))
@pytest.mark.parametrize("part", [0, 1])
def test_another_product_cannot_be_proved(at, part):
    assert not Claim(wrong={(at, part)}).holds()


def test_errors_that_cancel_in_a_plain_sum_are_found():
    class Pair(Claim):
        def __init__(self):
            super().__init__()
            products = [list(pair) for pair in self.statement.products]
            products[0][0] = SECP256K1.add(products[0][0], SECP256K1.generator)
            products[1][0] = SECP256K1.add(products[1][0], SECP256K1.negate(SECP256K1.generator))
            self.statement = replace(self.statement, products=products)
            self.proof = self.prove(self.statement)

    assert not Pair().holds()


def test_the_mix_is_of_the_whole_statement():
    """A dealer who could choose a product after he knows the mix could cheat."""
    claim = Claim()
    seen = {tuple(claim.statement.mix)}
    others = [replace(claim.statement, session=one) for one in ELSEWHERE]
    others += [replace(claim.statement, prover=3), replace(claim.statement, transcript=bytes(64))]
    others.append(replace(claim.statement, key=SECP256K1.generator))
    for at in range(SIZE):
        for part in (0, 1):
            products = [list(pair) for pair in claim.statement.products]
            products[at][part] = SECP256K1.generator
            others.append(replace(claim.statement, products=products))
    for other in others:
        seen.add(tuple(other.mix))
        assert not claim.holds(other)
    assert len(seen) == 1 + len(others)
    flat = [one for pair in claim.statement.mix for one in pair]
    assert len(set(flat)) == 2 * SIZE
    assert max(flat).bit_length() > 110


def test_the_challenge_is_of_every_commitment():
    claim = Claim()
    point = SECP256K1.encode_wide(SECP256K1.base_public(5))
    changed = [replace(claim.proof, key=point), replace(claim.proof, cross=point)]
    for at in range(SIZE):
        nonces = list(claim.proof.nonces)
        nonces[at] = point
        changed.append(replace(claim.proof, nonces=tuple(nonces)))
    for proof in changed:
        assert not claim.holds(proof=proof)


def test_a_proof_that_was_made_from_its_answers_is_refused():
    """Whoever knows the challenge first can make commitments that fit: a wrong product too."""
    claim = Claim(wrong={(0, 0), (2, 1)})
    group, statement = SECP256K1, claim.statement
    c = statement._challenge((*claim.proof.nonces, claim.proof.key, claim.proof.cross))
    *answers, key, mask = (group.open(one) for one in rng().scalars(group, "z", SIZE + 2))

    def commitment(answer, point):
        return group.encode_wide(group.combine_public(answer, group.ORDER - c, point))

    terms = [(-c, statement._mixed()), (mask, SECOND_GENERATOR)]
    for (u, v), answer, other in zip(statement.mix, answers, claim.others, strict=True):
        terms.append((u * answer + v * key, other))
    forged = ProductsProof(
        tuple(map(commitment, answers, claim.nonces)),
        commitment(key, statement.key),
        group.encode_wide(weighted_sum(terms)),
        tuple(answers),
        key,
        mask,
    )
    assert not claim.holds(proof=forged)


def test_every_answer_counts():
    claim = Claim()
    proof = claim.proof
    changed = [
        replace(proof, key_answer=proof.key_answer ^ 1),
        replace(proof, mask_answer=proof.mask_answer ^ 1),
    ]
    for at in range(SIZE):
        answers = list(proof.nonce_answers)
        answers[at] ^= 1
        changed.append(replace(proof, nonce_answers=tuple(answers)))
    for one in changed:
        assert not claim.holds(proof=one)


def test_other_nonces_and_other_blinders_are_refused():
    claim = Claim()
    for points in (claim.nonces, claim.others):
        for at in range(SIZE):
            honest = points[at]
            points[at] = SECP256K1.add(honest, SECP256K1.generator)
            assert not claim.holds()
            points[at] = honest
    assert claim.holds()


def test_one_bad_among_many_fails_the_verifier():
    good = [Claim(prover) for prover in (1, 2, 3)]
    assert tallied(*[(one, one.statement, one.proof) for one in good])
    bad = [*good, Claim(4, wrong={(1, 1)})]
    assert not tallied(*[(one, one.statement, one.proof) for one in bad])


def test_points_that_are_none_are_refused():
    claim = Claim()
    key = claim.proof.key
    # The last byte is another one, whatever it was.
    for bad in (bytes(65), b"\6" + key[1:], key[:-1] + bytes((key[-1] ^ 1,))):
        proof = replace(claim.proof, key=bad)
        assert not claim.statement.verify(proof, claim.nonces, claim.others)
        with pytest.raises(Malformed):
            claim.statement.verifier(proof, BatchVerifier(rng()), [1] * SIZE)


def test_refuses_other_lengths():
    raw = Claim().proof.encode()
    for bad in (b"", raw[:-1], raw + b"\0", raw[:ONCE_BYTES], b"\xff" * len(raw)):
        with pytest.raises(Malformed):
            ProductsProof.decode(bad)
