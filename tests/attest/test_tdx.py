"""A quote of Intel's is believed if Intel's rules, and ours beside them, let it pass."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.certificates import ChainRefused, pem_of
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.evidence import (
    CollateralStale,
    DebugEnclave,
    EvidenceRefused,
    bind,
)
from keymoot.attest.policy import AllOf, TcbStatusIn, baseline
from keymoot.attest.tdx import INTEL_ROOT, DcapRefused, Intel
from keymoot.attest.verify import Collateral, verify
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, NetworkId
from keymoot.base.units import UnixSeconds
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.attest.bits import flipped, flips
from tests.attest.intel import PPID, factory, other, sgx_body, td_body

MADE = factory()
BELIEVED = Collateral((MADE.believed(),))
KEYS = (b"identity", b"sealing")
NETWORK, NONCE = NetworkId(b"\x22" * 32), Bytes32(b"\x33" * 32)
BOUND = bind(KEYS, NETWORK, NONCE)
EVIDENCE = {
    "tdx v4": MADE.evidence(4, td_body(BOUND)),
    "tdx v5": MADE.evidence(5, td_body(BOUND)),
    "tdx v5, 1.5": MADE.evidence(5, td_body(BOUND, long=True)),
    "sgx v3": MADE.evidence(3, sgx_body(BOUND)),
}
GOOD = EVIDENCE["tdx v4"]


def read(evidence: bytes, believed: Collateral = BELIEVED, now: int = NOW):
    return verify(evidence, believed, UnixSeconds(now))


@pytest.mark.parametrize("name", EVIDENCE)
def test_claims_are_what_was_quoted(name: str) -> None:
    claims = read(EVIDENCE[name])
    assert (claims.vendor, claims.report_data) == (name[:3], BOUND)
    assert (claims.debug, claims.migratable, claims.simulated) == (False, False, False)
    assert (claims.chip, claims.tcb.status, claims.valid_until) == (PPID, "UpToDate", UNTIL)


def test_a_quote_is_verified_under_a_policy() -> None:
    claims = read(GOOD)
    AllOf((baseline([claims.measurement], BOUND), TcbStatusIn())).check(claims)
    for report in (
        bind((b"someone else's", b"sealing"), NETWORK, NONCE),
        bind(KEYS, NetworkId(b"\x44" * 32), NONCE),
        bind(KEYS, NETWORK, Bytes32(b"\x44" * 32)),
    ):
        with pytest.raises(EvidenceRefused, match="binds other keys"):
            baseline([claims.measurement], report).check(claims)


@pytest.mark.parametrize(
    "change",
    [
        {"firmware": b"\xab" * 48},
        {"runtime": (b"\x09" * 48, b"\x02" * 48, b"\x03" * 48, bytes(48))},
        {"runtime": (b"\x01" * 48, b"\x09" * 48, b"\x03" * 48, bytes(48))},
        {"runtime": (b"\x01" * 48, b"\x02" * 48, b"\x09" * 48, bytes(48))},
    ],
)
def test_other_code_has_another_measurement(change: dict) -> None:
    claims, others = read(GOOD), read(MADE.evidence(4, td_body(BOUND, **change)))
    with pytest.raises(EvidenceRefused, match="other code"):
        baseline([claims.measurement], BOUND).check(others)


def test_what_code_adds_at_run_time_is_in_a_register() -> None:
    runtime = (b"\x01" * 48, b"\x02" * 48, b"\x03" * 48, b"\x09" * 48)
    claims = read(MADE.evidence(4, td_body(BOUND, runtime=runtime)))
    assert claims.measurement == read(GOOD).measurement
    assert claims.registers["RTMR3"] == b"\x09" * 48


@pytest.mark.parametrize(
    "evidence",
    [
        MADE.evidence(4, td_body(attributes=1 << 28 | 1)),
        MADE.evidence(5, td_body(attributes=1 << 28 | 1 << 5, long=True)),
        MADE.evidence(3, sgx_body(flags=7)),
    ],
)
def test_refuses_debug_mode_without_collateral(evidence: bytes) -> None:
    with pytest.raises(DebugEnclave, match="start it without"):
        read(evidence, Collateral((Intel((), MADE.trusted),)))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (td_body(attributes=1 << 28 | 1 << 29), "can be migrated.*without the MIGRATABLE"),
        (td_body(long=True, service=b"\x01" * 48), "service domain"),
        (td_body(attributes=0), "with SEPT_VE_DISABLE"),
        (td_body(attributes=1 << 28 | 1 << 10), "Reserved bits"),
    ],
)
def test_refuses_domains_that_others_can_reach(body: bytes, why: str) -> None:
    with pytest.raises(DcapRefused, match=why):
        read(MADE.evidence(5, body))


def test_the_status_and_advisories_are_intels() -> None:
    listed = MADE.collateral(status="OutOfDate", advisories=("INTEL-SA-00837",))
    claims = read(GOOD, Collateral((MADE.believed(listed),)))
    assert (claims.tcb.status, claims.tcb.advisories) == ("OutOfDate", ("INTEL-SA-00837",))
    with pytest.raises(EvidenceRefused, match="OutOfDate, admitted is UpToDate: update"):
        TcbStatusIn().check(claims)


@pytest.mark.parametrize(("now", "why"), [(SINCE - 1, "does not count yet"), (UNTIL, "ended")])
def test_refuses_collateral_outside_its_dates(now: int, why: str) -> None:
    with pytest.raises(CollateralStale, match=f"{why}.*newest collateral"):
        read(GOOD, now=now)


def test_refuses_a_list_that_ended_while_certificates_live() -> None:
    short = Collateral((MADE.believed(MADE.collateral(until=NOW)),))
    assert read(GOOD, short, NOW - 1).valid_until == NOW
    with pytest.raises(CollateralStale, match="tcbInfo ended"):
        read(GOOD, short)


def test_refuses_a_revoked_machine() -> None:
    listed = MADE.collateral(revoked_machines=(11,))
    with pytest.raises(DcapRefused, match="refused"):
        read(GOOD, Collateral((MADE.believed(listed),)))


def test_refuses_a_machine_older_than_every_level() -> None:
    listed = MADE.collateral(least_svn=6)
    with pytest.raises(DcapRefused, match=r"no level.*update its firmware"):
        read(GOOD, Collateral((MADE.believed(listed),)))


def test_refuses_machines_of_which_nothing_is_known() -> None:
    believed = Collateral((MADE.believed(MADE.collateral(fmspc="00906ED50000")),))
    with pytest.raises(EvidenceRefused, match=r"TDX machines of kind 50806F000000.*00906ED50000"):
        read(GOOD, believed)


def test_refuses_another_root() -> None:
    stranger = other()
    with pytest.raises(ChainRefused, match="does not end in a test's root"):
        read(stranger.evidence(4, td_body()))
    with pytest.raises(ChainRefused, match="does not end in Intel SGX Root CA"):
        read(GOOD, Collateral((Intel((MADE.collateral(),), INTEL_ROOT),)))
    mixed = Intel((stranger.collateral(),), MADE.trusted)
    with pytest.raises(ChainRefused, match="does not end in a test's root"):
        read(GOOD, Collateral((mixed,)))


def test_a_quote_in_a_longer_file_says_to_cut_it() -> None:
    padded = DcapEvidence(MADE.quote(4, td_body()) + bytes(70))
    with pytest.raises(Malformed, match="70 bytes follow its end: cut them off"):
        read(padded.encode())


@pytest.mark.parametrize("name", EVIDENCE)
def test_a_quote_that_ends_early_says_where(name: str) -> None:
    quote = DcapEvidence.decode(EVIDENCE[name]).quote
    for count in (0, 47, 60, 500, len(quote) - 1):
        with pytest.raises(Malformed, match="the quote ends within its"):
            read(DcapEvidence(quote[:count]).encode())


@pytest.mark.parametrize("body", [td_body(), td_body(long=True), sgx_body()])
@pytest.mark.parametrize("kind", [1, 2, 3, 4, 9])
def test_a_body_has_the_size_of_its_kind(body: bytes, kind: int) -> None:
    if (kind, len(body)) in {(2, 584), (3, 648)}:
        return
    raw = bytearray(MADE.quote(5, body, kind=kind))
    raw[4] = 0x81
    with pytest.raises(Malformed, match=f"a body of kind {kind} and {len(body)} bytes"):
        read(DcapEvidence(bytes(raw)).encode())


def test_a_quote_without_its_chain_says_what_is_missing() -> None:
    raw = bytearray(MADE.quote(3, sgx_body()))
    at = raw.index(b"\x05\x00", raw.index(b"authenticated data, 32"))
    raw[at] = 3
    with pytest.raises(Malformed, match=r"kind 3.*kind 5"):
        read(DcapEvidence(bytes(raw)).encode())


@pytest.mark.parametrize("name", EVIDENCE)
def test_any_flipped_bit_is_refused(name: str) -> None:
    for bit in flips(EVIDENCE[name], name == "tdx v4"):
        with pytest.raises((Malformed, EvidenceRefused)):
            read(flipped(EVIDENCE[name], bit))


def test_any_flipped_bit_of_collateral_is_refused() -> None:
    raw = MADE.collateral().encode()
    for bit in flips(raw, everything=False):
        with pytest.raises((Malformed, EvidenceRefused)):
            altered = DcapCollateral.decode(flipped(raw, bit))
            read(GOOD, Collateral((MADE.believed(altered),)))


@given(st.data())
def test_nothing_but_our_own_errors(data: st.DataObject) -> None:
    raw = bytearray(DcapEvidence.decode(data.draw(st.sampled_from([*EVIDENCE.values()]))).quote)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        raw[at : at + data.draw(st.integers(0, 40))] = data.draw(st.binary(max_size=40))
    quote = bytes(raw)
    if quote in {DcapEvidence.decode(one).quote for one in EVIDENCE.values()}:
        return
    with pytest.raises((Malformed, EvidenceRefused)):
        read(DcapEvidence(quote[:16_000]).encode())


@given(st.binary(max_size=2_000))
def test_strangers_bytes_are_no_quote(raw: bytes) -> None:
    with pytest.raises((Malformed, EvidenceRefused)):
        read(DcapEvidence(raw).encode())


def test_collateral_has_one_form() -> None:
    made = MADE.collateral()
    assert DcapCollateral.decode(made.encode()) == made
    assert made.machines == ("TDX", "50806F000000", "platforms")


def as_json(**changes: object) -> bytes:
    """Write collateral as services give it."""
    made = MADE.collateral()
    chains = {
        "pck_crl_issuer_chain": made.pck_crl_chain,
        "tcb_info_issuer_chain": made.tcb_chain,
        "qe_identity_issuer_chain": made.qe_chain,
    }
    octets = {
        "root_ca_crl": made.root_crl,
        "pck_crl": made.pck_crl,
        "tcb_info_signature": made.tcb_signature,
        "qe_identity_signature": made.qe_signature,
    }
    fields = {
        **{name: pem_of(chain).decode() for name, chain in chains.items()},
        **{name: value.hex() for name, value in octets.items()},
        "tcb_info": made.tcb_info.decode(),
        "qe_identity": made.qe_identity.decode(),
    }
    return json.dumps(fields | changes).encode()


def test_collateral_is_read_as_services_give_it() -> None:
    believed = MADE.believed(DcapCollateral.of_json(as_json()))
    assert read(GOOD, Collateral((believed,))).vendor == "tdx"


@pytest.mark.parametrize(
    "changes",
    [
        {"root_ca_crl": "AB"},
        {"root_ca_crl": "ab "},
        {"pck_crl": "a"},
        {"pck_crl": "zz"},
        {"tcb_info": 5},
        {"tcb_info_issuer_chain": "text"},
    ],
)
def test_collateral_in_another_form(changes: dict) -> None:
    with pytest.raises(Malformed, match=next(iter(changes))):
        DcapCollateral.of_json(as_json(**changes))


@given(st.binary(max_size=300))
def test_strangers_json_is_no_collateral(raw: bytes) -> None:
    with pytest.raises(Malformed):
        DcapCollateral.of_json(raw)
