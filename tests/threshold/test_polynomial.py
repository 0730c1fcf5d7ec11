"""Sharings: what t parties know of a secret, by algebra; and the arithmetic of commitments."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Defect
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.committee import Committee
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.errors import BadCommittee
from keymoot.threshold.polynomial import (
    commit,
    evaluate,
    evaluate_all,
    evaluate_commitment,
    evaluate_everywhere,
    interpolate,
    interpolate_points,
    lagrange,
    small_lagrange,
)
from keymoot.threshold.secp256k1 import SECP256K1
from tests.examples import examples
from tests.threshold.parties import rng

ORDER = SECP256K1.ORDER


@pytest.mark.parametrize("group", [SECP256K1, EDWARDS25519, G1], ids=lambda group: group.NAME)
@pytest.mark.parametrize(("size", "degree"), [(4, 1), (4, 2), (7, 4), (5, 0), (3, 3)])
def test_commitments_follow_the_polynomial(group, size, degree):
    polynomial = rng().scalars(group, "p", degree + 1)
    points = commit(group, polynomial)
    everywhere = evaluate_everywhere(group, points, size)
    assert len(everywhere) == size
    for index in range(1, size + 1):
        mine = group.base(evaluate(group, polynomial, index))
        assert group.equal(mine, evaluate_commitment(group, points, index))
        assert group.equal(mine, everywhere[index - 1])


@pytest.mark.parametrize("group", [SECP256K1, EDWARDS25519, G1], ids=lambda group: group.NAME)
@pytest.mark.parametrize("degree", range(6))
def test_all_values_are_the_single_ones(group, degree):
    drawn = rng().scalars(group, "p", degree + 1)
    nought, one, minus = group.hide(0), group.hide(1), group.hide(group.ORDER - 1)
    # Sums that are zero on the way, and coefficients that are.
    for polynomial in (drawn, [nought] * (degree + 1), [minus] + [one] * degree, [one, *drawn[1:]]):
        values = evaluate_all(group, polynomial, 9)
        expected = [evaluate(group, polynomial, index) for index in range(1, 10)]
        assert [value.expose() for value in values] == [value.expose() for value in expected]


@settings(max_examples=examples(50))
@given(st.lists(st.integers(1, 64), min_size=1, max_size=22, unique=True))
def test_small_weights_are_lagranges_times_one_factor(indices):
    scale, small = small_lagrange(indices)
    exact = lagrange(ORDER, indices)
    assert list(small) == indices
    assert {at: scale * weight % ORDER for at, weight in exact.items()} == {
        at: weight % ORDER for at, weight in small.items()
    }


def test_small_weights_of_a_committee_are_small():
    assert small_lagrange([1, 2, 3]) == (1, {1: 3, 2: -3, 3: 1})
    scale, small = small_lagrange([1, 3, 4, 6, 7, 9, 10, 12, 13])
    assert max(map(abs, small.values())) < scale * 1_000
    for bad in ([0, 1], [2, 2], [-1, 3]):
        with pytest.raises(Defect):
            small_lagrange(bad)


@settings(max_examples=30)
@given(st.integers(1, 6), st.data())
def test_any_degree_plus_one_shares_give_the_secret(degree, data):
    polynomial = rng().scalars(SECP256K1, "p", degree + 1)
    indices = data.draw(
        st.lists(st.integers(1, 40), min_size=degree + 1, max_size=degree + 1, unique=True)
    )
    shares = {at: evaluate(SECP256K1, polynomial, at) for at in indices}
    assert interpolate(SECP256K1, shares).expose() == polynomial[0].expose()
    points = {at: SECP256K1.base(share) for at, share in shares.items()}
    expected = SECP256K1.base(polynomial[0])
    assert SECP256K1.equal(interpolate_points(SECP256K1, points), expected)


@settings(max_examples=30)
@given(st.integers(1, 5), st.integers(0, ORDER - 1), st.data())
def test_degree_shares_fit_every_secret_alike(degree, candidate, data):
    """By algebra: for every value there is exactly one polynomial through it and t shares.

    So t shares leave all values equally likely, whatever computing power looks at them.
    """
    polynomial = rng().scalars(SECP256K1, "p", degree + 1)
    indices = data.draw(st.lists(st.integers(1, 40), min_size=degree, max_size=degree, unique=True))
    known = {at: SECP256K1.open(evaluate(SECP256K1, polynomial, at)) for at in indices}
    coefficients = _through({0: candidate, **known}, degree)
    assert _value(coefficients, 0) == candidate
    for at, share in known.items():
        assert _value(coefficients, at) == share


def test_indices_are_distinct_and_not_zero_modulo_the_order():
    for bad in ([0, 1], [1, 1], [ORDER, 2], [3, ORDER + 3]):
        with pytest.raises(Defect):
            lagrange(ORDER, bad)
    with pytest.raises(Defect):
        evaluate(SECP256K1, rng().scalars(SECP256K1, "p", 2), 0)


@pytest.mark.parametrize(
    ("size", "faults", "ecdsa", "others"), [(4, 1, 1, 2), (6, 1, 2, 4), (7, 2, 2, 4), (13, 4, 4, 8)]
)
def test_degrees_leave_enough_who_are_always_there(size, faults, ecdsa, others):
    committee = Committee.of(size)
    assert committee.faults == faults
    assert committee.ecdsa_degree == ecdsa
    assert committee.degree == others


@pytest.mark.parametrize("size", range(4, 65))
def test_degrees_keep_their_promises(size):
    committee = Committee.of(size)
    f = committee.faults
    # all honest parties are enough for each protocol, and the faulty alone for none
    assert 2 * committee.ecdsa_degree + 1 <= committee.present
    assert committee.degree + 1 <= committee.present
    assert committee.ecdsa_degree >= f
    assert committee.degree >= f
    # two sufficient sets of beacon shares have more than f parties in common
    assert 2 * (committee.degree + 1) - size > f


@pytest.mark.parametrize("size", [-1, 0, 1, 3, 65])
def test_refuses_other_sizes(size):
    with pytest.raises(BadCommittee):
        Committee.of(size)


@pytest.mark.parametrize(
    "indices",
    [(0, 1, 2, 3), (1, 2, 3, 65), (1, 2, 2, 3), (4, 3, 2, 1), (1, 2, 3), tuple(range(65))],
)
def test_refuses_indices_that_are_none(indices):
    with pytest.raises(BadCommittee):
        Committee(indices)


def test_counts_are_of_members_and_not_of_indices():
    committee = Committee.among({64, 2, 9, 3})
    assert committee.indices == (2, 3, 9, 64)
    assert (committee.size, committee.faults, committee.degree) == (4, 1, 2)
    assert committee.check(64) == 64
    assert 4 not in committee
    with pytest.raises(BadCommittee):
        committee.check(4)


@pytest.mark.parametrize("index", [0, 5, -1, ORDER])
def test_refuses_an_index_that_nobody_has(index):
    with pytest.raises(BadCommittee):
        Committee.of(4).check(index)


def _through(points, degree):
    """Give the coefficients of the polynomial through degree+1 points."""
    result = [0] * (degree + 1)
    for at, value in points.items():
        basis, bottom = [1], 1
        for other in points:
            if other == at:
                continue
            bottom = bottom * (at - other) % ORDER
            shifted = [0, *basis]
            for place, coefficient in enumerate(basis):
                shifted[place] = (shifted[place] - other * coefficient) % ORDER
            basis = shifted
        factor = value * pow(bottom, -1, ORDER) % ORDER
        for place, coefficient in enumerate(basis):
            result[place] = (result[place] + factor * coefficient) % ORDER
    return result


def _value(coefficients, at):
    return sum(c * pow(at, m, ORDER) for m, c in enumerate(coefficients)) % ORDER
