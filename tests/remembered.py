"""What many enclaves of one process compute from the same bytes is computed once.

On a network each enclave checks each certificate and each dealing by itself. In a test's process
they are many in one, so the same pairing is asked for four times and more; and tests that begin
with the same seed found the same network. These functions have no state: whoever asks again for
the same bytes is given what the first one got, which nobody changes. What they refuse is computed
each time. Enclaves that are processes do not come by here.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import wraps
from threading import Lock
from typing import Any

from coincurve._libsecp256k1 import ffi

from keymoot.base.secret import Secret
from keymoot.threshold import bls, bls12381, derived
from keymoot.threshold.bls12381 import Bls12381G1, Bls12381G2
from keymoot.threshold.edwards25519 import Edwards25519
from keymoot.threshold.secp256k1 import Secp256k1

MOST = 8_192
"""How many answers of each kind are kept; the oldest go."""

Pair = tuple[Any, Any]


def register() -> None:
    """Have points be read and multiplied, messages be hashed and pairings be compared once."""
    for kind, name, name_of in (
        (Bls12381G1, "decode", _by_bytes),
        (Bls12381G2, "decode", _by_bytes),
        (Secp256k1, "decode", _by_bytes),
        (Edwards25519, "decode", _by_bytes),
        (Bls12381G1, "hash_to_curve", _by_bytes),
        (Bls12381G1, "base", _by_secret),
        (Bls12381G2, "base", _by_secret),
        (Secp256k1, "multiply", _by_secret),
        (Secp256k1, "multiply_public", _by_numbers),
        (Secp256k1, "combine_public", _by_numbers),
        (Edwards25519, "multiply_public", _by_numbers),
    ):
        setattr(kind, name, _remembered(getattr(kind, name), name_of))
    equal = _remembered(bls12381.pairings_equal, _by_points)
    bls.pairings_equal = derived.pairings_equal = bls12381.pairings_equal = equal


def _remembered(computed: Callable[..., Any], name_of: Callable[..., Hashable]) -> Any:
    known: dict[Hashable, Any] = {}
    writing = Lock()

    @wraps(computed)
    def once(*given: Any) -> Any:
        name = name_of(*given)
        found = known.get(name)
        if found is None:
            found = computed(*given)
            with writing:
                if len(known) == MOST:
                    del known[next(iter(known))]
                known[name] = found
        return found

    return once


def _by_bytes(_: object, *given: bytes) -> Hashable:
    """Name what a group is asked for; there is one group of each kind."""
    return given


def _by_secret(_: object, scalar: Secret, *points: Any) -> Hashable:
    return scalar.expose(), *map(_bytes_of, points)


def _by_numbers(_: object, *given: Any) -> Hashable:
    """Name what public numbers and a point are; numbers come first."""
    *numbers, point = given
    return *numbers, _bytes_of(point)


def _bytes_of(point: Any) -> bytes | None:
    """Give a point's bytes, as its library keeps them, of which each point has one."""
    if point is None or isinstance(point, bytes):
        return point
    return bytes(ffi.buffer(point))


def _by_points(left: Pair, right: Sequence[Pair]) -> Hashable:
    return tuple(bytes(point.compress()) for pair in (left, *right) for point in pair)
