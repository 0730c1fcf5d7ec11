"""Each proof holds for its own statement, session and prover, and for nothing else."""

from dataclasses import replace

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.polynomial import masked
from keymoot.threshold.proofs import (
    PRODUCT_PROOF_BYTES,
    Product,
    ProductProof,
    Proof,
    prove_equality,
    prove_possession,
    verify_equality,
    verify_possession,
)
from keymoot.threshold.secp256k1 import SECP256K1
from keymoot.threshold.tally import Tally
from tests.threshold.parties import dice, session

ELSEWHERE = [
    session("another"),
    replace(session(), network=NetworkId(bytes(32))),
    replace(session(), generation=Hash32(bytes(32))),
]


@pytest.mark.parametrize("group", [SECP256K1, EDWARDS25519, G2], ids=lambda group: group.NAME)
class TestPossession:
    def test_holds(self, group):
        secret, nonce = dice().scalars(group, "s", 2)
        point = group.base(secret)
        proof = prove_possession(group, session(), 1, secret, point, nonce)
        assert verify_possession(group, session(), 1, point, proof)
        assert Proof.decode(group, proof.encode(group)) == proof

    def test_is_worth_nothing_elsewhere(self, group):
        secret, nonce = dice().scalars(group, "s", 2)
        point = group.base(secret)
        proof = prove_possession(group, session(), 1, secret, point, nonce)
        assert not verify_possession(group, session(), 2, point, proof)
        assert not verify_possession(group, session(), 1, group.generator, proof)
        for other in ELSEWHERE:
            assert not verify_possession(group, other, 1, point, proof)
        for changed in (
            replace(proof, answer=(proof.answer + 1) % group.ORDER),
            replace(proof, challenge=(proof.challenge + 1) % group.ORDER),
            Proof(0, 0),
        ):
            assert not verify_possession(group, session(), 1, point, changed)

    def test_nobody_proves_the_identity(self, group):
        assert not verify_possession(group, session(), 1, group.identity, Proof(0, 1))

    def test_refuses_other_lengths_and_large_scalars(self, group):
        for bad in (b"", bytes(63), bytes(65), b"\xff" * 64):
            with pytest.raises(Malformed):
                Proof.decode(group, bad)


class TestEquality:
    def test_holds_and_is_worth_nothing_elsewhere(self):
        secret, base_secret, nonce = dice().scalars(SECP256K1, "s", 3)
        base = SECP256K1.base(base_secret)
        points = (SECP256K1.base(secret), base, SECP256K1.multiply(secret, base))
        proof = prove_equality(session(), 3, secret, points, nonce)
        assert verify_equality(session(), 3, points, proof)
        assert not verify_equality(session(), 4, points, proof)
        for other in ELSEWHERE:
            assert not verify_equality(other, 3, points, proof)
        for place in range(3):
            changed = list(points)
            changed[place] = SECP256K1.add(points[place], SECP256K1.generator)
            assert not verify_equality(session(), 3, tuple(changed), proof)
            changed[place] = None
            assert not verify_equality(session(), 3, tuple(changed), proof)

    def test_a_wrong_shared_point_cannot_be_proved(self):
        secret, other, nonce = dice().scalars(SECP256K1, "s", 3)
        base = SECP256K1.base_public(99)
        points = (SECP256K1.base(secret), base, SECP256K1.multiply(other, base))
        proof = prove_equality(session(), 3, secret, points, nonce)
        assert not verify_equality(session(), 3, points, proof)


def product(wrong=0, prover=2, context=b"x", where=None):
    k, value, mask, d, a, b = dice().scalars(SECP256K1, "product", 6)
    result = SECP256K1.add_scalars((SECP256K1.multiply_scalars(k, value), SECP256K1.hide(wrong)))
    statement = Product(
        where or session(),
        prover,
        context,
        SECP256K1.base(k),
        masked(value, mask),
        masked(result, d),
    )
    rest = SECP256K1.add_scalars((d, SECP256K1.negate_scalar(SECP256K1.multiply_scalars(k, mask))))
    return statement, statement.prove(k, rest, (a, b))


def tallied(*claims):
    tally = Tally(dice())
    for statement, proof in claims:
        factor, other = statement.tally(proof, tally)
        tally.add(0, 0, ((factor, statement.factor), (other, statement.other)))
    return tally.holds()


class TestProduct:
    def test_holds(self):
        statement, proof = product()
        assert statement.verify(proof)
        assert len(proof.encode()) == PRODUCT_PROOF_BYTES
        assert ProductProof.decode(proof.encode()) == proof

    def test_another_product_cannot_be_proved(self):
        statement, proof = product(wrong=1)
        assert not statement.verify(proof)
        assert not tallied((statement, proof))

    def test_is_worth_nothing_elsewhere(self):
        statement, proof = product()
        others = [replace(statement, session=other) for other in ELSEWHERE]
        others += [replace(statement, prover=3), replace(statement, context=b"y")]
        for name in ("factor", "other", "product"):
            moved = SECP256K1.add(getattr(statement, name), SECP256K1.generator)
            others.append(replace(statement, **{name: moved}))
        for other in others:
            assert not other.verify(proof)
            assert not tallied((other, proof))

    def test_every_part_of_a_proof_counts(self):
        statement, proof = product()
        point = SECP256K1.encode(SECP256K1.base_public(5))
        for changed in (
            replace(proof, answer=proof.answer ^ 1),
            replace(proof, masked_answer=proof.masked_answer ^ 1),
            replace(proof, first=point),
            replace(proof, second=point),
        ):
            assert not statement.verify(changed)
            assert not tallied((statement, changed))
        assert not statement.verify(replace(proof, first=bytes(33)))

    def test_one_bad_among_many_fails_the_tally(self):
        good = [product() for _ in range(5)]
        assert tallied(*good)
        assert not tallied(*good, product(wrong=1))

    def test_two_errors_do_not_cancel(self):
        """A plain sum of two equations would let +1 and −1 through; weights do not."""
        one, other = product(), product()
        first = replace(one[1], answer=(one[1].answer + 1) % SECP256K1.ORDER)
        second = replace(other[1], answer=(other[1].answer - 1) % SECP256K1.ORDER)
        assert not tallied((one[0], first), (other[0], second))

    def test_refuses_other_lengths(self):
        for bad in (b"", bytes(129), bytes(131), b"\xff" * 130):
            with pytest.raises(Malformed):
                ProductProof.decode(bad)
