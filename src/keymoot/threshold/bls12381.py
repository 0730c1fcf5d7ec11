"""BLS12-381's two source groups and its pairing check, by blst through pyblst.

blst multiplies by secret scalars in constant time; the binding's conversion of Python's
integers is not, and Python's own integers are not: a residual risk that SECURITY.md names.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

import pyblst

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.group import BadPoint, Group, P

ORDER = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
_INFINITY_BIT = 0x40
_SMALL = 1 << 24
"""Scalars below it are multiplied by additions, which take a microsecond each."""


class _Source(Group[P]):
    """What both groups share."""

    ORDER: ClassVar[int] = ORDER
    _KIND: ClassVar[type]

    def _at_infinity(self) -> bytes:
        return bytes((0xC0,)) + bytes(self.POINT_BYTES - 1)

    def base(self, scalar: Secret) -> P:
        return self.generator.scalar_mul(self.open(scalar))  # type: ignore[attr-defined, no-any-return]

    def multiply(self, scalar: Secret, point: P) -> P:
        return point.scalar_mul(self.open(scalar))  # type: ignore[attr-defined, no-any-return]

    def base_public(self, scalar: int) -> P:
        return self.multiply_public(scalar, self.generator)

    def multiply_public(self, scalar: int, point: P) -> P:
        """Multiply a point by a public scalar; by a small one with a hundredth of the work."""
        factor = scalar % ORDER
        if not 0 < factor < _SMALL:
            return point.scalar_mul(factor)  # type: ignore[attr-defined, no-any-return]
        total = point
        for bit in bin(factor)[3:]:
            total = total + total  # type: ignore[operator]
            if bit == "1":
                total = total + point
        return total

    def sum(self, points: Sequence[P]) -> P:
        total = self.identity
        for point in points:
            total = total + point  # type: ignore[operator]
        return total

    def negate(self, point: P) -> P:
        return -point  # type: ignore[operator, no-any-return]

    def is_identity(self, point: P) -> bool:
        return bool(point == self.identity)

    def equal(self, p: P, other: P) -> bool:
        return bool(p == other)

    def encode(self, point: P) -> bytes:
        data = bytes(point.compress())  # type: ignore[attr-defined]
        if data[0] & _INFINITY_BIT:
            raise Defect("the identity never travels")
        return data

    def decode(self, data: bytes) -> P:
        """Read a compressed point; the subgroup is checked, the identity refused."""
        if len(data) != self.POINT_BYTES or data[0] & _INFINITY_BIT:
            raise BadPoint(f"a point of {self.NAME} has {self.POINT_BYTES} bytes, none at infinity")
        try:
            return self._KIND().uncompress(data)  # type: ignore[no-any-return]
        except ValueError as error:
            raise BadPoint(f"the bytes are no point of {self.NAME}") from error

    def scalar(self, uniform: bytes) -> Secret:
        return self.hide(int.from_bytes(uniform, "big"))

    def add_scalars(self, terms: Iterable[Secret]) -> Secret:
        return self.hide(sum(self.open(term) for term in terms))

    def multiply_scalars(self, secret: Secret, other: Secret) -> Secret:
        return self.hide(self.open(secret) * self.open(other))


class Bls12381G1(_Source[pyblst.BlstP1Element]):
    """The group of signatures: 48 bytes a point."""

    NAME: ClassVar[str] = "bls12381-g1"
    POINT_BYTES: ClassVar[int] = 48
    _KIND = pyblst.BlstP1Element

    def __init__(self) -> None:
        self.identity = pyblst.BlstP1Element().uncompress(self._at_infinity())
        self.generator = pyblst.BlstP1Element().uncompress(_G1)

    def hash_to_curve(self, message: bytes, tag: bytes) -> pyblst.BlstP1Element:
        """BLS12381G1_XMD:SHA-256_SSWU_RO_ (RFC 9380); a tag has at most 255 bytes."""
        return pyblst.BlstP1Element().hash_to_group(message, tag)


class Bls12381G2(_Source[pyblst.BlstP2Element]):
    """The group of public keys: 96 bytes a point."""

    NAME: ClassVar[str] = "bls12381-g2"
    POINT_BYTES: ClassVar[int] = 96
    _KIND = pyblst.BlstP2Element

    def __init__(self) -> None:
        self.identity = pyblst.BlstP2Element().uncompress(self._at_infinity())
        self.generator = pyblst.BlstP2Element().uncompress(_G2)


_G1 = bytes.fromhex(
    "97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb"
)
_G2 = bytes.fromhex(
    "93e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e"
    "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8"
)

G1 = Bls12381G1()
G2 = Bls12381G2()


def pairings_equal(
    left: tuple[pyblst.BlstP1Element, pyblst.BlstP2Element],
    right: Sequence[tuple[pyblst.BlstP1Element, pyblst.BlstP2Element]],
) -> bool:
    """Tell whether e(left) is the product of the pairings on the right."""
    product = pyblst.miller_loop(*right[0])
    for pair in right[1:]:
        product = product * pyblst.miller_loop(*pair)
    return bool(pyblst.final_verify(pyblst.miller_loop(*left), product))
