"""The groups: points, their bytes, and what is no point."""

import hashlib
from functools import lru_cache
from typing import Any

import py_arkworks_bls12381 as arkworks

from tests.threshold.stranger.words import No


class Group:
    """What all groups have in common.

    A point is None where it is the identity, or the library's.
    """

    name: str
    order: int
    size: int
    uniform = 64
    end: Any = "big"

    def multiply(self, factor: int, point: Any) -> Any:
        raise NotImplementedError

    def add(self, one: Any, other: Any) -> Any:
        raise NotImplementedError

    def encode(self, point: Any) -> bytes:
        raise NotImplementedError

    def decode(self, raw: bytes) -> Any:
        raise NotImplementedError

    generator: Any
    identity: Any = None

    def base(self, factor: int) -> Any:
        return self.multiply(factor, self.generator)

    def total(self, points: Any) -> Any:
        found = self.identity
        for point in points:
            found = self.add(found, point)
        return found

    def row(self, raw: list[bytes]) -> list[Any]:
        return [self.decode(one) for one in raw]

    def along(self, points: list[Any], at: int) -> Any:
        """Give what a commitment says of the value at `at`."""
        return self.total(self.multiply(at**power, one) for power, one in enumerate(points))

    def scalar(self, raw: bytes) -> int:
        found = int.from_bytes(raw, self.end)
        if len(raw) != 32 or found >= self.order:
            raise No("BAD_SCALAR")
        return found

    def write(self, number: int) -> bytes:
        return (number % self.order).to_bytes(32, self.end)

    def reduce(self, raw: bytes) -> int:
        return int.from_bytes(raw, self.end) % self.order

    def verify_possession(self, session: Any, prover: bytes, point: Any, proof: bytes) -> bool:
        c, answer = self.scalar(proof[:32]), self.scalar(proof[32:])
        start = self.add(self.base(answer), self.multiply(-c, point))
        if start == self.identity:
            return False
        parts = prover, self.encode(point), self.encode(start)
        return bool(session.challenge(self, "possession", *parts) == c)

    def prove_possession(self, session: Any, prover: bytes, secret: int, nonce: int) -> bytes:
        parts = prover, self.encode(self.base(secret)), self.encode(self.base(nonce))
        c = session.challenge(self, "possession", *parts)
        return self.write(c) + self.write(nonce + c * secret)


class Plain(Group):
    """A curve in plain Python: points are flat in pairs, and tall in between."""

    def add(self, one: Any, other: Any) -> Any:
        return self.flat(self.sum(self.tall(one), self.tall(other)))

    def multiply(self, factor: int, point: Any) -> Any:
        return times(self, factor % self.order, point)

    def tall(self, point: Any) -> Any:
        raise NotImplementedError

    def flat(self, point: Any) -> Any:
        raise NotImplementedError

    def sum(self, one: Any, other: Any) -> Any:
        raise NotImplementedError


@lru_cache(maxsize=1 << 15)
def times(curve: Plain, factor: int, point: Any) -> Any:
    """Double and add; the cases of a file repeat most of each other."""
    found, tall = curve.tall(curve.identity), curve.tall(point)
    for bit in f"{factor:b}":
        found = curve.sum(found, found)
        if bit == "1":
            found = curve.sum(found, tall)
    return curve.flat(found)


class Secp256k1(Plain):
    """y² = x³ + 7, in Jacobian coordinates."""

    name, size, uniform = "secp256k1", 33, 32
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    p = 2**256 - 2**32 - 977
    generator = (
        0x79BE667EF9DCBBAC55A06295CE870B07029BFCDB2DCE28D959F2815B16F81798,
        0x483ADA7726A3C4655DA4FBFC0E1108A8FD17B448A68554199C47D08FFB10D4B8,
    )

    def tall(self, point: Any) -> Any:
        return (0, 1, 0) if point is None else (*point, 1)

    def flat(self, point: Any) -> Any:
        x, y, z = point
        if not z:
            return None
        inverse = pow(z, -1, self.p)
        return x * inverse**2 % self.p, y * inverse**3 % self.p

    def sum(self, one: Any, other: Any) -> Any:
        (x1, y1, z1), (x2, y2, z2), p = one, other, self.p
        if not z1 or not z2:
            return other if not z1 else one
        u1, u2 = x1 * z2 * z2 % p, x2 * z1 * z1 % p
        s1, s2 = y1 * z2 * z2 * z2 % p, y2 * z1 * z1 * z1 % p
        if u1 == u2:
            if s1 != s2 or not y1:
                return 0, 1, 0
            s, m = 4 * x1 * y1 * y1 % p, 3 * x1 * x1 % p
            x3 = (m * m - 2 * s) % p
            return x3, (m * (s - x3) - 8 * y1**4) % p, 2 * y1 * z1 % p
        h, r = (u2 - u1) % p, (s2 - s1) % p
        h2 = h * h % p
        x3 = (r * r - h * h2 - 2 * u1 * h2) % p
        return x3, (r * (u1 * h2 - x3) - s1 * h * h2) % p, h * z1 * z2 % p

    def root(self, square: int) -> int | None:
        found = pow(square, (self.p + 1) // 4, self.p)
        return found if found * found % self.p == square % self.p else None

    def encode(self, point: Any) -> bytes:
        x, y = point
        return bytes((2 + (y & 1),)) + x.to_bytes(32, "big")

    def wide(self, point: Any) -> bytes:
        return b"\4" + b"".join(one.to_bytes(32, "big") for one in point)

    def decode(self, raw: bytes) -> Any:
        x = int.from_bytes(raw[1:], "big")
        y = self.root(x**3 + 7)
        if len(raw) != 33 or raw[0] not in (2, 3) or x >= self.p or y is None:
            raise No("BAD_POINT")
        return x, y if y & 1 == raw[0] & 1 else self.p - y

    def decode_wide(self, raw: bytes) -> Any:
        x, y = int.from_bytes(raw[1:33], "big"), int.from_bytes(raw[33:], "big")
        good = len(raw) == 65 and raw[0] == 4 and x < self.p and y < self.p
        if not good or (y * y - x**3 - 7) % self.p:
            raise No("BAD_POINT")
        return x, y

    def reduce(self, raw: bytes) -> int:
        while not 0 < int.from_bytes(raw, "big") < self.order:
            raw = hashlib.sha256(raw).digest()
        return int.from_bytes(raw, "big")

    def second(self) -> Any:
        """Give H: ElligatorSwift's decoding (BIP-324)."""
        uniform = hashlib.sha512(b"keymoot/v1/pedersen/second-generator").digest()
        p = self.p
        u, t = (int.from_bytes(half, "big") % p for half in (uniform[:32], uniform[32:]))
        u, t = u or 1, t or 1
        if (u**3 + t * t + 7) % p == 0:
            t = 2 * t % p
        x = (u**3 + 7 - t * t) * pow(2 * t, -1, p) % p
        root = self.root(-3)
        assert root is not None
        y = (x + t) * pow(root * u, -1, p) % p
        over = x * pow(2 * y, -1, p) % p
        half = u * pow(2, -1, p) % p
        for found in ((u + 4 * y * y) % p, (-over - half) % p, (over - half) % p):
            up = self.root(found**3 + 7)
            if up is not None:
                return found, up if up & 1 == t & 1 else p - up
        raise AssertionError("one of three is on the curve")


class Edwards25519(Plain):
    """−x² + y² = 1 + d·x²·y²."""

    name, size, end = "edwards25519", 32, "little"
    order = 2**252 + 27742317777372353535851937790883648493
    p = 2**255 - 19
    d = -121665 * pow(121666, -1, p) % p
    identity = (0, 1)

    def __init__(self) -> None:
        self.generator = self._lift(4 * pow(5, -1, self.p) % self.p, 0)

    def tall(self, point: Any) -> Any:
        x, y = point
        return x, y, 1, x * y % self.p

    def flat(self, point: Any) -> Any:
        x, y, z, _ = point
        inverse = pow(z, -1, self.p)
        return x * inverse % self.p, y * inverse % self.p

    def sum(self, one: Any, other: Any) -> Any:
        (x1, y1, z1, t1), (x2, y2, z2, t2), p = one, other, self.p
        a, b = (y1 - x1) * (y2 - x2) % p, (y1 + x1) * (y2 + x2) % p
        c, d = 2 * t1 * t2 * self.d % p, 2 * z1 * z2 % p
        e, f, g, h = b - a, d - c, d + c, b + a
        return e * f % p, g * h % p, f * g % p, e * h % p

    def _lift(self, y: int, sign: int) -> Any:
        p = self.p
        square = (y * y - 1) * pow(self.d * y * y + 1, -1, p) % p
        x = pow(square, (p + 3) // 8, p)
        if (x * x - square) % p:
            x = x * pow(2, (p - 1) // 4, p) % p
        if (x * x - square) % p or (not x and sign):
            raise No("BAD_POINT")
        return (x if x & 1 == sign else p - x), y

    def encode(self, point: Any) -> bytes:
        x, y = point
        return (y | (x & 1) << 255).to_bytes(32, "little")

    def decode(self, raw: bytes) -> Any:
        whole = int.from_bytes(raw, "little")
        y, sign = whole & (1 << 255) - 1, whole >> 255
        if len(raw) != 32 or y >= self.p:
            raise No("BAD_POINT")
        point = self._lift(y, sign)
        if point == self.identity or times(self, self.order, point) != self.identity:
            raise No("BAD_POINT")
        return point


class Bls12381(Group):
    """G1 or G2, by arkworks."""

    order = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

    def __init__(self, name: str, size: int, kind: Any) -> None:
        self.name, self.size, self.kind = name, size, kind
        self.generator, self.identity = kind(), kind.identity()

    def add(self, one: Any, other: Any) -> Any:
        return one + other

    def multiply(self, factor: int, point: Any) -> Any:
        return point * arkworks.Scalar(factor % self.order)

    def encode(self, point: Any) -> bytes:
        return bytes(point.to_compressed_bytes())

    def decode(self, raw: bytes) -> Any:
        if len(raw) != self.size or not raw[0] & 0x80 or raw[0] & 0x40:
            raise No("BAD_POINT")
        try:
            return self.kind.from_compressed_bytes(raw)
        except ValueError as error:
            raise No("BAD_POINT") from error


SECP, ED = Secp256k1(), Edwards25519()
G1 = Bls12381("bls12381-g1", 48, arkworks.G1Point)
G2 = Bls12381("bls12381-g2", 96, arkworks.G2Point)
GROUPS: dict[str, Any] = {one.name: one for one in (SECP, ED, G1, G2)}
H = SECP.second()


def pairing(one: Any, other: Any) -> Any:
    return arkworks.GT.pairing(one, other)


def hashed(message: bytes, tag: bytes) -> Any:
    return arkworks.G1Point.hash_to_curve(message, tag)
