"""Attacks on presignatures: they work where a rule is left out, and only there."""

import pytest

from keymoot.base.fixed import Hash32
from keymoot.threshold import derivation, ecdsa
from keymoot.threshold.errors import TooFew
from keymoot.threshold.secp256k1 import SECP256K1
from tests.threshold.test_ecdsa import DIGEST, Wallet, keccak256

Q = SECP256K1.ORDER


def signed(wallet, work, at=0):
    signature, _ = ecdsa.combine(work, wallet.shares(work, at), 1)
    return signature


def raw_s(wallet, work, at=0):
    """s before it is made low, as an attacker tries both signs."""
    s = int.from_bytes(signed(wallet, work, at)[32:64], "big")
    return s, Q - s


class TestOnePresignatureTwice:
    """Two signatures of one presignature, under different known δ, give the root away."""

    def test_breaks_the_root(self):
        wallet = Wallet(4, 1)
        one = wallet.task(beacon=b"first")
        two = wallet.task(digest=keccak256(b"another"), beacon=b"second")
        h1, h2 = (int.from_bytes(work.digest, "big") % Q for work in (one, two))
        root = SECP256K1.open(wallet.key)
        found = set()
        for s1 in raw_s(wallet, one):
            for s2 in raw_s(wallet, two):
                # s·(k + δ) = h + r·y for both: two equations in k and y
                bottom = (s1 * two.r - s2 * one.r) % Q
                top = ((h1 - s1 * one.delta) * two.r - (h2 - s2 * two.delta) * one.r) % Q
                k = top * pow(bottom, -1, Q) % Q
                y = (s1 * (k + one.delta) - h1) * pow(one.r, -1, Q) % Q
                found.add((y - wallet.epsilon) % Q)
        assert root in found


class TestAnotherWalletsSignature:
    """With R known before the request, a signature on h under ε is one on h + r(ε−ε*) under ε*."""

    def attack(self, wallet, known_r):
        victim = derivation.tweak(wallet.root, wallet.run.batch.session.network, b"victim")
        victim_key = derivation.child(wallet.root, victim)
        target = int.from_bytes(keccak256(b"pay the attacker"), "big") % Q
        # the attacker asks for this digest on his own wallet
        asked = (target + known_r * (victim - wallet.epsilon)) % Q
        return victim_key, Hash32(target.to_bytes(32, "big")), Hash32(asked.to_bytes(32, "big"))

    def test_works_without_rerandomisation(self):
        wallet = Wallet(4, 1)
        point = wallet.parts[1][0].point
        delta = 1  # any δ that is known beforehand
        known_r = SECP256K1.x(SECP256K1.add(point, SECP256K1.generator))
        victim_key, target, asked = self.attack(wallet, known_r)
        work = ecdsa.task(point, delta, asked, wallet.epsilon, wallet.public)
        signature = signed(wallet, work)
        assert SECP256K1.verify_ecdsa(victim_key, target, signature[:64])

    def test_fails_when_the_beacon_comes_after_the_request(self):
        wallet = Wallet(4, 1)
        point = wallet.parts[1][0].point
        guesses = [SECP256K1.x(point), SECP256K1.x(SECP256K1.add(point, SECP256K1.generator))]
        for known_r in guesses:
            victim_key, target, asked = self.attack(wallet, known_r)
            work = wallet.task(digest=asked, beacon=b"not known when the request was fixed")
            signature = signed(wallet, work)
            assert SECP256K1.verify_ecdsa(wallet.public, asked, signature[:64])
            assert not SECP256K1.verify_ecdsa(victim_key, target, signature[:64])


class TestSplitView:
    """Two quorums of one presignature are told different requests; each answers once."""

    def test_degree_plus_one_holders_each_would_sign_both(self):
        wallet = Wallet(4, 1)
        one = wallet.task(beacon=b"first")
        two = wallet.task(digest=keccak256(b"another"), beacon=b"second")
        first = {at: ecdsa.sign(wallet.parts[at][0], one) for at in (1, 2)}
        second = {at: ecdsa.sign(wallet.parts[at][0], two) for at in (3, 4)}
        # so the binding has to come from consensus: both halves make valid signatures,
        # and TestOnePresignatureTwice shows what that costs
        assert ecdsa.combine(one, first, 1)[0] != ecdsa.combine(two, second, 1)[0]

    def test_the_beacon_leaves_one_of_them_without_an_answer(self):
        """δ is a hash of the one beacon value there is, over what the block has bound."""
        wallet = Wallet(4, 1)
        point = wallet.parts[1][0].point
        bound = ecdsa.rerandomiser(b"the one value", point, b"request 1", DIGEST)
        other = ecdsa.rerandomiser(b"the one value", point, b"request 2", keccak256(b"x"))
        assert bound != other
        work = ecdsa.task(point, bound, DIGEST, wallet.epsilon, wallet.public)
        lie = ecdsa.task(point, other, keccak256(b"x"), wallet.epsilon, wallet.public)
        shares = {1: ecdsa.sign(wallet.parts[1][0], work), 2: ecdsa.sign(wallet.parts[2][0], lie)}
        with pytest.raises(TooFew):
            ecdsa.combine(work, shares, 1)


def test_a_digest_of_zero_would_be_forgeable_by_anyone():
    """With h = 0, (r, s) for s = r·u⁻¹ verifies for R = u·Y... so zero is never signed."""
    public = SECP256K1.base_public(12345)
    u = 777
    r = SECP256K1.x(SECP256K1.multiply_public(u, public))
    s = r * pow(u, -1, Q) % Q
    s = min(s, Q - s)
    forged = r.to_bytes(32, "big") + s.to_bytes(32, "big")
    assert SECP256K1.verify_ecdsa(public, bytes(32), forged)
