"""Sums of many points of secp256k1, each times a public factor.

libsecp256k1 multiplies one point at a time, and adds many in one call, where an addition
costs a hundredth of a multiplication and a call as much as two dozen additions. So sums
are made of additions: bit by bit, or by digits of four bits with a bucket for each digit
(Pippenger's method), whichever is cheapest.
"""

from collections.abc import Iterable, Sequence
from itertools import compress

from keymoot.threshold.secp256k1 import SECP256K1, Point

Term = tuple[int, Point]
"""A public factor, which may be negative, and its point."""

_LONGEST_BITS = 136
"""Longer factors are multiplied by the library, which splits them in halves (GLV)."""

_CALL = 24
"""Price of a call, in additions: the library inverts a number at the end of each."""
_MULTIPLICATION = 50
"""Price of a multiplication, in additions, without its bits, which cost one each."""

_BITS = tuple(bytes(byte >> shift & 1 for byte in range(256)) for shift in range(7, -1, -1))
"""For each bit of a byte, the highest first, the table that maps a byte to it."""
_NIBBLES = tuple(bytes(byte >> shift & 15 for byte in range(256)) for shift in (4, 0))


def powers(index: int, commitment: Sequence[Point], factor: int = 1) -> list[Term]:
    """Give the terms of what a commitment says of party `index`: factor · Σ index^m · C_m."""
    return [(factor * index**power, point) for power, point in enumerate(commitment)]


def weighted_sum(terms: Iterable[Term]) -> Point:
    """Give Σ factor·point; its time may tell the factors."""
    factors: list[int] = []
    points: list[Point] = []
    done: list[Point] = []
    for factor, point in terms:
        if point is None:
            continue
        if factor >> _LONGEST_BITS not in (0, -1):
            done.append(SECP256K1.multiply_public(factor, point))
        else:
            factors.append(abs(factor))
            points.append(point if factor >= 0 else SECP256K1.negate(point))
    if factors:
        done.append(_short_sum(factors, points))
    return SECP256K1.sum(done)


def _short_sum(factors: Sequence[int], points: Sequence[Point]) -> Point:
    count, bits = len(factors), max(factors).bit_length()
    once = sum(factors) + _CALL
    by_bits = bits * (_CALL + count // 2)
    by_nibbles = (bits + 3) // 4 * (20 * _CALL + count)
    one_by_one = count * (_MULTIPLICATION + bits)
    cheapest = min(once, by_bits, by_nibbles, one_by_one)
    if cheapest == once:
        return SECP256K1.sum(
            [point for factor, point in zip(factors, points, strict=True) for _ in range(factor)]
        )
    if cheapest == one_by_one:
        return SECP256K1.sum(list(map(SECP256K1.multiply_public, factors, points)))
    width = (bits + 7) // 8
    digits = b"".join([factor.to_bytes(width, "big") for factor in factors])
    columns = [digits[place::width] for place in range(width)]
    if cheapest == by_bits:
        return _by_bits(columns, points)
    return _by_nibbles(columns, points)


def _by_bits(columns: Sequence[bytes], points: Sequence[Point]) -> Point:
    """Sum bit by bit, the highest first: twice what is there, and the points that have it."""
    total = None
    for column in columns:
        for table in _BITS:
            chosen = list(compress(points, column.translate(table)))
            if total is not None:
                chosen += (total, total)
            if chosen:
                total = SECP256K1.sum_present(chosen)
    return total


def _by_nibbles(columns: Sequence[bytes], points: Sequence[Point]) -> Point:
    """Sum by digits of four bits, the highest first."""
    total, sum_present = None, SECP256K1.sum_present
    for column in columns:
        for table in _NIBBLES:
            buckets: list[list[Point]] = [[] for _ in range(16)]
            for point, digit in zip(points, column.translate(table), strict=True):
                buckets[digit].append(point)
            sums = [None, *[sum_present(bucket) if bucket else None for bucket in buckets[1:]]]
            weighed = [total] * 16
            for bit in range(4):
                holders = [holder for digit, holder in enumerate(sums) if digit >> bit & 1]
                weighed += [SECP256K1.sum(holders)] * (1 << bit)
            total = SECP256K1.sum(weighed)
    return total
