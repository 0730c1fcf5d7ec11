"""Evidence that real machines made: the verdicts written beside it, where it lies beside us.

The folder is no part of the repository; without it, `test_tdx` and its like say the same of
evidence made under roots of their own.
"""

from hashlib import sha256
from pathlib import Path

import pytest

from keymoot.attest.certificates import TrustedRoot, check_chain, read_pem
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.evidence import CollateralStale, DebugEnclave, EvidenceRefused
from keymoot.attest.nitro import AWS_ROOT, Aws, NitroEvidence
from keymoot.attest.policy import DebugOff
from keymoot.attest.snp import MILAN, Amd, Issuer, SnpEvidence
from keymoot.attest.tdx import DcapRefused, Intel
from keymoot.attest.verify import Collateral, verify
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.units import UnixSeconds
from tests.attest.amd import LINES
from tests.attest.bits import flipped, flips

_CHECKOUT = Path(__file__).resolve().parents[2]
_PLACES = [_CHECKOUT.parent, _CHECKOUT.parent.parent]
"""Beside the checkout, or beside the folder that a worktree is in."""

FOLDER = next(
    (one for one in (place / "shared" / "evidence" for place in _PLACES) if one.is_dir()), Path()
)
pytestmark = [
    pytest.mark.skipif(Path() == FOLDER, reason="real evidence is not beside this checkout"),
    # AMD numbers its certificates 0.
    pytest.mark.filterwarnings("ignore:Parsed a serial number"),
]

DCAP = FOLDER / "dcap"
SGX, TDX4, TDX5 = "sgx-00A067110000", "tdx-B0C06F000000", "tdx-90C06F000000"
V4_BYTES = 4_936
"""The file is padded."""


def quote(name: str) -> bytes:
    raw = (DCAP / f"{name}.bin").read_bytes()
    return DcapEvidence(raw[:V4_BYTES] if name == "tdx-v4-up-to-date" else raw).encode()


def intel(*names: str) -> Collateral:
    read = [(DCAP / f"collateral-{name}.json").read_bytes() for name in names]
    return Collateral((Intel([DcapCollateral.of_json(one) for one in read]),))


GENUINE = [
    ("tdx-v4-up-to-date", TDX4, 1751624655, "UpToDate", ()),
    ("tdx-v5-up-to-date", TDX5, 1772707833, "UpToDate", ()),
    (
        "sgx-v3-needs-hardening",
        SGX,
        1751624924,
        "ConfigurationAndSWHardeningNeeded",
        ("INTEL-SA-00289", "INTEL-SA-00615"),
    ),
]


@pytest.mark.parametrize(("name", "collateral", "now", "status", "advisories"), GENUINE)
def test_genuine_quotes(name, collateral, now, status, advisories) -> None:
    claims = verify(quote(name), intel(collateral), UnixSeconds(now))
    assert claims.vendor == name[:3]
    assert (claims.tcb.status, claims.tcb.advisories) == (status, advisories)
    assert (claims.debug, claims.migratable) == (False, False)


@pytest.mark.parametrize(
    ("name", "collateral", "now", "error", "why"),
    [
        ("sgx-v3-needs-hardening", SGX, 1753005678, CollateralStale, "tcbInfo ended"),
        ("tdx-v4-up-to-date", TDX4, 1753006563, CollateralStale, "tcbInfo ended"),
        ("must-fail/tdx-v5-no-tcb-level", TDX5, 1772707833, DcapRefused, "no level"),
        ("must-fail/sgx-v3-debug-enclave", SGX, 1751624924, DebugEnclave, "debug"),
        ("must-fail/sgx-v3-debug-occlum", SGX, 1751624924, DebugEnclave, "debug"),
        ("must-fail/tdx-v4-debug-td", TDX4, 1751624655, DebugEnclave, "debug"),
        ("must-fail/sgx-v3-no-pck-chain", SGX, 1751624924, Malformed, "not in the quote"),
    ],
)
def test_quotes_that_must_fail(name, collateral, now, error, why) -> None:
    with pytest.raises(error, match=why):
        verify(quote(name), intel(collateral), UnixSeconds(now))


def refused(evidence: bytes, believed: Collateral, now: int) -> None:
    """Raise unless it is refused, by an error of ours."""
    with pytest.raises((Malformed, EvidenceRefused)) as caught:
        verify(evidence, believed, UnixSeconds(now))
    assert isinstance(caught.value, KeymootError)


@pytest.mark.parametrize(("name", "collateral", "now", "_s", "_a"), GENUINE)
def test_any_flipped_bit_of_a_quote_is_refused(name, collateral, now, _s, _a) -> None:
    evidence, believed = quote(name), intel(collateral)
    for bit in flips(evidence, everything=name == "tdx-v4-up-to-date"):
        refused(flipped(evidence, bit), believed, now)


def test_any_flipped_bit_of_collateral_is_refused() -> None:
    raw = (DCAP / f"collateral-{TDX4}.json").read_bytes()
    evidence = quote("tdx-v4-up-to-date")
    for bit in flips(raw, everything=False):
        altered = flipped(raw, bit)
        try:
            believed = Collateral((Intel([DcapCollateral.of_json(altered)]),))
        except Malformed:
            continue
        refused(evidence, believed, 1751624655)


# -- AMD

SNP = FOLDER / "snp"
THEN = 1_700_000_000


def amd() -> Collateral:
    ask, ark = read_pem((SNP / "ask-ark-milan.pem").read_bytes(), "chain")
    return Collateral((Amd([Issuer(MILAN, (ask, ark))]),))


def report(name: str, certificate: str) -> bytes:
    raw = (SNP / name).read_bytes()
    read = bytes.fromhex(raw.decode()) if name.endswith("hex") else raw
    return SnpEvidence(read, (SNP / certificate).read_bytes()).encode()


@pytest.mark.parametrize(
    ("name", "certificate", "policy"),
    [
        ("milan-report.hex", "milan-vcek.der", 0x30000),
        ("milan-report-2.bin", "milan-vcek-2.der", 0x3001F),
    ],
)
def test_genuine_reports(name: str, certificate: str, policy: int) -> None:
    claims = verify(report(name, certificate), amd(), UnixSeconds(THEN))
    assert int.from_bytes(claims.registers["POLICY"], "little") == policy
    assert (claims.debug, claims.migratable) == (False, False)
    assert claims.tcb.parts == {"bootloader": 3, "tee": 0, "snp": 8, "microcode": 115}


@pytest.mark.parametrize("kind", ["legacy", "new"])
def test_reports_with_a_key_that_is_not_theirs(kind: str) -> None:
    refused(report("milan-report-2.bin", f"must-fail/milan-vcek-2-invalid-{kind}.der"), amd(), THEN)


def test_a_report_of_a_debugged_guest_is_refused_by_default() -> None:
    name = "must-fail/milan-report-debug-policy"
    claims = verify(report(f"{name}.bin", f"{name}.vcek"), amd(), UnixSeconds(THEN))
    assert int.from_bytes(claims.registers["POLICY"], "little") == 0xB0000
    with pytest.raises(EvidenceRefused, match="debug"):
        DebugOff().check(claims)


@pytest.mark.parametrize("line", ["milan", "genoa", "turin"])
@pytest.mark.parametrize("kind", ["", "-vlek"])
def test_roots_are_amds(line: str, kind: str) -> None:
    root: TrustedRoot = LINES[line.title()].root
    text = (SNP / f"ask-ark-{line}{kind}.pem").read_bytes()
    chain = read_pem(text.replace(b"\r\n", b"\n").rstrip(b"\n") + b"\n", "chain")
    check_chain(chain, root, UnixSeconds(1_760_000_000))


def test_any_flipped_bit_of_a_report_is_refused() -> None:
    evidence, believed = report("milan-report.hex", "milan-vcek.der"), amd()
    for bit in flips(evidence, everything=True):
        refused(flipped(evidence, bit), believed, THEN)


# -- AWS

NITRO = FOLDER / "nitro"
AWS = Collateral((Aws(),))
MADE_AT = 1665651482


def document(name: str) -> bytes:
    return NitroEvidence((NITRO / f"{name}.cbor").read_bytes()).encode()


def test_a_genuine_document() -> None:
    claims = verify(document("2022-10-13-valid"), AWS, UnixSeconds(MADE_AT))
    assert (claims.vendor, claims.made_at, claims.debug) == ("nitro", MADE_AT, False)
    assert claims.valid_until - MADE_AT < 3 * 3_600 + 60
    with pytest.raises(CollateralStale):
        verify(document("2022-10-13-valid"), AWS, UnixSeconds(MADE_AT + 3 * 3_600 + 60))


def test_a_document_of_debug_mode_is_refused_by_default() -> None:
    claims = verify(document("must-fail/2022-10-12-debug-mode"), AWS, UnixSeconds(1665582606))
    with pytest.raises(EvidenceRefused, match="debug"):
        DebugOff().check(claims)


def test_the_root_is_awss() -> None:
    (der,) = read_pem((NITRO / "aws-nitro-root.pem").read_bytes().rstrip() + b"\n", "root")
    assert sha256(der).digest() == AWS_ROOT.fingerprint


def test_any_flipped_bit_of_a_document_is_refused() -> None:
    evidence = document("2022-10-13-valid")
    for bit in flips(evidence, everything=True):
        refused(flipped(evidence, bit), AWS, MADE_AT)
