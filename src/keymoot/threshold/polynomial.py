"""Shamir's polynomials, Feldman's and Pedersen's commitments, Lagrange's coefficients.

A sharing of degree t hides its value, f(0), from any t parties; t+1 give it back. Party i
holds f(i). Commitments are C_m = a_m·G (Feldman) or a_m·G + b_m·H (Pedersen).
"""

from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import lru_cache
from math import lcm, prod
from typing import Any

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.group import Group, P
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1, Point

Polynomial = list[Secret]
"""Coefficients, the constant first."""


def evaluate(group: Group[Any], polynomial: Sequence[Secret], index: int) -> Secret:
    """In constant time."""
    if index <= 0:
        raise Defect("nobody's share is the value at zero")
    at = group.hide(index)
    value = polynomial[-1]
    for coefficient in reversed(polynomial[:-1]):
        value = group.add_scalars((group.multiply_scalars(value, at), coefficient))
    return value


def evaluate_all(group: Group[Any], polynomial: Sequence[Secret], size: int) -> list[Secret]:
    """Give f(1)..f(size), in constant time, by additions along Newton's forward differences."""
    edge = [polynomial[0]]
    for row in _differences(len(polynomial) - 1):
        terms = polynomial[len(edge) :]
        edge.append(
            group.add_scalars(
                [
                    term if factor == 1 else group.scale(factor, term)
                    for factor, term in zip(row, terms, strict=True)
                ]
            )
        )
    return group.walk(edge, size)


@lru_cache(maxsize=64)
def _differences(degree: int) -> tuple[tuple[int, ...], ...]:
    """Give the k-th differences at zero of x^k, x^(k+1).. x^degree, for k = 1..degree."""
    # Those of x^m are k·(those of x^(m−1), k and k−1): k! times Stirling's numbers.
    table = [[1, *[0] * degree]]
    for _ in range(degree):
        above = table[-1]
        table.append([0, *[k * (above[k - 1] + above[k]) for k in range(1, degree + 1)]])
    return tuple(tuple(table[m][k] for m in range(k, degree + 1)) for k in range(1, degree + 1))


def commit(group: Group[P], polynomial: Sequence[Secret]) -> list[P]:
    """Feldman's commitments."""
    return [group.base(coefficient) for coefficient in polynomial]


def commit_masked(values: Sequence[Secret], masks: Sequence[Secret]) -> list[Point]:
    """Pedersen's commitments, on secp256k1."""
    return [masked(value, mask) for value, mask in zip(values, masks, strict=True)]


def masked(value: Secret, mask: Secret) -> Point:
    return SECP256K1.sum((SECP256K1.base(value), SECP256K1.multiply(mask, SECOND_GENERATOR)))


def evaluate_commitment(group: Group[P], commitment: Sequence[P], index: int) -> P:
    """Give what party `index`'s share is committed to: Σ index^m · C_m."""
    value = commitment[-1]
    for point in reversed(commitment[:-1]):
        value = group.add(group.multiply_public(index, value), point)
    return value


def evaluate_everywhere(group: Group[P], commitment: Sequence[P], size: int) -> list[P]:
    """Give the commitments of the shares 1..size, by Newton's forward differences.

    A polynomial of degree t is fixed by t+1 values; every further one takes t additions,
    which in these groups cost a fraction of a multiplication.
    """
    degree = len(commitment) - 1
    known = [commitment[0]]
    known += [evaluate_commitment(group, commitment, index) for index in range(1, degree + 1)]
    values = known[1 : size + 1]
    # The last entry of each row of differences, from the known values.
    rows = [known]
    while len(rows[-1]) > 1:
        above = rows[-1]
        rows.append(
            [group.add(above[at + 1], group.negate(above[at])) for at in range(len(above) - 1)]
        )
    edge = [row[-1] for row in rows]
    while len(values) < size:
        for level in range(degree - 1, -1, -1):
            edge[level] = group.add(edge[level], edge[level + 1])
        values.append(edge[0])
    return values


def add_commitments(group: Group[P], commitments: Iterable[Sequence[P]]) -> list[P]:
    return [group.sum(column) for column in zip(*commitments, strict=True)]


def lagrange(order: int, indices: Iterable[int], at: int = 0) -> dict[int, int]:
    """Give each index's coefficient for interpolation at `at`; a Defect for zero or one twice."""
    return dict(_lagrange(order, tuple(indices), at))


@lru_cache(maxsize=1024)
def _lagrange(order: int, indices: tuple[int, ...], at: int) -> tuple[tuple[int, int], ...]:
    reduced = [index % order for index in indices]
    if 0 in reduced or len(set(reduced)) != len(reduced):
        raise Defect("indices are distinct and not zero")
    shares = []
    for index in indices:
        top = bottom = 1
        for other in indices:
            if other != index:
                top = top * (other - at) % order
                bottom = bottom * (other - index) % order
        shares.append((index, top * pow(bottom, -1, order) % order))
    return tuple(shares)


def small_lagrange(indices: Iterable[int]) -> tuple[int, dict[int, int]]:
    """Give Lagrange's coefficients at zero times one common factor, all of them integers.

    For the indices of a committee these are small: points times small integers cost a
    fraction of points times scalars. Gives the factor, then the integers by index.
    Defect: an index is below one, or two are the same.
    """
    return _small_lagrange(tuple(indices))


@lru_cache(maxsize=1024)
def _small_lagrange(indices: tuple[int, ...]) -> tuple[int, dict[int, int]]:
    if min(indices) < 1 or len(set(indices)) != len(indices):
        raise Defect("indices are distinct and not zero")
    exact = {}
    for index in indices:
        others = [other for other in indices if other != index]
        exact[index] = Fraction(prod(others), prod(other - index for other in others))
    scale = lcm(*(weight.denominator for weight in exact.values()))
    return scale, {index: (scale * weight).numerator for index, weight in exact.items()}


def interpolate(group: Group[Any], shares: dict[int, Secret]) -> Secret:
    """Give the shared value: for sums of shares, never for a key."""
    weights = lagrange(group.ORDER, shares)
    return group.add_scalars([group.scale(weights[at], share) for at, share in shares.items()])


def interpolate_points(group: Group[P], points: dict[int, P]) -> P:
    scale, weights = small_lagrange(points)
    terms = []
    for at, point in points.items():
        term = group.multiply_public(abs(weights[at]), point)
        terms.append(term if weights[at] > 0 else group.negate(term))
    # The factor is undone once, in the sum.
    total = group.sum(terms)
    return total if scale == 1 else group.multiply_public(group.invert(scale), total)
