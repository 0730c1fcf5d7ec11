"""Keys that AMD has taken back vouch for nobody; a list that nobody believes changes nothing."""

from dataclasses import replace

import pytest

from keymoot.attest.certificates import ChainRefused
from keymoot.attest.evidence import CollateralStale
from keymoot.attest.revocation import KeyRevoked
from keymoot.attest.snp import Amd, AmdChain
from keymoot.base.errors import Malformed
from keymoot.base.units import UnixSeconds
from tests.attest import amd
from tests.attest.authority import NOW, SINCE, UNTIL, revoked

MADE = amd.factory()
LINES = (MADE.line,)


def chain(raw: bytes, kind: str = "VCEK") -> AmdChain:
    return AmdChain(*MADE.issuers[kind][0].chain, raw)


def verified(raw: bytes, kind: str = "VCEK", now: int = NOW):
    issuer = chain(raw, kind).issuer(UnixSeconds(NOW), LINES)
    return Amd([issuer]).verify(MADE.evidence(kind=kind), UnixSeconds(now))


@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
def test_a_key_that_was_taken_back_vouches_for_nobody(kind):
    assert verified(MADE.revoked(5), kind).vendor == "snp"
    for serial in (amd.LEAF, amd.SIGNER):
        with pytest.raises(KeyRevoked, match="on its vendor's list") as caught:
            verified(MADE.revoked(5, serial), kind)
        assert caught.value.code == "KEY_REVOKED"


def test_a_list_is_the_roots_own():
    stranger = amd.other()
    for raw in (stranger.revoked(), revoked("somebody", MADE.root_key, [])):
        with pytest.raises(ChainRefused, match="is not signed by"):
            chain(raw).issuer(UnixSeconds(NOW), LINES)
    signer_key = MADE.issuers["VCEK"][1]
    with pytest.raises(ChainRefused, match="is not signed by"):
        chain(revoked("ARK-Milan", signer_key, [])).issuer(UnixSeconds(NOW), LINES)


@pytest.mark.parametrize("raw", [b"x", b"\x30\x00"])
def test_what_is_no_list_is_malformed(raw):
    with pytest.raises(Malformed, match="no revocation list"):
        chain(raw).issuer(UnixSeconds(NOW), LINES)


def test_each_flipped_bit_of_a_list_is_refused():
    raw = MADE.revoked(5)
    for bit in range(0, 8 * len(raw), 37):
        flipped = bytearray(raw)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Malformed, ChainRefused, CollateralStale)):
            chain(bytes(flipped)).issuer(UnixSeconds(NOW), LINES)


def test_a_list_that_ended_admits_nobody_and_claims_end_with_it():
    raw = MADE.revoked(5, until=NOW + 100)
    assert verified(raw).valid_until == NOW + 99
    assert verified(raw, now=NOW + 99).vendor == "snp"
    with pytest.raises(CollateralStale):
        verified(raw, now=NOW + 100)
    for at in (NOW + 100, SINCE - 1):
        with pytest.raises(CollateralStale):
            chain(MADE.revoked(5, until=NOW + 100)).issuer(UnixSeconds(at), LINES)


def test_a_newer_list_is_told_from_an_older_one_and_from_none():
    none, old, new = chain(b""), chain(MADE.revoked(5)), chain(MADE.revoked(since=SINCE + 9))
    assert [made.is_older(old) for made in (none, old, new)] == [True, False, False]
    assert [made.is_older(new) for made in (none, old, new)] == [True, True, False]
    assert not none.is_older(none)
    assert replace(old, revoked=b"").encode() == none.encode()
    assert verified(b"").valid_until == UNTIL
