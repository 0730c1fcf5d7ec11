"""A certified header: the network's signature over its hash, or none."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.committee.certified import (
    CertifiedHeader,
    NotCertified,
    certificate_message,
    value_of,
    verify,
)
from keymoot.store.header import BLOOM_BYTES, Header
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.group import BadPoint
from tests.threshold.parties import known_root

NETWORK = NetworkId(b"\x31" * 32)
_, ROOT, SHARES = known_root(G2, 4, 2)
KEY = G2.encode(ROOT.public)
INFINITY = bytes((0xC0,)) + bytes(47)
HEADER = Header(
    parent_hash=Hash32(b"p" * 32),
    state_root=Hash32(b"s" * 32),
    transactions_root=Hash32(b"t" * 32),
    receipts_root=Hash32(b"r" * 32),
    logs_bloom=bytes(BLOOM_BYTES),
    height=Height(7),
    gas_limit=Gas(30_000_000),
    gas_used=Gas(21_000),
    time=UnixSeconds(1_800_000_000),
    generation=Hash32(b"g" * 32),
    mix_hash=Hash32(b"m" * 32),
    base_fee=Wei(1_000_000_000),
)


def signed(message):
    shares = {at: bls.sign(share, message) for at, share in SHARES.items()}
    return G1.encode(bls.combine(ROOT, message, shares)[0])


def certificate():
    signature = signed(certificate_message(NETWORK, HEADER.generation, Height(7), HEADER.hash))
    return CertifiedHeader(HEADER, signature)


def test_enough_shares_certify_and_it_travels():
    certified = certificate()
    verify(KEY, NETWORK, certified)
    assert value_of(certified.signature) == bls.value(G1.decode(certified.signature))


@pytest.mark.parametrize(
    "change",
    [
        {"height": Height(8)},
        {"generation": Hash32(bytes(32))},
        {"state_root": Hash32(b"x" * 32)},
        {"parent_hash": Hash32(b"x" * 32)},
        {"receipts_root": Hash32(b"x" * 32)},
        {"time": UnixSeconds(1_800_000_001)},
    ],
)
def test_it_is_of_one_header(change):
    with pytest.raises(NotCertified, match="another node"):
        verify(KEY, NETWORK, replace(certificate(), header=replace(HEADER, **change)))


def test_it_is_of_one_network_under_one_key():
    certified = certificate()
    with pytest.raises(NotCertified):
        verify(KEY, NetworkId(b"\x32" * 32), certified)
    with pytest.raises(NotCertified):
        verify(G2.encode(G2.base_public(5)), NETWORK, certified)


@pytest.mark.parametrize(
    "forged",
    [
        INFINITY,
        bytes(48),
        b"\xff" * 48,
        G1.encode(G1.generator),
        signed(b"something else"),
        # a share of one enclave
        G1.encode(bls.sign(SHARES[1], certificate().message(NETWORK))),
        # the negative: the same x
        bytes((certificate().signature[0] ^ 0x20,)) + certificate().signature[1:],
    ],
)
def test_nothing_else_is_a_certificate(forged):
    with pytest.raises(NotCertified):
        verify(KEY, NETWORK, CertifiedHeader(HEADER, forged))


def test_no_key_verifies_everything():
    """Under the identity as a key the identity would be everybody's signature."""
    with pytest.raises(BadPoint):
        verify(bytes((0xC0,)) + bytes(95), NETWORK, CertifiedHeader(HEADER, INFINITY))


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        rlp.encode([HEADER.encode()]),
        rlp.encode([HEADER.encode(), b"x" * 47]),
        rlp.encode([HEADER.encode(), b"x" * 49]),
        rlp.encode([HEADER.encode(), b"x" * 48, b""]),
        rlp.encode([HEADER.encode() + b"\0", b"x" * 48]),
        certificate().encode() + b"\0",
    ],
)
def test_bytes_that_are_none(raw):
    with pytest.raises(Malformed):
        CertifiedHeader.decode(raw)


def test_the_message_has_no_two_readings():
    one = certificate_message(NETWORK, Hash32(b"g" * 32), Height(1), Hash32(b"b" * 32))
    assert one.hex() == (
        "00000016"
        + b"keymoot/v1/certificate".hex()
        + "00000020"
        + "31" * 32
        + "00000020"
        + "67" * 32
        + "00000008"
        + "0000000000000001"
        + "00000020"
        + "62" * 32
    )
