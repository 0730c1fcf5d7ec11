"""Sums of many points are what the plain sum is, whichever way they are made."""

import random

import pytest

from keymoot.threshold import multi_scalar
from keymoot.threshold.multi_scalar import powers, weighted_sum
from keymoot.threshold.polynomial import evaluate_commitment
from keymoot.threshold.secp256k1 import SECP256K1

ORDER = SECP256K1.ORDER
COUNTS = (1, 2, 7, 40, 130, 500)
BITS = (1, 3, 8, 66, 128, 136, 137, 256)


def terms(count, bits, seed=1):
    """Factors of up to so many bits, of both signs, with logarithms that are known."""
    rng = random.Random(seed)
    factors = [rng.getrandbits(bits) * rng.choice((1, -1)) for _ in range(count)]
    known = [rng.getrandbits(200) + 1 for _ in range(count)]
    return factors, known


@pytest.mark.parametrize("bits", BITS)
@pytest.mark.parametrize("count", COUNTS)
def test_is_the_plain_sum(count, bits):
    factors, known = terms(count, bits)
    points = [SECP256K1.base_public(one) for one in known]
    expected = sum(factor * one for factor, one in zip(factors, known, strict=True)) % ORDER
    found = weighted_sum(zip(factors, points, strict=True))
    assert SECP256K1.equal(found, SECP256K1.base_public(expected))


@pytest.mark.parametrize("way", [multi_scalar._by_bits, multi_scalar._by_nibbles])
@pytest.mark.parametrize("count", [1, 3, 60])
def test_each_way_is_the_plain_sum(way, count):
    factors, known = terms(count, 66, count)
    factors = [abs(one) for one in factors]
    points = [SECP256K1.base_public(one) for one in known]
    digits = b"".join(one.to_bytes(9, "big") for one in factors)
    expected = sum(factor * one for factor, one in zip(factors, known, strict=True)) % ORDER
    found = way([digits[place::9] for place in range(9)], points)
    assert SECP256K1.equal(found, SECP256K1.base_public(expected))


def test_nothing_and_nought_are_the_identity():
    point = SECP256K1.base_public(9)
    assert weighted_sum([]) is None
    assert weighted_sum([(5, None), (0, point)]) is None
    assert weighted_sum([(5, point), (-5, point)]) is None
    assert weighted_sum([(1 << 100, point)] * 50 + [(-50 << 100, point)]) is None


@pytest.mark.parametrize("count", [64, 400])
def test_sums_that_vanish_on_the_way_do_no_harm(count):
    """Points that cancel within a window, as a cheater could send them."""
    point = SECP256K1.base_public(9)
    pairs = [(3 << 60, point), (3 << 60, SECP256K1.negate(point))] * (count // 2)
    assert weighted_sum(pairs) is None
    found = weighted_sum([*pairs, (1 << 60, point)])
    assert SECP256K1.equal(found, SECP256K1.base_public(9 << 60))


def test_powers_are_what_a_commitment_says():
    commitment = [SECP256K1.base_public(one) for one in (11, 22, 33)]
    for index in (1, 2, 13):
        found = weighted_sum(powers(index, commitment, 7))
        expected = SECP256K1.multiply_public(7, evaluate_commitment(SECP256K1, commitment, index))
        assert SECP256K1.equal(found, expected)
