"""A group of prime order, as every protocol of this package sees it.

Public scalars are integers below the order; secret ones are `Secret`s in the group's own
encoding and go through the constant-time calls of the library beneath. The identity is
a point here, so that sums are total; what comes from outside may never be the identity
(`decode` refuses it).
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, Generic, TypeVar

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret

P = TypeVar("P")

SCALAR_BYTES = 32
"""Every scalar of ours fits: the orders have 253 to 256 bits."""

WIDE_BYTES = 64
"""Bytes of a hash that becomes a public scalar; the bias after reduction is below 2**-250."""


class BadPoint(Malformed, code="BAD_POINT"):
    """Bytes that are no usable point: off the curve, outside the subgroup, the identity."""


class BadScalar(Malformed, code="BAD_SCALAR"):
    """Bytes that are no scalar below the group's order."""


class Group(ABC, Generic[P]):
    """One group; instances have no state."""

    NAME: ClassVar[str]
    ORDER: ClassVar[int]
    POINT_BYTES: ClassVar[int]
    SCALAR_ORDER: ClassVar[str] = "big"
    """Byte order of encoded scalars: "big" or "little"."""
    UNIFORM_BYTES: ClassVar[int] = WIDE_BYTES
    """Uniform bytes that make one secret scalar without bias."""

    identity: P
    generator: P

    # -- points

    @abstractmethod
    def base(self, scalar: Secret) -> P:
        """Multiply the generator by a secret scalar, in constant time."""

    @abstractmethod
    def multiply(self, scalar: Secret, point: P) -> P:
        """Multiply a point by a secret scalar, in constant time."""

    @abstractmethod
    def base_public(self, scalar: int) -> P:
        """Multiply the generator by a public scalar; its time may tell it."""

    @abstractmethod
    def multiply_public(self, scalar: int, point: P) -> P:
        """Multiply a point by a public scalar; its time may tell it."""

    @abstractmethod
    def sum(self, points: Sequence[P]) -> P:
        """Add points; the identity for none."""

    @abstractmethod
    def negate(self, point: P) -> P:
        """Give the point's inverse."""

    @abstractmethod
    def encode(self, point: P) -> bytes:
        """Give `POINT_BYTES` bytes; a Defect for the identity, which never travels."""

    @abstractmethod
    def decode(self, data: bytes) -> P:
        """Read a point from outside.

        BadPoint: wrong length or form, off the curve, outside the subgroup, identity.
        """

    @abstractmethod
    def is_identity(self, point: P) -> bool:
        """Tell whether a point is the identity."""

    @abstractmethod
    def equal(self, p: P, other: P) -> bool:
        """Tell whether two points are the same."""

    def add(self, p: P, other: P) -> P:
        return self.sum((p, other))

    def combine_public(self, base: int, factor: int, point: P) -> P:
        """Give base·G + factor·point, for public scalars."""
        return self.add(self.base_public(base), self.multiply_public(factor, point))

    # -- scalars

    @abstractmethod
    def scalar(self, uniform: bytes) -> Secret:
        """Make a secret scalar of `UNIFORM_BYTES` uniform bytes."""

    @abstractmethod
    def add_scalars(self, terms: Iterable[Secret]) -> Secret:
        """There is at least one."""

    @abstractmethod
    def multiply_scalars(self, secret: Secret, other: Secret) -> Secret:
        """Multiply two secret scalars."""

    def scale(self, factor: int, scalar: Secret) -> Secret:
        """Multiply a secret scalar by a public one."""
        return self.multiply_scalars(self.hide(factor), scalar)

    def negate_scalar(self, scalar: Secret) -> Secret:
        return self.scale(self.ORDER - 1, scalar)

    def walk(self, differences: Sequence[Secret], size: int) -> list[Secret]:
        """Give f(1)..f(size) of a polynomial f by its forward differences at zero, f(0) first."""
        edge = list(differences)
        values = []
        for _ in range(size):
            for level in range(len(edge) - 1):
                edge[level] = self.add_scalars((edge[level], edge[level + 1]))
            values.append(edge[0])
        return values

    def hide(self, number: int) -> Secret:
        """Give a public number the form of a secret scalar."""
        return Secret(self.encode_scalar(number % self.ORDER))

    def open(self, scalar: Secret) -> int:
        """Give the number of a scalar that is published now, or was public before."""
        return int.from_bytes(scalar.expose(), self.SCALAR_ORDER)  # type: ignore[arg-type]

    def encode_scalar(self, number: int) -> bytes:
        return number.to_bytes(SCALAR_BYTES, self.SCALAR_ORDER)  # type: ignore[arg-type]

    def decode_scalar(self, data: bytes) -> int:
        """BadScalar: not 32 bytes, or not below the order."""
        if len(data) != SCALAR_BYTES:
            raise BadScalar(f"a scalar has {SCALAR_BYTES} bytes, got {len(data)}")
        number = int.from_bytes(data, self.SCALAR_ORDER)  # type: ignore[arg-type]
        if number >= self.ORDER:
            raise BadScalar(f"a scalar of {self.NAME} is below the group's order")
        return number

    def decode_secret(self, data: bytes) -> Secret:
        """As `decode_scalar`."""
        self.decode_scalar(data)
        return Secret(data)

    def invert(self, number: int) -> int:
        return pow(number, -1, self.ORDER)
