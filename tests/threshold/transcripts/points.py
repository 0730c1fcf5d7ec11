"""Bytes that are no points: of each group, in every way that a careless reader lets in."""

from typing import Any

from nacl import bindings
from py_ecc.bls.point_compression import compress_G2, modular_squareroot_in_FQ2
from py_ecc.optimized_bls12_381 import FQ2, b2, field_modulus

from keymoot.threshold.bls12381 import G2
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import Group
from keymoot.threshold.secp256k1 import SECP256K1

SECP_MODULUS = 2**256 - 2**32 - 977
ED_MODULUS = 2**255 - 19
ORDER_EIGHT = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")
"""A point of edwards25519 that eight times itself is the identity."""


def bad_points(group: Group[Any]) -> list[tuple[str, bytes]]:
    """Give each with its reason."""
    if group is SECP256K1:
        return _secp256k1()
    if group is EDWARDS25519:
        return _edwards25519()
    return _bls12381()


def _secp256k1() -> list[tuple[str, bytes]]:
    good = SECP256K1.encode(SECP256K1.generator)
    wide = SECP256K1.encode_wide(SECP256K1.generator)
    off = next(x for x in range(1, 99) if not _is_square(x**3 + 7))
    on = next(x for x in range(1, 99) if _is_square(x**3 + 7))
    return [
        ("the identity", bytes(33)),
        ("one byte less", good[:-1]),
        ("a first byte of 04 before a compressed point", b"\4" + good[1:]),
        ("a first byte of 06 (the hybrid form)", b"\6" + good[1:]),
        ("the uncompressed form", wide),
        ("an x that is on no point", b"\2" + off.to_bytes(32, "big")),
        ("an x that is not below the modulus", b"\2" + (on + SECP_MODULUS).to_bytes(32, "big")),
    ]


def _is_square(number: int) -> bool:
    return pow(number, (SECP_MODULUS - 1) // 2, SECP_MODULUS) == 1


def _edwards25519() -> list[tuple[str, bytes]]:
    good = EDWARDS25519.encode(EDWARDS25519.generator)
    mixed = bindings.crypto_core_ed25519_add(good, ORDER_EIGHT)
    return [
        ("the identity", b"\1" + bytes(31)),
        ("the identity with its sign bit", b"\1" + bytes(30) + b"\x80"),
        ("one byte less", good[:-1]),
        ("a point of order eight", ORDER_EIGHT),
        ("a point of the subgroup and one of order eight, added", mixed),
        ("a y that is on no point", b"\2" + bytes(31)),
        ("a y that is not below the modulus", (ED_MODULUS + 1).to_bytes(32, "little")),
    ]


def _bls12381() -> list[tuple[str, bytes]]:
    good = G2.encode(G2.generator)
    large = (int.from_bytes(good[48:], "big") + field_modulus).to_bytes(48, "big")
    return [
        ("the identity", b"\xc0" + bytes(95)),
        ("one byte less", good[:-1]),
        ("the compression flag missing", bytes((good[0] & 0x7F,)) + good[1:]),
        ("on the curve, outside the subgroup", _outside()),
        ("a coordinate that is not below the modulus", good[:48] + large),
    ]


def _outside() -> bytes:
    """Give the point with the smallest x that has one; the subgroup is one in 2**507 of them."""
    for number in range(99):
        x = FQ2((number, 0))
        y = modular_squareroot_in_FQ2(x * x * x + b2)
        if y is not None:
            high, low = compress_G2((x, y, FQ2.one()))
            return high.to_bytes(48, "big") + low.to_bytes(48, "big")
    raise AssertionError("no point has a small x")
