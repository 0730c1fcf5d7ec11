"""Each proof holds for its own statement, session and prover, and for nothing else."""

from dataclasses import replace

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.threshold.bls12381 import G2
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.proofs import (
    Proof,
    prove_equality,
    prove_possession,
    verify_equality,
    verify_possession,
)
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.parties import rng, session

ELSEWHERE = [
    session("another"),
    replace(session(), network=NetworkId(bytes(32))),
    replace(session(), generation=Hash32(bytes(32))),
]


@pytest.mark.parametrize("group", [SECP256K1, EDWARDS25519, G2], ids=lambda group: group.NAME)
class TestPossession:
    def test_holds(self, group):
        secret, nonce = rng().scalars(group, "s", 2)
        point = group.base(secret)
        proof = prove_possession(group, session(), 1, secret, point, nonce)
        assert verify_possession(group, session(), 1, point, proof)
        assert Proof.decode(group, proof.encode(group)) == proof

    def test_is_worth_nothing_elsewhere(self, group):
        secret, nonce = rng().scalars(group, "s", 2)
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
        secret, base_secret, nonce = rng().scalars(SECP256K1, "s", 3)
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
        secret, other, nonce = rng().scalars(SECP256K1, "s", 3)
        base = SECP256K1.base_public(99)
        points = (SECP256K1.base(secret), base, SECP256K1.multiply(other, base))
        proof = prove_equality(session(), 3, secret, points, nonce)
        assert not verify_equality(session(), 3, points, proof)
