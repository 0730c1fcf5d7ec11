"""The same seed gives the same numbers, and no name is drawn twice."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1

SEED = Secret(b"\x11" * 32)


def drawn(rng, name="a", group=SECP256K1, count=3):
    return [one.expose() for one in rng.scalars(group, name, count)]


def test_the_seed_decides():
    assert drawn(SeededRng(SEED)) == drawn(SeededRng(SEED))
    assert drawn(SeededRng(SEED)) != drawn(SeededRng(Secret(b"\x12" * 32)))


def test_names_groups_and_children_are_apart():
    rng = SeededRng(SEED)
    found = [
        *drawn(rng, "a"),
        *drawn(rng, "b"),
        *drawn(rng, "c", EDWARDS25519),
        *drawn(rng.child("d"), "a"),
        *drawn(rng.child("e"), "a"),
    ]
    assert len(set(found)) == 15


def test_a_name_is_drawn_once():
    rng = SeededRng(SEED)
    drawn(rng, "a")
    with pytest.raises(Defect):
        drawn(rng, "a")
    rng.child("c")
    with pytest.raises(Defect):
        rng.child("c")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size):
    with pytest.raises(Defect):
        SeededRng(Secret(bytes(size)))
