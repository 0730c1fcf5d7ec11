"""A machine's own evidence, as its kernel gives it, is what verifiers take."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.evidence import EvidenceNotMade, ReportData
from keymoot.attest.nsm import MAX_REQUEST_BYTES, evidence_of, question
from keymoot.attest.tsm import certificate_of, produce
from keymoot.attest.verify import Collateral, verify
from keymoot.base.units import UnixSeconds
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW
from tests.attest.kernel import Tsm, nsm, table_of

ALL = Collateral((intel.factory().believed(), amd.factory().believed(), aws.factory().believed()))
BOUND = ReportData(bytes(range(64)))
VCEK, VLEK = (amd.factory().leaf(kind) for kind in ("VCEK", "VLEK"))


@pytest.mark.parametrize("filling", [b"", bytes(70)])
def test_tdx(filling: bytes) -> None:
    claims = verify(produce(Tsm(filling=filling), BOUND), ALL, UnixSeconds(NOW))
    assert (claims.vendor, claims.report_data) == ("tdx", BOUND)


@pytest.mark.parametrize("table", [b"", table_of(vcek=VCEK), table_of(ask=b"x", vcek=VCEK)])
def test_snp(table: bytes) -> None:
    given_by_name = b"" if table else VCEK
    evidence = produce(Tsm("sev_guest", table), BOUND, given_by_name)
    claims = verify(evidence, ALL, UnixSeconds(NOW))
    assert (claims.vendor, claims.report_data) == ("snp", BOUND)


def test_nitro() -> None:
    asked = question(BOUND)
    assert len(asked) < MAX_REQUEST_BYTES
    claims = verify(evidence_of(nsm(asked)), ALL, UnixSeconds(NOW))
    assert (claims.vendor, claims.report_data) == ("nitro", BOUND)


@pytest.mark.parametrize(
    ("kernel", "why"),
    [
        (Tsm("arm_cca_guest"), "admitted are tdx_guest and sev_guest"),
        (Tsm(others_write=1), "somebody else wrote"),
        (Tsm(says={"generation": b"many"}), "does not count"),
        (Tsm(says={"outblob": intel.factory().quote(4, intel.td_body())}), "binds something else"),
        (Tsm(says={"outblob": b""}), "no evidence"),
        (Tsm(filling=b"\x01"), "follow its end"),
        (Tsm("sev_guest", says={"outblob": b"short"}), "fetch it from AMD's service"),
        (Tsm("sev_guest", table_of(vcek=VCEK), says={"outblob": b"short"}), "no evidence"),
        (
            Tsm("sev_guest", table_of(vcek=VCEK), says={"outblob": amd.factory().report()}),
            "binds something else",
        ),
    ],
)
def test_what_a_kernel_says_is_looked_at(kernel: Tsm, why: str) -> None:
    with pytest.raises(EvidenceNotMade, match=why):
        produce(kernel, BOUND)


def test_a_chips_certificate_goes_before_a_clouds() -> None:
    assert certificate_of(table_of(vlek=VLEK, vcek=VCEK)) == VCEK
    assert certificate_of(table_of(vlek=VLEK)) == VLEK


def test_a_certificate_that_ends_behind_the_table_is_none() -> None:
    with pytest.raises(EvidenceNotMade, match="no certificate of the chip's key"):
        certificate_of(table_of(vcek=VCEK)[:-1])


@given(st.binary(max_size=600))
def test_a_hosts_table_is_strangers_bytes(raw: bytes) -> None:
    for table in (raw, table_of(vcek=VCEK)[:16] + raw):
        try:
            assert certificate_of(table) in table
        except EvidenceNotMade as error:
            assert "AMD" in str(error)


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (nsm(cbor2.dumps({"GetRandom": {}})), "InvalidOperation"),
        (b"", "no CBOR"),
        (cbor2.dumps({}), "no document"),
        (cbor2.dumps([1]), "no document"),
        (cbor2.dumps({"Attestation": {"document": "text"}}), "no document"),
        (cbor2.dumps({"Attestation": []}), "no document"),
    ],
)
def test_what_the_module_says_is_looked_at(answer: bytes, why: str) -> None:
    with pytest.raises(EvidenceNotMade, match=why):
        evidence_of(answer)
