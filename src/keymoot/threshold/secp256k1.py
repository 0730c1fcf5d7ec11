"""secp256k1 (SEC 2, section 2.4.1) by libsecp256k1, through coincurve's own binding.

coincurve's `PublicKey.multiply` is variable time, and its objects cost more than the
arithmetic; so this module speaks to the library beneath. Secret scalars meet points in
`ec_pubkey_create` (generator) and `ecdh` (any point) alone, which are constant time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from coincurve._libsecp256k1 import ffi, lib
from coincurve.context import GLOBAL_CONTEXT

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.group import SCALAR_BYTES, BadPoint, BadScalar, Group

_CONTEXT = GLOBAL_CONTEXT.ctx
_COMPRESSED = 258
"""SECP256K1_EC_COMPRESSED."""
_UNCOMPRESSED = 2
"""SECP256K1_EC_UNCOMPRESSED."""
_ZERO = bytes(SCALAR_BYTES)
_NEW_POINT = ffi.typeof("secp256k1_pubkey *")
_NEW_POINTS = ffi.typeof("const secp256k1_pubkey *[]")
_NEW_SCALAR = ffi.typeof("unsigned char[32]")
_NEW_WIDE = ffi.typeof("unsigned char[65]")
_NEW_BYTES = ffi.typeof("unsigned char[]")
_NEW_SIZE = ffi.typeof("size_t *")
_WIDE_TAG = 4
"""First byte of an uncompressed point."""
_TAGS = (2, 3)
"""First bytes of a compressed point; 04, 06 and 07 are other forms of the same point."""

Point = Any
"""A `secp256k1_pubkey *`, never changed after it was made; None is the identity."""


@ffi.callback("int(unsigned char *, const unsigned char *, const unsigned char *, void *)")  # type: ignore[untyped-decorator]
def _copy_coordinates(output: Any, x: Any, y: Any, _: Any) -> int:
    """Stand in for ecdh's hash: give the shared point itself."""
    ffi.memmove(output, x, 32)
    ffi.memmove(output + 32, y, 32)
    return 1


class Secp256k1(Group[Point]):
    """The group of Ethereum's and Bitcoin's signatures."""

    NAME: ClassVar[str] = "secp256k1"
    ORDER: ClassVar[int] = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    POINT_BYTES: ClassVar[int] = 33
    WIDE_POINT_BYTES: ClassVar[int] = 65
    """An uncompressed point (SEC 1, section 2.3.3): twice as long, and read five times as fast."""
    UNIFORM_BYTES: ClassVar[int] = SCALAR_BYTES

    def __init__(self) -> None:
        self.identity = None
        self.generator = self.base_public(1)

    # -- points

    def base(self, scalar: Secret) -> Point:
        """In constant time (15 us)."""
        return self._base(scalar.expose())

    def multiply(self, scalar: Secret, point: Point) -> Point:
        """In constant time (32 us)."""
        if point is None:
            return None
        coordinates = ffi.new(_NEW_WIDE)
        key = scalar.expose()
        if not lib.secp256k1_ecdh(
            _CONTEXT, coordinates + 1, point, key, _copy_coordinates, ffi.NULL
        ):
            if key == _ZERO:
                return None
            raise Defect("a secret scalar is not below the order of secp256k1")
        coordinates[0] = _WIDE_TAG
        return _parse(coordinates)

    def base_public(self, scalar: int) -> Point:
        return self._base((scalar % self.ORDER).to_bytes(SCALAR_BYTES, "big"))

    def multiply_public(self, scalar: int, point: Point) -> Point:
        """Takes 5 us for a small scalar, 25 for a long one."""
        if scalar == 1:
            return point
        factor = scalar % self.ORDER
        if point is None or not factor:
            return None
        result = ffi.new(_NEW_POINT, point[0])
        lib.secp256k1_ec_pubkey_tweak_mul(_CONTEXT, result, factor.to_bytes(SCALAR_BYTES, "big"))
        return result

    def combine_public(self, base: int, factor: int, point: Point) -> Point:
        """Give base·G + factor·point in one pass, which the library offers as key recovery.

        Recovery computes (s·R − m·G)/r for the point R whose x is r (SEC 1, section 4.1.6):
        with s = factor·r and m = −base·r that is our sum, at two thirds of the price.
        """
        encoded = b"" if point is None else self.encode(point)
        r = int.from_bytes(encoded[1:], "big")
        s = factor * r % self.ORDER
        if not 0 < r < self.ORDER or not s:
            return super().combine_public(base, factor, point)
        compact = encoded[1:] + s.to_bytes(SCALAR_BYTES, "big") + bytes((encoded[0] - _TAGS[0],))
        return self.recover(compact, (-base * r % self.ORDER).to_bytes(SCALAR_BYTES, "big"))

    def recover(self, signature: bytes, digest: bytes) -> Point:
        """Give the key under which an ECDSA signature (r ‖ s ‖ parity) verifies, or None."""
        parsed = ffi.new("secp256k1_ecdsa_recoverable_signature *")
        if not lib.secp256k1_ecdsa_recoverable_signature_parse_compact(
            _CONTEXT, parsed, signature[:64], signature[64]
        ):
            return None
        result = ffi.new(_NEW_POINT)
        status = lib.secp256k1_ecdsa_recover(_CONTEXT, result, parsed, digest)
        return result if status else None

    def verify_ecdsa(self, public: Point, digest: bytes, signature: bytes) -> bool:
        """Verify an ECDSA signature (r ‖ s, 64 bytes); a high s never does."""
        parsed = ffi.new("secp256k1_ecdsa_signature *")
        if len(signature) != 64 or not lib.secp256k1_ecdsa_signature_parse_compact(
            _CONTEXT, parsed, signature
        ):
            return False
        return bool(lib.secp256k1_ecdsa_verify(_CONTEXT, parsed, digest, public))

    def verify_bip340(self, x: bytes, message: bytes, signature: bytes) -> bool:
        """Verify a BIP-340 signature (64 bytes) under an x-only key (32 bytes)."""
        key = ffi.new("secp256k1_xonly_pubkey *")
        if len(x) != SCALAR_BYTES or len(signature) != 64:
            return False
        if not lib.secp256k1_xonly_pubkey_parse(_CONTEXT, key, x):
            return False
        return bool(
            lib.secp256k1_schnorrsig_verify(_CONTEXT, signature, message, len(message), key)
        )

    def sum(self, points: Sequence[Point]) -> Point:
        present = [point for point in points if point is not None]
        if len(present) < 2:
            return present[0] if present else None
        return self.sum_present(present)

    def sum_present(self, points: list[Point]) -> Point:
        """Add points of which none is the identity; there is at least one."""
        result = ffi.new(_NEW_POINT)
        array = ffi.new(_NEW_POINTS, points)
        # The library cannot say infinity: it refuses, and that is the identity.
        if not lib.secp256k1_ec_pubkey_combine(_CONTEXT, result, array, len(points)):
            return None
        return result

    def negate(self, point: Point) -> Point:
        if point is None:
            return None
        result = ffi.new(_NEW_POINT, point[0])
        lib.secp256k1_ec_pubkey_negate(_CONTEXT, result)
        return result

    def is_identity(self, point: Point) -> bool:
        return point is None

    def equal(self, point: Point, other: Point) -> bool:
        if point is None or other is None:
            return point is other
        return bool(lib.secp256k1_ec_pubkey_cmp(_CONTEXT, point, other) == 0)

    def encode(self, point: Point) -> bytes:
        """33 bytes, compressed."""
        return _serialize(point, self.POINT_BYTES, _COMPRESSED)

    def encode_uncompressed(self, point: Point) -> bytes:
        """64 bytes, x ‖ y: what Ethereum's addresses are hashes of."""
        return self.encode_wide(point)[1:]

    def encode_wide(self, point: Point) -> bytes:
        """65 bytes, 04 ‖ x ‖ y: no square root for who reads it."""
        return _serialize(point, self.WIDE_POINT_BYTES, _UNCOMPRESSED)

    def decode_wide(self, data: bytes) -> Point:
        """Read 65 bytes; compressed and hybrid forms are refused, and points off the curve."""
        if len(data) != self.WIDE_POINT_BYTES or data[0] != _WIDE_TAG:
            raise BadPoint(f"a wide point of {self.NAME} has 65 bytes and begins with 04")
        return _parse(data)

    def encode_all(self, points: Sequence[Point]) -> bytes:
        length = self.WIDE_POINT_BYTES
        output, size = ffi.new(_NEW_BYTES, length * len(points)), ffi.new(_NEW_SIZE, length)
        for at, point in enumerate(points):
            if point is None:
                raise Defect("the identity of secp256k1 has no encoding")
            place = output + at * length
            lib.secp256k1_ec_pubkey_serialize(_CONTEXT, place, size, point, _UNCOMPRESSED)
        return bytes(ffi.buffer(output))

    def decode_all(self, data: bytes) -> list[Point]:
        length = self.WIDE_POINT_BYTES
        if len(data) % length:
            raise BadPoint(f"{len(data)} bytes are no row of points of {length}")
        return [self.decode_wide(data[at : at + length]) for at in range(0, len(data), length)]

    def decode(self, data: bytes) -> Point:
        """Read 33 bytes; hybrid and uncompressed forms are refused."""
        if len(data) != self.POINT_BYTES or data[0] not in _TAGS:
            raise BadPoint(f"a point of {self.NAME} has 33 bytes and begins with 02 or 03")
        return _parse(data)

    def x(self, point: Point) -> int:
        """Give the x coordinate of a point that is not the identity."""
        return int.from_bytes(self.encode(point)[1:], "big")

    # -- scalars

    def scalar(self, uniform: bytes) -> Secret:
        """Take 32 bytes if they are a scalar above zero, else their hash (once in 2**128 times)."""
        while not lib.secp256k1_ec_seckey_verify(_CONTEXT, uniform):
            uniform = hashlib.sha256(uniform).digest()
        return Secret(uniform)

    def add_scalars(self, terms: Iterable[Secret]) -> Secret:
        """Takes 0.5 us each."""
        return Secret(_sum([term.expose() for term in terms]))

    def walk(self, differences: Sequence[Secret], size: int) -> list[Secret]:
        """In place."""
        edge = [ffi.new(_NEW_SCALAR, difference.expose()) for difference in differences]
        values = []
        for _ in range(size):
            for level in range(len(edge) - 1):
                if not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, edge[level], edge[level + 1]):
                    # Zero on the way, which the library knows not.
                    return super().walk(differences, size)
            values.append(Secret(bytes(ffi.buffer(edge[0]))))
        return values

    def multiply_scalars(self, secret: Secret, other: Secret) -> Secret:
        """Takes 0.5 us."""
        return Secret(_multiply(secret.expose(), other.expose()))

    def weigh(self, factors: Iterable[Secret], terms: Iterable[Secret]) -> Secret:
        pairs = zip(factors, terms, strict=True)
        return Secret(_sum([_multiply(term.expose(), factor.expose()) for factor, term in pairs]))

    def decode_scalar(self, data: bytes) -> int:
        return int.from_bytes(self._checked(data), "big")

    def decode_secret(self, data: bytes) -> Secret:
        return Secret(self._checked(data))

    def _checked(self, data: bytes) -> bytes:
        # Big-endian strings of one length are in the order of their numbers.
        if len(data) != SCALAR_BYTES:
            raise BadScalar(f"a scalar has {SCALAR_BYTES} bytes, got {len(data)}")
        if data >= _ORDER:
            raise BadScalar(f"a scalar of {self.NAME} is below the group's order")
        return data

    @staticmethod
    def _base(scalar: bytes) -> Point:
        result = ffi.new(_NEW_POINT)
        if not lib.secp256k1_ec_pubkey_create(_CONTEXT, result, scalar):
            if scalar == _ZERO:
                return None
            raise Defect("a scalar is not below the order of secp256k1")
        return result


_ORDER = Secp256k1.ORDER.to_bytes(SCALAR_BYTES, "big")


def _serialize(point: Point, length: int, form: int) -> bytes:
    if point is None:
        raise Defect("the identity of secp256k1 has no encoding")
    output, size = ffi.new(_NEW_BYTES, length), ffi.new(_NEW_SIZE, length)
    lib.secp256k1_ec_pubkey_serialize(_CONTEXT, output, size, point, form)
    return bytes(ffi.buffer(output))


def _parse(data: Any) -> Point:
    result = ffi.new(_NEW_POINT)
    if not lib.secp256k1_ec_pubkey_parse(_CONTEXT, result, data, len(data)):
        raise BadPoint("the bytes are no point of secp256k1")
    return result


def _sum(terms: Iterable[bytes]) -> bytes:
    # The library's "secret key" is never zero; zero itself needs no arithmetic.
    total = None
    for term in terms:
        if total is None:
            total = None if term == _ZERO else ffi.new(_NEW_SCALAR, term)
        elif not lib.secp256k1_ec_seckey_tweak_add(_CONTEXT, total, term):
            if term >= _ORDER:
                raise Defect("a secret scalar is not below the order of secp256k1")
            total = None
    return _ZERO if total is None else bytes(ffi.buffer(total))


def _multiply(scalar: bytes, other: bytes) -> bytes:
    buffer = ffi.new(_NEW_SCALAR, scalar)
    if lib.secp256k1_ec_seckey_tweak_mul(_CONTEXT, buffer, other):
        return bytes(ffi.buffer(buffer))
    if _ZERO not in (scalar, other):
        raise Defect("a secret scalar is not below the order of secp256k1")
    return _ZERO


SECP256K1 = Secp256k1()


def _second_generator() -> Point:
    """Map a hash to the curve by ElligatorSwift (BIP-324): nobody knows its logarithm."""
    uniform = hashlib.sha512(b"keymoot/v1/pedersen/second-generator").digest()
    point = ffi.new(_NEW_POINT)
    lib.secp256k1_ellswift_decode(_CONTEXT, point, uniform)
    return point


SECOND_GENERATOR: Point = _second_generator()
"""H of Pedersen's commitments."""
