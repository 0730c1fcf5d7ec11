"""Many equations over secp256k1, checked as one.

Each equation says that Σ factor·point is g·G + h·H. Under random weights that nobody could
know when the equations were made, all of them hold or the weighted sum fails, but for one
time in 2**66; G and H are multiplied once, and the points are summed in one go.
A sum that fails names nobody: then each equation is looked at alone.
"""

import hashlib

from keymoot.base.secret import Secret
from keymoot.threshold.group import SCALAR_BYTES
from keymoot.threshold.multi_scalar import Term, weighted_sum
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1, Point

WEIGHT_BITS = 66
"""Length of a weight: short ones make cheap sums. An error of 2**-64 is what we allow, and
two bits are left for weights within weights."""

_WEIGHT_BYTES = 16
_BLOCK_BYTES = 1024

_GROUP = SECP256K1


class BatchVerifier:
    """Collects equations, and tells once whether all of them hold."""

    def __init__(self, rng: SeededRng) -> None:
        """Draw the seed of the weights; fresh since all equations were made."""
        self._seed = rng.scalar(_GROUP, "tally").expose()
        self._drawn = 0
        self._stream = b""
        self._base = self._second = 0
        self._factors: list[Secret] = []
        self._values: list[Secret] = []
        self._masks: list[Secret] = []
        self._mask_factors: list[Secret] = []
        self._terms: list[Term] = []

    def weight(self) -> int:
        """Draw a weight, uniform below 2**66 (zero too: all values are equally likely)."""
        return self.long_weight() >> 8 * _WEIGHT_BYTES - WEIGHT_BITS

    def long_weight(self) -> int:
        """Draw a weight of 128 bits, for few points or for what is summed already."""
        at = self._drawn * _WEIGHT_BYTES % _BLOCK_BYTES
        if not at:
            counter = self._drawn.to_bytes(8, "big")
            self._stream = hashlib.shake_256(self._seed + counter).digest(_BLOCK_BYTES)
        self._drawn += 1
        return int.from_bytes(self._stream[at : at + _WEIGHT_BYTES], "big")

    def add_point(self, factor: int, point: Point) -> None:
        """Add factor·point to the left; the factor has its equation's weight in it."""
        self._terms.append((factor, point))

    def add_base(self, base: int, second: int = 0) -> None:
        """Add base·G + second·H to the right, public and weighted."""
        self._base += base
        self._second += second

    def add_opening(self, factor: int, value: Secret, mask: Secret | None = None) -> None:
        """Add factor·(value·G + mask·H) to the right, for a secret opening."""
        hidden = Secret((factor % _GROUP.ORDER).to_bytes(SCALAR_BYTES, "big"))
        self._factors.append(hidden)
        self._values.append(value)
        if mask is not None:
            self._mask_factors.append(hidden)
            self._masks.append(mask)

    def holds(self) -> bool:
        values = _GROUP.weigh(self._factors, self._values)
        masks = _GROUP.weigh(self._mask_factors, self._masks)
        base = _GROUP.add_scalars([_GROUP.hide(self._base), values])
        second = _GROUP.add_scalars([_GROUP.hide(self._second), masks])
        right = _GROUP.sum([_GROUP.base(base), _GROUP.multiply(second, SECOND_GENERATOR)])
        return _GROUP.equal(weighted_sum(self._terms), right)
