"""edwards25519's subgroup of prime order (RFC 8032), by libsodium through PyNaCl.

libsodium's addition takes any 32 bytes that decompress, torsion and all: `decode` lets in
nothing but points of the subgroup, and the protocols decode whatever they receive.
"""

from collections.abc import Iterable, Sequence
from typing import ClassVar

from nacl import bindings
from nacl.exceptions import RuntimeError as SodiumError

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.group import BadPoint, Group

_IDENTITY = b"\x01" + bytes(31)
_ZERO = bytes(32)


class Edwards25519(Group[bytes]):
    """The group of Solana's signatures; a point is its 32-byte encoding."""

    NAME: ClassVar[str] = "edwards25519"
    ORDER: ClassVar[int] = 2**252 + 27742317777372353535851937790883648493
    POINT_BYTES: ClassVar[int] = 32
    SCALAR_ORDER: ClassVar[str] = "little"

    def __init__(self) -> None:
        self.identity = _IDENTITY
        self.generator = self.base_public(1)

    def base(self, scalar: Secret) -> bytes:
        key = scalar.expose()
        if key == _ZERO:
            return _IDENTITY
        return bindings.crypto_scalarmult_ed25519_base_noclamp(key)

    def multiply(self, scalar: Secret, point: bytes) -> bytes:
        key = scalar.expose()
        if key == _ZERO or point == _IDENTITY:
            return _IDENTITY
        try:
            return bindings.crypto_scalarmult_ed25519_noclamp(key, point)
        except SodiumError as error:
            raise Defect("a point was not checked: it is outside the subgroup") from error

    def base_public(self, scalar: int) -> bytes:
        return self.base(self.hide(scalar))

    def multiply_public(self, scalar: int, point: bytes) -> bytes:
        return point if scalar == 1 else self.multiply(self.hide(scalar), point)

    def sum(self, points: Sequence[bytes]) -> bytes:
        total = _IDENTITY
        for point in points:
            total = point if total == _IDENTITY else bindings.crypto_core_ed25519_add(total, point)
        return total

    def negate(self, point: bytes) -> bytes:
        return bindings.crypto_core_ed25519_sub(_IDENTITY, point)

    def is_identity(self, point: bytes) -> bool:
        return point == _IDENTITY

    def equal(self, point: bytes, other: bytes) -> bool:
        """Encodings of checked points are canonical."""
        return point == other

    def encode(self, point: bytes) -> bytes:
        if point == _IDENTITY:
            raise Defect("the identity never travels")
        return point

    def decode(self, data: bytes) -> bytes:
        """Read 32 bytes: canonical, on the curve, in the subgroup, not the identity."""
        if len(data) != self.POINT_BYTES or not bindings.crypto_core_ed25519_is_valid_point(data):
            raise BadPoint("the bytes are no point of edwards25519's subgroup")
        return bytes(data)

    def scalar(self, uniform: bytes) -> Secret:
        return Secret(bindings.crypto_core_ed25519_scalar_reduce(uniform))

    def add_scalars(self, terms: Iterable[Secret]) -> Secret:
        total = _ZERO
        for term in terms:
            total = bindings.crypto_core_ed25519_scalar_add(total, term.expose())
        return Secret(total)

    def multiply_scalars(self, secret: Secret, other: Secret) -> Secret:
        return Secret(bindings.crypto_core_ed25519_scalar_mul(secret.expose(), other.expose()))


EDWARDS25519 = Edwards25519()
