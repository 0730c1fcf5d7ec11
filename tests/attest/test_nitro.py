"""A document of AWS's is believed if its chain leads to AWS, and its key signed it."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.certificates import ChainRefused
from keymoot.attest.evidence import CollateralStale, EvidenceRefused, bind
from keymoot.attest.nitro import Aws, DocumentRefused, NitroEvidence, read_envelope
from keymoot.attest.policy import AllOf, MadeWithin, RegisterIs, baseline
from keymoot.attest.verify import Collateral, verify
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.units import Seconds, UnixSeconds
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.attest.aws import CODE, factory, other
from tests.attest.bits import flipped, flips

MADE = factory()
BELIEVED = Collateral((MADE.believed(),))
KEYS = (b"identity", b"sealing")
NETWORK, NONCE = NetworkId(b"\x22" * 32), Bytes32(b"\x33" * 32)
BOUND = bind(KEYS, NETWORK, NONCE)
GOOD = MADE.evidence(BOUND)
ZEROS = bytes(64)


def read(evidence: bytes, believed: Collateral = BELIEVED, now: int = NOW):
    return verify(evidence, believed, UnixSeconds(now))


def test_claims_are_what_was_documented() -> None:
    claims = read(GOOD)
    assert (claims.vendor, claims.measurement, claims.report_data) == ("nitro", CODE, BOUND)
    assert (claims.debug, claims.migratable, claims.simulated) == (False, False, False)
    assert (claims.chip, claims.made_at, claims.valid_until) == (None, NOW, UNTIL)


def test_a_document_is_verified_under_a_policy() -> None:
    claims = read(GOOD)
    fresh = MadeWithin(UnixSeconds(NOW + 300), Seconds(300))
    AllOf((baseline([Measurement(CODE)], BOUND), RegisterIs("PCR4", b"\x04" * 48), fresh)).check(
        claims
    )
    for report in (
        bind((b"someone else's", b"sealing"), NETWORK, NONCE),
        bind(KEYS, NetworkId(b"\x44" * 32), NONCE),
        bind(KEYS, NETWORK, Bytes32(b"\x44" * 32)),
    ):
        with pytest.raises(EvidenceRefused, match="binds other keys"):
            baseline([Measurement(CODE)], report).check(claims)
    with pytest.raises(EvidenceRefused, match="301 s old"):
        MadeWithin(UnixSeconds(NOW + 301), Seconds(300)).check(claims)


def test_zeros_for_the_image_are_debug_mode() -> None:
    claims = read(MADE.evidence(BOUND, pcrs={at: bytes(48) for at in range(16)}))
    with pytest.raises(EvidenceRefused, match="debug"):
        baseline([Measurement(bytes(48))], BOUND).check(claims)


@pytest.mark.parametrize("user", [None, b"", b"hello", b"\x01" * 65])
def test_what_is_no_binding_binds_nothing(user: bytes | None) -> None:
    assert read(MADE.evidence(user)).report_data == ZEROS


@pytest.mark.parametrize(
    "changes",
    [
        {"module_id": ...},
        {"module_id": ""},
        {"digest": "SHA256"},
        {"timestamp": 0},
        {"timestamp": -5},
        {"timestamp": True},
        {"timestamp": 1 << 63},
        {"pcrs": {}},
        {"pcrs": {1: bytes(48)}},
        {"pcrs": {0: bytes(32)}},
        {"pcrs": {0: CODE, 32: bytes(48)}},
        {"pcrs": {0: CODE, 1: bytes(65)}},
        {"pcrs": [CODE]},
        {"pcrs": {0: CODE, "1": bytes(48)}},
        {"certificate": None},
        {"certificate": bytes(5_000)},
        {"certificate": b"no certificate"},
        {"cabundle": []},
        {"cabundle": [MADE.bundle[0]] * 6},
        {"cabundle": [b"x"]},
        {"cabundle": "x"},
        {"nonce": bytes(1_025)},
        {"user_data": "text"},
        {"more": 1},
    ],
)
def test_fields_that_are_not_of_a_document(changes: dict) -> None:
    with pytest.raises((Malformed, ChainRefused)):
        read(MADE.evidence(BOUND, **changes))


PAYLOAD = MADE.payload(BOUND)


@pytest.mark.parametrize(
    "document",
    [
        MADE.document(PAYLOAD, header=bytes.fromhex("a1013823")),
        MADE.document(PAYLOAD, unprotected={4: b"key"}),
        MADE.document(PAYLOAD) + b"\x00",
        b"\xd2" + MADE.document(PAYLOAD),
        cbor2.dumps([1, 2, 3]),
        cbor2.dumps({}),
        b"\x81" * 15_000 + b"\x00",
        b"\x9b" + b"\xff" * 8,
        b"\x5b" + b"\xff" * 8,
        bytes.fromhex("d82363286129"),
        b"\xfb" + bytes(8),
        b"\x9f\xff",
    ],
)
def test_documents_in_another_form(document: bytes) -> None:
    with pytest.raises(Malformed):
        read(NitroEvidence(document).encode())


def test_a_key_twice_is_refused() -> None:
    twice = cbor2.dumps(PAYLOAD)
    assert twice[0] == 0xA9
    twice = b"\xaa" + twice[1:] + cbor2.dumps("digest") + cbor2.dumps("SHA384")
    with pytest.raises(Malformed, match="not CBOR as documents have it"):
        read(NitroEvidence(MADE.document(twice)).encode())


def test_a_pattern_in_the_payload_is_not_made() -> None:
    payload = cbor2.dumps(PAYLOAD).replace(
        cbor2.dumps("nonce") + b"\xf6", cbor2.dumps("nonce") + bytes.fromhex("d82363286129")
    )
    with pytest.raises(Malformed, match="no tags"):
        read(NitroEvidence(MADE.document(payload)).encode())


def test_refuses_another_root() -> None:
    stranger = other()
    with pytest.raises(ChainRefused, match="does not end in a test's root"):
        read(stranger.evidence(BOUND))
    with pytest.raises(ChainRefused, match="AWS Nitro Enclaves root G1"):
        read(GOOD, Collateral((Aws(),)))
    mixed = MADE.evidence(BOUND, cabundle=[MADE.bundle[0], *stranger.bundle[1:]])
    with pytest.raises(ChainRefused, match="did not sign"):
        read(mixed)


def test_refuses_a_document_that_another_key_signed() -> None:
    document = other().document(PAYLOAD)
    with pytest.raises(DocumentRefused, match="did not sign the document"):
        read(NitroEvidence(document).encode())


def test_an_enclaves_certificate_signs_no_certificates() -> None:
    longer = MADE.evidence(BOUND, cabundle=[*MADE.bundle, MADE.leaf])
    with pytest.raises(ChainRefused, match="may not sign certificates"):
        read(longer)


@pytest.mark.parametrize("now", [SINCE - 1, UNTIL + 1])
def test_refuses_certificates_outside_their_dates(now: int) -> None:
    with pytest.raises(CollateralStale):
        read(GOOD, now=now)


def test_any_flipped_bit_is_refused() -> None:
    for bit in flips(GOOD, everything=True):
        with pytest.raises((Malformed, EvidenceRefused)):
            read(flipped(GOOD, bit))


@given(st.data())
def test_nothing_but_our_own_errors(data: st.DataObject) -> None:
    document = NitroEvidence.decode(GOOD).document
    raw = bytearray(data.draw(st.sampled_from([document, read_envelope(document)[0]])))
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    if raw == document:
        return
    for made in (bytes(raw), MADE.document(bytes(raw))):
        try:
            read(NitroEvidence(made[:16_000]).encode())
        except (Malformed, EvidenceRefused):
            continue


cbor = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.integers() | st.text(), inner),
    max_leaves=20,
)


@given(cbor | st.binary(max_size=300))
def test_strangers_bytes_are_no_document(value: object) -> None:
    raw = value if isinstance(value, bytes) else cbor2.dumps(value)
    for document in (raw, MADE.document(raw)):
        with pytest.raises((Malformed, EvidenceRefused)):
            read(NitroEvidence(document[:16_000]).encode())
