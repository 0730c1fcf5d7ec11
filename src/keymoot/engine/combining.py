"""Shares of a block's certificate, put together; who gave a bad one is named.

Mostly one root and one generation come into question: those of the state before the block.
For a block that begins a generation the host does not know yet which state it leaves, so
there may be several; the signature that verifies under the network's key tells which it was.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from keymoot.threshold.root import Root


@dataclass(frozen=True, slots=True)
class SigningContext:
    """Under what a block's shares may be: a root, and what is signed."""

    root: Root
    generation: Hash32
    message: bytes


@dataclass(frozen=True, slots=True)
class CombinedSignature:
    """What came of some shares.

    Attributes:
        signature: The certificate, 48 bytes; empty where too few shares are good.
        generation: The generation that it is of; None without one.
        bad: Seats whose share is good under nothing that comes into question.
    """

    signature: bytes
    generation: Hash32 | None
    bad: tuple[int, ...]


def combine(candidates: Sequence[SigningContext], shares: Mapping[int, bytes]) -> CombinedSignature:
    """Combine shares by seat under the first candidate for which enough of them are good.

    Shares are looked at one by one only if no combination verifies.
    """
    points = _points(shares)
    for under in candidates:
        chosen = _first(points, under.root)
        if chosen is not None:
            signature = interpolate_points(G1, chosen)
            if bls.verify(under.root.public, under.message, signature):
                broken = tuple(sorted(shares.keys() - points.keys()))
                return CombinedSignature(G1.encode(signature), under.generation, broken)
    bad = set(shares)
    for under in candidates:
        if len(points) <= under.root.degree:
            bad -= points.keys()
            continue
        good = {seat: point for seat, point in points.items() if _good(under, seat, point)}
        chosen = _first(good, under.root)
        if chosen is not None:
            signature = G1.encode(interpolate_points(G1, chosen))
            left_out = tuple(sorted(shares.keys() - good.keys()))
            return CombinedSignature(signature, under.generation, left_out)
        bad -= good.keys()
    return CombinedSignature(b"", None, tuple(sorted(bad)))


def _points(shares: Mapping[int, bytes]) -> dict[int, Any]:
    signatures = {}
    for seat in sorted(shares):
        try:
            signatures[seat] = G1.decode(shares[seat])
        except Malformed:
            continue
    return signatures


def _first(points: Mapping[int, Any], root: Root) -> dict[int, Any] | None:
    """Give the first degree+1 shares of seats that the root has, or None."""
    within = ((seat, point) for seat, point in points.items() if seat <= len(root.shares))
    chosen = dict(islice(within, root.degree + 1))
    return chosen if len(chosen) > root.degree else None


def _good(under: SigningContext, seat: int, share: Any) -> bool:
    if not 1 <= seat <= len(under.root.shares):
        return False
    return bls.check(under.root, seat, under.message, share)
