"""What many enclaves of one process compute from the same bytes is computed once.

On a network each enclave checks each certificate and each dealing by itself. In a test's process
they are many in one, so the same pairing is asked for four times and more. These functions have
no state: whoever asks again for the same bytes is given what the first one got. What they refuse
is computed each time. Enclaves that are processes do not come by here.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import wraps
from threading import Lock
from typing import Any

from keymoot.threshold import bls, bls12381, derived
from keymoot.threshold.bls12381 import Bls12381G1, Bls12381G2

MOST = 4_096
"""How many answers of each kind are kept; the oldest go."""

Pair = tuple[Any, Any]


def register() -> None:
    """Have points be read, messages be hashed and pairings be compared once."""
    for kind, name in (
        (Bls12381G1, "decode"),
        (Bls12381G2, "decode"),
        (Bls12381G1, "hash_to_curve"),
    ):
        setattr(kind, name, _remembered(getattr(kind, name), _by_bytes))
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


def _by_points(left: Pair, right: Sequence[Pair]) -> Hashable:
    return tuple(bytes(point.compress()) for pair in (left, *right) for point in pair)
