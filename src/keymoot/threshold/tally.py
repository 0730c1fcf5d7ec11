"""Many equations over secp256k1, checked as one.

Each equation says that g·G + h·H + Σ c·P is the identity. Under random weights that nobody
could know when the equations were made, all of them hold or the weighted sum fails, but
for one time in 2**64, and G and H are multiplied once.
A failed tally names nobody: then each equation is looked at alone.
"""

import hashlib
from collections.abc import Iterable

from keymoot.base.secret import Secret
from keymoot.threshold.dice import Dice
from keymoot.threshold.group import SCALAR_BYTES
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1, Point

WEIGHT_BYTES = 8
"""Length of a weight: a point times 64 bits costs half a point times 256."""

_GROUP = SECP256K1


class Tally:
    """Collects equations, and tells once whether all of them hold."""

    def __init__(self, dice: Dice) -> None:
        """Draw the seed of the weights."""
        self._seed = dice.scalar(_GROUP, "tally").expose()
        self._drawn = 0
        self._stream = b""
        self._base = self._second = 0
        self._hidden_base: list[Secret] = []
        self._hidden_second: list[Secret] = []
        self._points: list[Point] = []

    def weight(self) -> int:
        """Draw a weight, never zero."""
        at = self._drawn * WEIGHT_BYTES % 512
        if not at:
            counter = self._drawn.to_bytes(8, "big")
            self._stream = hashlib.shake_256(self._seed + counter).digest(512)
        self._drawn += 1
        return int.from_bytes(self._stream[at : at + WEIGHT_BYTES], "big") | 1

    def add(self, base: int, second: int, terms: Iterable[tuple[int, Point]]) -> None:
        """Add an equation that was weighted already: base·G + second·H + Σ factor·point = 0."""
        self._base += base
        self._second += second
        for factor, point in terms:
            self._points.append(_GROUP.multiply_public(factor, point))

    def subtract(self, weight: int, point: Point) -> None:
        """Add −weight·point, for a weight that `weight` drew."""
        self._points.append(_GROUP.negate(_GROUP.multiply_public(weight, point)))

    def add_opening(self, value: Secret, mask: Secret | None, commitment: Point) -> None:
        """Add the claim that a commitment holds value·G + mask·H, both secret."""
        weight = self.weight()
        factor = Secret(weight.to_bytes(SCALAR_BYTES, "big"))
        self._hidden_base.append(_GROUP.multiply_scalars(factor, value))
        if mask is not None:
            self._hidden_second.append(_GROUP.multiply_scalars(factor, mask))
        self.subtract(weight, commitment)

    def holds(self) -> bool:
        """Tell whether all equations hold."""
        base = _GROUP.add_scalars([_GROUP.hide(self._base), *self._hidden_base])
        second = _GROUP.add_scalars([_GROUP.hide(self._second), *self._hidden_second])
        total = _GROUP.sum(
            [_GROUP.base(base), _GROUP.multiply(second, SECOND_GENERATOR), *self._points]
        )
        return _GROUP.is_identity(total)
