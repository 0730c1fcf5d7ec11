"""The three groups: published vectors, the traps of their libraries, and a second library."""

import hashlib
import json
from pathlib import Path

import py_arkworks_bls12381 as arkworks
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Defect
from keymoot.base.secret import Secret
from keymoot.threshold.bls12381 import G1, G2, pairings_equal
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.edwards25519 import EDWARDS25519
from keymoot.threshold.group import BadPoint, BadScalar, Group
from keymoot.threshold.secp256k1 import SECOND_GENERATOR, SECP256K1
from tests.examples import examples
from tests.threshold.parties import rng

VECTORS = Path(__file__).parent / "vectors"
GROUPS = [SECP256K1, EDWARDS25519, G1, G2]
P_BLS = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


def vectors(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


@pytest.mark.parametrize("group", GROUPS, ids=lambda group: group.NAME)
class TestEveryGroup:
    def test_is_a_group_of_its_order(self, group: Group):
        a, b = rng().scalars(group, "ab", 2)
        one, other = group.base(a), group.base(b)
        assert group.equal(group.multiply(b, one), group.multiply(a, other))
        assert group.equal(group.multiply(b, one), group.base(group.multiply_scalars(a, b)))
        assert group.equal(group.add(one, other), group.base(group.add_scalars((a, b))))
        assert not group.equal(one, other)
        assert group.is_identity(group.add(one, group.negate(one)))
        assert group.is_identity(group.base_public(group.ORDER))
        assert group.is_identity(group.sum([]))
        assert not group.is_identity(one)

    def test_secret_and_public_multiplication_agree(self, group: Group):
        a, b = rng().scalars(group, "ab", 2)
        number, point = group.open(a), group.base(b)
        assert group.equal(group.multiply(a, point), group.multiply_public(number, point))
        assert group.equal(group.base(a), group.base_public(number))
        for small in (1, 2, 13, group.ORDER - 1):
            expected = group.multiply(group.hide(small), point)
            assert group.equal(group.multiply_public(small, point), expected)
        u, v = 12345, group.ORDER - 7
        expected = group.add(group.base_public(u), group.multiply_public(v, point))
        assert group.equal(group.combine_public(u, v, point), expected)

    def test_the_identity_and_zero_are_total_inside(self, group: Group):
        zero, one = group.hide(0), group.hide(1)
        point = group.base(one)
        assert group.is_identity(group.base(zero))
        assert group.is_identity(group.multiply(zero, point))
        assert group.is_identity(group.multiply(one, group.identity))
        assert group.is_identity(group.multiply_public(0, point))
        assert group.is_identity(group.combine_public(group.ORDER - 1, 1, group.generator))
        assert group.equal(group.add(point, group.identity), point)
        assert group.open(group.add_scalars((zero, one))) == 1
        assert group.open(group.add_scalars((one, group.hide(-1)))) == 0
        assert group.open(group.multiply_scalars(zero, one)) == 0
        assert group.open(group.multiply_scalars(one, zero)) == 0
        assert group.open(group.add_scalars((zero, zero))) == 0

    def test_decodes_what_it_encodes(self, group: Group):
        point = group.base(rng().scalar(group, "a"))
        data = group.encode(point)
        assert len(data) == group.POINT_BYTES
        assert group.equal(group.decode(data), point)

    def test_the_identity_never_travels(self, group: Group):
        with pytest.raises(Defect):
            group.encode(group.identity)

    def test_refuses_bytes_that_are_no_point(self, group: Group):
        good = group.encode(group.generator)
        for bad in (
            b"",
            bytes(group.POINT_BYTES),
            b"\xff" * group.POINT_BYTES,
            good[:-1],
            good + b"\0",
        ):
            with pytest.raises(BadPoint):
                group.decode(bad)

    def test_refuses_scalars_at_and_above_the_order(self, group: Group):
        order = group.ORDER.to_bytes(32, group.SCALAR_ORDER)
        for bad in (order, b"\xff" * 32, b"\1" * 31, b"\1" * 33):
            with pytest.raises(BadScalar):
                group.decode_scalar(bad)
            with pytest.raises(BadScalar):
                group.decode_secret(bad)
        top = (group.ORDER - 1).to_bytes(32, group.SCALAR_ORDER)
        assert group.decode_scalar(top) == group.ORDER - 1

    def test_drawn_scalars_are_below_the_order(self, group: Group):
        for uniform in (b"\xff" * group.UNIFORM_BYTES, b"\0" * group.UNIFORM_BYTES):
            assert 0 <= group.open(group.scalar(uniform)) < group.ORDER


class TestSecp256k1:
    def test_refuses_hybrid_and_uncompressed_forms(self):
        compressed = SECP256K1.encode(SECP256K1.generator)
        whole = SECP256K1.encode_uncompressed(SECP256K1.generator)
        hybrid = bytes((6 + (compressed[0] & 1),)) + whole
        for bad in (b"\x04" + whole, hybrid, b"\x06" + compressed[1:], b"\x04" + compressed[1:]):
            with pytest.raises(BadPoint):
                SECP256K1.decode(bad)

    def test_wide_points_are_the_same_points(self):
        points = [SECP256K1.base(one) for one in rng().scalars(SECP256K1, "s", 3)]
        raw = SECP256K1.encode_all(points)
        assert raw == b"".join(map(SECP256K1.encode_wide, points))
        assert raw[1:65] == SECP256K1.encode_uncompressed(points[0])
        found = SECP256K1.decode_all(raw)
        assert list(map(SECP256K1.encode, found)) == list(map(SECP256K1.encode, points))
        assert SECP256K1.decode_all(b"") == []
        with pytest.raises(Defect):
            SECP256K1.encode_all([points[0], None])

    def test_refuses_wide_bytes_that_are_no_point(self):
        point = SECP256K1.base_public(5)
        wide = SECP256K1.encode_wide(point)
        above = b"\4" + (2**256 - 2**32 - 977 + 1).to_bytes(32, "big") + wide[33:]
        for bad in (
            b"",
            wide[:-1],
            wide + b"\0",
            SECP256K1.encode(point),
            *(bytes((tag,)) + wide[1:] for tag in (0, 2, 3, 5, 6, 7)),
            wide[:-1] + bytes((wide[-1] ^ 1,)),
            above,
            b"\4" + bytes(64),
        ):
            with pytest.raises(BadPoint):
                SECP256K1.decode_wide(bad)
        with pytest.raises(BadPoint):
            SECP256K1.decode_all(wide + wide[:-1])

    def test_weighs_as_it_multiplies_and_adds(self):
        factors, terms = rng().scalars(SECP256K1, "f", 4), rng().scalars(SECP256K1, "t", 4)
        factors[1], terms[2] = SECP256K1.hide(0), SECP256K1.hide(0)
        expected = sum(
            SECP256K1.open(one) * SECP256K1.open(other)
            for one, other in zip(factors, terms, strict=True)
        )
        found = SECP256K1.weigh(factors, terms)
        assert SECP256K1.open(found) == expected % SECP256K1.ORDER
        minus = SECP256K1.negate_scalar(found)
        one = SECP256K1.hide(1)
        assert SECP256K1.open(SECP256K1.weigh([one, one, one], [found, minus, one])) == 1
        assert SECP256K1.open(SECP256K1.weigh([], [])) == 0
        with pytest.raises(Defect):
            SECP256K1.weigh([one, one], [one, Secret(b"\xff" * 32)])

    def test_a_draw_above_the_order_is_drawn_again(self):
        above = b"\xff" * 32
        again = SECP256K1.scalar(above)
        assert again.expose() == hashlib.sha256(above).digest()

    def test_nobody_chose_the_second_generator(self):
        assert not SECP256K1.equal(SECOND_GENERATOR, SECP256K1.generator)
        encoded = SECP256K1.encode(SECOND_GENERATOR)
        assert encoded.hex() == SECOND

    @settings(max_examples=examples(40))
    @given(st.integers(0, SECP256K1.ORDER - 1), st.integers(0, SECP256K1.ORDER - 1))
    def test_recovery_adds_as_addition_does(self, u, v):
        point = SECP256K1.base_public(77)
        expected = SECP256K1.base_public(u + 77 * v)
        assert SECP256K1.equal(SECP256K1.combine_public(u, v, point), expected)

    def test_wycheproof(self):
        seen = {"valid": 0, "invalid": 0}
        for key, message, signature, result, comment in vectors("wycheproof-ecdsa")["vectors"]:
            compact = _compact(bytes.fromhex(signature))
            digest = hashlib.sha256(bytes.fromhex(message)).digest()
            raw = bytes.fromhex(key)
            point = SECP256K1.decode(bytes((2 + (raw[64] & 1),)) + raw[1:33])
            good = compact is not None and SECP256K1.verify_ecdsa(point, digest, compact)
            assert good == (result == "valid"), comment
            if compact is not None and result == "valid":
                keys = (SECP256K1.recover(compact + bytes((v,)), digest) for v in (0, 1))
                # recovery, by which we check our own, has the same opinion
                assert any(one and SECP256K1.equal(one, point) for one in keys) or _edge(compact)
            seen[result] += 1
        assert seen["valid"] > 100
        assert seen["invalid"] > 200

    def test_bip340(self):
        found = vectors("bip340")["vectors"]
        assert len(found) == 14
        for one in found:
            parts = (bytes.fromhex(one[name]) for name in ("public", "message", "signature"))
            assert SECP256K1.verify_bip340(*parts) == one["valid"], one


class TestEdwards25519:
    def test_refuses_torsion_and_other_forms(self):
        low_order = [
            "0100000000000000000000000000000000000000000000000000000000000000",
            "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
            "0000000000000000000000000000000000000000000000000000000000000080",
        ]
        # a point of the subgroup plus a point of order two, and p + 1 for 1
        mixed = _add_unchecked(EDWARDS25519.generator, bytes.fromhex(low_order[1]))
        non_canonical = "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"
        for bad in [*map(bytes.fromhex, low_order), mixed, bytes.fromhex(non_canonical)]:
            with pytest.raises(BadPoint):
                EDWARDS25519.decode(bad)

    def test_wycheproof(self):
        valid = 0
        for key, message, signature, result, comment in vectors("wycheproof-ed25519")["vectors"]:
            data = bytes.fromhex(signature)
            good = len(data) == 64 and ED25519.verify(
                bytes.fromhex(key), bytes.fromhex(message), data
            )
            assert good == (result == "valid"), comment
            valid += good
        assert valid > 50


class TestBls12381:
    @pytest.mark.parametrize(("name", "group"), [("rfc9380-g1", G1)])
    def test_rfc_9380(self, name, group):
        found = vectors(name)
        for one in found["vectors"]:
            point = group.hash_to_curve(one["msg"].encode(), found["dst"].encode())
            assert group.encode(point) == _compressed(int(one["x"], 16), int(one["y"], 16))

    def test_arkworks_agrees(self):
        scalars = rng().scalars(G1, "cross", 8)
        for at, scalar in enumerate(scalars):
            number = arkworks.Scalar(G1.open(scalar))
            first = arkworks.G1Point() * number
            assert G1.encode(G1.base(scalar)) == bytes(first.to_compressed_bytes())
            second = arkworks.G2Point() * number
            assert G2.encode(G2.base(scalar)) == bytes(second.to_compressed_bytes())
            message = f"message {at}".encode()
            theirs = arkworks.G1Point.hash_to_curve(message, b"a tag of ours")
            ours = G1.hash_to_curve(message, b"a tag of ours")
            assert G1.encode(ours) == bytes(theirs.to_compressed_bytes())

    def test_pairings(self):
        a, b = (Secret(bytes(31) + bytes((n,))) for n in (6, 7))
        left = (G1.base(a), G2.base(b))
        assert pairings_equal(left, [(G1.base_public(42), G2.generator)])
        assert pairings_equal(
            left, [(G1.base_public(40), G2.generator), (G1.generator, G2.base_public(2))]
        )
        assert not pairings_equal(left, [(G1.base_public(41), G2.generator)])

    def test_refuses_points_outside_the_subgroup(self):
        # x = 4 is on the curve of G1 and outside its subgroup (a common test point)
        outside = bytes((0x80,)) + bytes(46) + b"\x04"
        arkworks.G1Point.from_compressed_bytes_unchecked(outside)
        with pytest.raises(BadPoint):
            G1.decode(outside)

    def test_refuses_infinity(self):
        for group in (G1, G2):
            with pytest.raises(BadPoint):
                group.decode(b"\xc0" + bytes(group.POINT_BYTES - 1))


def _compressed(x, y):
    flag = 0x80 | (0x20 if y > (P_BLS - 1) // 2 else 0)
    data = bytearray(x.to_bytes(48, "big"))
    data[0] |= flag
    return bytes(data)


def _add_unchecked(one, other):
    from nacl import bindings

    return bindings.crypto_core_ed25519_add(one, other)


def _compact(der):
    """Read DER strictly; None for anything else (we never accept DER ourselves)."""
    from cryptography.hazmat.primitives.asymmetric.utils import (
        decode_dss_signature,
        encode_dss_signature,
    )

    try:
        r, s = decode_dss_signature(der)
        if encode_dss_signature(r, s) != der:
            return None
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")
    except (ValueError, OverflowError):
        return None


def _edge(compact):
    """x(R) was above the order: recovery needs another id, and our combiner refuses it."""
    return int.from_bytes(compact[:32], "big") < 2**256 - SECP256K1.ORDER


SECOND = "0216c87ee1ca05f4fb280d48481af7cc899e30f6160e7a9c06023edc22ab741c12"
"""Pinned: other bytes would be another commitment scheme."""
