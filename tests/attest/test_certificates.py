"""A chain leads to a pinned root, by certificates that may issue, within their dates.

Or nowhere.
"""

from hashlib import sha256

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.certificates import (
    MAX_CHAIN,
    ChainRefused,
    TrustedRoot,
    check_chain,
    pem_of,
    read_certificate,
    read_pem,
)
from keymoot.attest.evidence import CollateralStale
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32
from keymoot.base.units import UnixSeconds
from tests.attest.authority import NOW, SINCE, UNTIL, certificate
from tests.attest.bits import flipped, flips

KEYS = [ec.generate_private_key(ec.SECP384R1()) for _ in range(4)]
ROOT = certificate("root", KEYS[0], "root", KEYS[0])
MIDDLE = certificate("middle", KEYS[1], "root", KEYS[0], path_length=0)
LEAF = certificate("leaf", KEYS[2], "middle", KEYS[1], authority=False, until=UNTIL - 5)
PINNED = TrustedRoot("a test's root", Bytes32(sha256(ROOT).digest()))
CHAIN = [LEAF, MIDDLE, ROOT]


def walk(*chain: bytes, now: int = NOW) -> int:
    return check_chain(chain, PINNED, UnixSeconds(now))


def test_a_chain_counts_until_the_first_of_it_ends() -> None:
    assert walk(*CHAIN) == UNTIL - 5
    assert walk(ROOT) == UNTIL


@pytest.mark.parametrize(
    ("chain", "why"),
    [
        ([LEAF, MIDDLE], "does not end in a test's root"),
        ([LEAF, ROOT], "it names another issuer"),
        ([certificate("leaf", KEYS[2], "middle", KEYS[0]), MIDDLE, ROOT], "did not sign it"),
        (
            [certificate("x", KEYS[3], "leaf", KEYS[2], authority=False), *CHAIN],
            "may not sign certificates",
        ),
        (
            [
                certificate("leaf", KEYS[3], "below", KEYS[2], authority=False),
                certificate("below", KEYS[2], "middle", KEYS[1]),
                MIDDLE,
                ROOT,
            ],
            "may not stand so high",
        ),
    ],
)
def test_chains_that_lead_elsewhere(chain: list[bytes], why: str) -> None:
    with pytest.raises(ChainRefused, match=why):
        walk(*chain)


@pytest.mark.parametrize("chain", [[], [LEAF] * (MAX_CHAIN + 1)])
def test_chains_have_few_certificates(chain: list[bytes]) -> None:
    with pytest.raises(Malformed, match="1 to 6 certificates"):
        walk(*chain)


@pytest.mark.parametrize(
    ("now", "why"), [(SINCE - 1, "does not count yet"), (UNTIL - 4, "certificate 0 .* ended")]
)
def test_every_certificate_is_within_its_dates(now: int, why: str) -> None:
    with pytest.raises(CollateralStale, match=why):
        walk(*CHAIN, now=now)


def test_any_flipped_bit_is_refused() -> None:
    for at in range(3):
        for bit in flips(CHAIN[at], everything=at == 1):
            chain = [flipped(one, bit) if one is CHAIN[at] else one for one in CHAIN]
            with pytest.raises((Malformed, ChainRefused, CollateralStale)):
                walk(*chain)


def test_a_signature_has_no_unused_bits() -> None:
    # Readers take unused bits that are zero, so the signature's last byte has to be even.
    even = LEAF
    while even[-1] % 2:
        even = certificate("leaf", KEYS[2], "middle", KEYS[1], authority=False)
    at = len(even) - len(read_certificate(even, "chain").signature) - 1
    assert even[at] == 0
    assert walk(even, MIDDLE, ROOT)
    with pytest.raises(Malformed):
        walk(even[:at] + b"\x01" + even[at + 1 :], MIDDLE, ROOT)


@given(st.binary(max_size=800))
def test_strangers_bytes_are_no_certificate(raw: bytes) -> None:
    with pytest.raises(Malformed):
        read_certificate(raw, "chain")
    with pytest.raises(Malformed):
        read_pem(raw, "chain")


def test_a_long_certificate_is_not_read() -> None:
    with pytest.raises(Malformed, match="at most 4096"):
        read_certificate(bytes(4_097), "chain")


TEXT = pem_of(CHAIN)


def test_pem_has_one_form() -> None:
    assert read_pem(TEXT, "chain") == tuple(CHAIN) == read_pem(TEXT + b"\0", "chain")


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"\n" + TEXT,
        TEXT + b"\n",
        TEXT + b"\0\0",
        TEXT[:-1],
        TEXT.replace(b"\n", b"\r\n"),
        TEXT.replace(b"CERTIFICATE", b"certificate"),
        TEXT.replace(b"-----\nMII", b"-----\nMII ", 1),
        pem_of([LEAF] * (MAX_CHAIN + 1)),
    ],
)
def test_pem_in_another_form(text: bytes) -> None:
    with pytest.raises(Malformed):
        read_pem(text, "chain")


def test_any_flipped_bit_of_pem_is_another_chain() -> None:
    for bit in flips(TEXT, everything=False):
        try:
            assert read_pem(flipped(TEXT, bit), "chain") != tuple(CHAIN)
        except Malformed as error:
            assert str(error)
