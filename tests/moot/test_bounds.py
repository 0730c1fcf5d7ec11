"""Words of seats at their bounds: the largest is read, one more is Malformed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.keygen import (
    MAX_COMPLAINTS,
    Keygen,
    Phase,
    read_hashes,
    read_verdict,
    write_verdict,
)
from keymoot.moot.roots import ROOTS
from keymoot.moot.statekey import Standing
from keymoot.threshold.committee import MAX_SIZE
from keymoot.threshold.dkg import HASH_BYTES
from keymoot.threshold.envelope import Complaint

COMPLAINT = Complaint(1, 2, bytes(33), bytes(64))
MOST = MAX_COMPLAINTS * len(ROOTS)
KEYGEN = Keygen(Phase.DONE, 0, Height(1), UnixSeconds(1)).encode()


def standing(size: int) -> bytes:
    return replace(Standing(), holders=frozenset(range(1, size + 1))).encode()


@pytest.mark.parametrize(
    ("parser", "good", "bad"),
    [
        (read_hashes, bytes(HASH_BYTES * len(ROOTS)), bytes(HASH_BYTES * len(ROOTS) - 1)),
        (read_hashes, bytes(HASH_BYTES * len(ROOTS)), bytes(HASH_BYTES * (len(ROOTS) + 1))),
        (
            read_verdict,
            write_verdict([(len(ROOTS) - 1, COMPLAINT)]),
            write_verdict([(len(ROOTS), COMPLAINT)]),
        ),
        (
            read_verdict,
            write_verdict([(0, COMPLAINT)] * MOST),
            write_verdict([(0, COMPLAINT)] * (MOST + 1)),
        ),
        (Keygen.decode, KEYGEN, KEYGEN[:1] + bytes((Phase.DONE + 1,)) + KEYGEN[2:]),
        (Standing.decode, standing(MAX_SIZE), standing(MAX_SIZE + 1)),
    ],
    ids=["hashes short", "hashes long", "root", "complaints", "phase", "holders"],
)
def test_one_beyond_its_bound_is_malformed(
    parser: Callable[[bytes], Any], good: bytes, bad: bytes
) -> None:
    parser(good)
    with pytest.raises(Malformed):
        parser(bad)
