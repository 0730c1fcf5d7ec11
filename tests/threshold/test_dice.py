"""Dice: the same seed gives the same numbers, and no name is drawn twice."""

import pytest

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.dice import Dice
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.secp256k1 import SECP256K1

SEED = Secret(b"\x11" * 32)


def drawn(dice, name="a", group=SECP256K1, count=3):
    return [one.expose() for one in dice.scalars(group, name, count)]


def test_the_seed_decides():
    assert drawn(Dice(SEED)) == drawn(Dice(SEED))
    assert drawn(Dice(SEED)) != drawn(Dice(Secret(b"\x12" * 32)))


def test_names_groups_and_children_are_apart():
    dice = Dice(SEED)
    found = [
        *drawn(dice, "a"),
        *drawn(dice, "b"),
        *drawn(dice, "c", EDWARDS25519),
        *drawn(dice.child("d"), "a"),
        *drawn(dice.child("e"), "a"),
    ]
    assert len(set(found)) == 15


def test_a_name_is_drawn_once():
    dice = Dice(SEED)
    drawn(dice, "a")
    with pytest.raises(Defect):
        drawn(dice, "a")
    dice.child("c")
    with pytest.raises(Defect):
        dice.child("c")


@pytest.mark.parametrize("size", [0, 31, 33])
def test_a_seed_has_32_bytes(size):
    with pytest.raises(Defect):
        Dice(Secret(bytes(size)))
