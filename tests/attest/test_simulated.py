"""Simulated evidence has the shape of real evidence, and says what it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.evidence import EvidenceRefused, ReportData, bind
from keymoot.attest.simulated import (
    PUBLIC_VENDOR_ROOT_KEY,
    ROOT_VALID_FROM,
    ROOT_VALID_UNTIL,
    SimulatedVendor,
    quote,
)
from keymoot.attest.verify import Collateral, verify
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds

NOW = UnixSeconds(1_795_000_000)
CODE = Measurement(b"\x11" * 48)
NETWORK = NetworkId(b"\x22" * 32)
NONCE = Bytes32(b"\x33" * 32)
BOUND = bind([b"key one", b"key two"], NETWORK, NONCE)
BELIEVED = Collateral((SimulatedVendor(),))
GOOD = quote(CODE, BOUND)
TAG = b"keymoot-simulated-evidence/v1"


def test_claims_are_what_was_quoted() -> None:
    claims = verify(GOOD, BELIEVED, NOW)
    assert (claims.measurement, claims.report_data) == (CODE, BOUND)
    assert (claims.vendor, claims.simulated, claims.debug) == ("simulated", True, False)


def test_debug_mode_shows() -> None:
    assert verify(quote(CODE, BOUND, debug=True), BELIEVED, NOW).debug


def test_refuses_another_vendors_key() -> None:
    with pytest.raises(EvidenceRefused, match="did not sign"):
        verify(quote(CODE, BOUND, Secret(bytes(32))), BELIEVED, NOW)


def test_refuses_a_vendor_that_is_not_believed() -> None:
    with pytest.raises(EvidenceRefused, match="not admitted"):
        verify(GOOD, Collateral(), NOW)


@pytest.mark.parametrize("now", [ROOT_VALID_FROM - 1, ROOT_VALID_UNTIL])
def test_refuses_a_time_outside_the_roots_dates(now: int) -> None:
    with pytest.raises(EvidenceRefused, match="not valid"):
        verify(GOOD, BELIEVED, UnixSeconds(now))


@given(st.integers(0, 8 * len(GOOD) - 1))
def test_any_flipped_bit_is_refused(bit: int) -> None:
    raw = bytearray(GOOD)
    raw[bit // 8] ^= 1 << bit % 8
    with pytest.raises((Malformed, EvidenceRefused)):
        verify(bytes(raw), BELIEVED, NOW)


@given(st.binary(max_size=300) | st.lists(st.binary(max_size=70), max_size=6).map(rlp.encode))
def test_parser_raises_only_malformed_or_refuses(raw: bytes) -> None:
    with pytest.raises((Malformed, EvidenceRefused)):
        verify(raw, BELIEVED, NOW)


def test_refuses_a_debug_flag_that_is_neither() -> None:
    with pytest.raises(Malformed, match="debug"):
        verify(rlp.encode([TAG, CODE, BOUND, b"\x02", bytes(64)]), BELIEVED, NOW)


def test_refuses_evidence_that_is_too_long() -> None:
    with pytest.raises(Malformed, match="at most"):
        verify(bytes(16_385), BELIEVED, NOW)


def test_the_vendors_key_says_that_it_is_public() -> None:
    assert b"PUBLIC" in PUBLIC_VENDOR_ROOT_KEY.expose()


@pytest.mark.parametrize(
    ("keys", "network", "nonce"),
    [
        ([b"key one"], NETWORK, NONCE),
        ([b"key two", b"key one"], NETWORK, NONCE),
        ([b"key", b" onekey two"], NETWORK, NONCE),
        ([b"key one", b"key two"], NetworkId(bytes(32)), NONCE),
        ([b"key one", b"key two"], NETWORK, Bytes32(bytes(32))),
    ],
)
def test_binding_differs_with_everything_it_binds(
    keys: list[bytes], network: NetworkId, nonce: Bytes32
) -> None:
    assert bind(keys, network, nonce) != BOUND
    assert len(BOUND) == ReportData.LENGTH
