"""A report of AMD's is believed if its key is one of AMD's, of that chip and that firmware."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.certificates import ChainRefused
from keymoot.attest.evidence import CollateralStale, EvidenceRefused, bind
from keymoot.attest.policy import RegisterIs, TcbAtLeast, baseline
from keymoot.attest.snp import GENOA, MILAN, TURIN, Amd, Issuer, ReportRefused, SnpEvidence
from keymoot.attest.verify import Collateral, verify
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.units import UnixSeconds
from tests.attest.amd import CODE, LINES, POLICY, factory, other
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.attest.bits import flipped, flips

MADE = factory()
BELIEVED = Collateral((MADE.believed(),))
KEYS = (b"identity", b"sealing")
NETWORK, NONCE = NetworkId(b"\x22" * 32), Bytes32(b"\x33" * 32)
BOUND = bind(KEYS, NETWORK, NONCE)
GOOD = MADE.evidence(BOUND)


def read(evidence: bytes, believed: Collateral = BELIEVED, now: int = NOW):
    return verify(evidence, believed, UnixSeconds(now))


@pytest.mark.parametrize("line", LINES)
@pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
@pytest.mark.parametrize("version", [2, 3, 4, 5])
def test_claims_are_what_was_reported(line: str, kind: str, version: int) -> None:
    made = factory(line)
    claims = read(made.evidence(BOUND, kind, version=version), Collateral((made.believed(),)))
    assert (claims.vendor, claims.measurement, claims.report_data) == ("snp", CODE, BOUND)
    assert (claims.debug, claims.migratable, claims.simulated) == (False, False, False)
    assert claims.chip == (made.chip.ljust(64, b"\0") if kind == "VCEK" else None)
    expected = {"bootloader": 4, "tee": 2, "snp": 23, "microcode": 200}
    assert claims.tcb.parts == expected | ({"fmc": 1} if line == "Turin" else {})
    assert claims.valid_until == UNTIL


def test_a_report_is_verified_under_a_policy() -> None:
    claims = read(GOOD)
    baseline([Measurement(CODE)], BOUND).check(claims)
    TcbAtLeast({"snp": 23}).check(claims)
    RegisterIs("HOST_DATA", bytes(32)).check(claims)
    for report in (
        bind((b"someone else's", b"sealing"), NETWORK, NONCE),
        bind(KEYS, NetworkId(b"\x44" * 32), NONCE),
        bind(KEYS, NETWORK, Bytes32(b"\x44" * 32)),
    ):
        with pytest.raises(EvidenceRefused, match="binds other keys"):
            baseline([Measurement(CODE)], report).check(claims)
    with pytest.raises(EvidenceRefused, match="other code"):
        baseline([Measurement(bytes(48))], BOUND).check(claims)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"policy": POLICY | 1 << 19}, "debug"),
        ({"policy": POLICY | 1 << 18}, "migrated"),
        ({"changes": {0x160: b"\x01" * 32}}, "migrated"),
    ],
)
def test_debug_and_migration_show_and_are_refused(changes: dict, why: str) -> None:
    claims = read(MADE.evidence(BOUND, **changes))
    with pytest.raises(EvidenceRefused, match=why):
        baseline([Measurement(CODE)], BOUND).check(claims)


@pytest.mark.parametrize(
    ("changes", "error", "why"),
    [
        ({"version": 1}, Malformed, "version 2 to 5"),
        ({"version": 6}, Malformed, "version 2 to 5"),
        ({"policy": 1 << 16}, Malformed, "bit 17"),
        ({"changes": {0x34: b"\x02"}}, Malformed, "P-384"),
        ({"changes": {0x48: b"\x02"}}, ReportRefused, "unmask"),
        ({"changes": {0x48: b"\x1c"}}, ReportRefused, "unmask"),
        ({"changes": {0x49: b"\x01"}}, Malformed, "reserved flags"),
        ({"changes": {0x30: b"\xff\xff\xff\xff"}}, ReportRefused, "the host asked"),
        ({"changes": {0x183: b"\x01"}}, Malformed, "reserved bytes of the TCB"),
        ({"changes": {0x180: b"\x05"}}, ReportRefused, "another version of bootloader"),
        ({"changes": {0x187: b"\xc9"}}, ReportRefused, "another version of microcode"),
        ({"changes": {0x188: b"\x1a"}}, ReportRefused, "of a processor 0x1a"),
        ({"changes": {0x189: b"\x11"}}, ReportRefused, "of a processor 0x19 0x11"),
        ({"changes": {0x1A0: b"\xee"}}, ReportRefused, "another chip's"),
    ],
)
def test_reports_that_are_not_believed(changes: dict, error: type, why: str) -> None:
    with pytest.raises(error, match=why):
        read(MADE.evidence(BOUND, **changes))


def test_a_chip_that_the_report_hides_is_named_by_its_key() -> None:
    assert read(MADE.evidence(BOUND, hidden=True)).chip == MADE.chip


def test_the_chips_name_may_be_an_octet_string() -> None:
    leaf = MADE.leaf(chip=b"\x04\x40" + MADE.chip)
    assert read(SnpEvidence(MADE.report(), leaf).encode()).chip == MADE.chip


@pytest.mark.parametrize("chip", [b"", b"\x01" * 8, b"\x02" * 64, b"\x04\x41" + b"\x01" * 64])
def test_refuses_a_key_of_another_chip(chip: bytes) -> None:
    with pytest.raises(ReportRefused, match=r"another chip's|does not name"):
        read(SnpEvidence(MADE.report(), MADE.leaf(chip=chip)).encode())


@pytest.mark.parametrize("chip", [b"", b"\x01" * 8, b"\x01" * 65])
def test_refuses_a_key_of_no_chip_where_the_report_hides_it(chip: bytes) -> None:
    with pytest.raises(ReportRefused, match="does not name a chip"):
        read(SnpEvidence(MADE.report(hidden=True), MADE.leaf(chip=chip)).encode())


def test_refuses_a_key_for_other_firmware() -> None:
    with pytest.raises(ReportRefused, match="another version of snp"):
        read(SnpEvidence(MADE.report(), MADE.leaf(snp=22)).encode())


def test_refuses_a_report_that_another_key_signed() -> None:
    with pytest.raises(ReportRefused, match="did not sign"):
        read(SnpEvidence(other().report(), MADE.leaf()).encode())


def test_refuses_an_authority_that_signs_reports() -> None:
    issuer = MADE.issuers["VCEK"][0].chain[0]
    with pytest.raises(EvidenceRefused):
        read(SnpEvidence(MADE.report(), issuer).encode())


def test_refuses_another_root() -> None:
    stranger = other()
    with pytest.raises(ChainRefused, match="its issuer did not sign it"):
        read(stranger.evidence())
    chain = stranger.issuers["VCEK"][0].chain
    mixed = Amd([Issuer(MADE.line, chain)])
    with pytest.raises(ChainRefused, match="does not end in a test's ARK-Milan"):
        read(stranger.evidence(), Collateral((mixed,)))
    for line in (MILAN, GENOA, TURIN):
        with pytest.raises(ChainRefused, match=f"ARK-{line.name}"):
            read(GOOD, Collateral((Amd([Issuer(line, MADE.issuers["VCEK"][0].chain)]),)))


def test_refuses_lines_that_are_not_admitted() -> None:
    with pytest.raises(ReportRefused, match="no line that is admitted: admitted is Milan"):
        read(factory("Genoa").evidence())
    with pytest.raises(ReportRefused, match="admitted is none"):
        read(GOOD, Collateral((Amd([]),)))


@pytest.mark.parametrize("now", [SINCE - 1, UNTIL + 1])
def test_refuses_certificates_outside_their_dates(now: int) -> None:
    with pytest.raises(CollateralStale, match="newest collateral"):
        read(GOOD, now=now)


@pytest.mark.parametrize("sample", ["Milan VCEK 2", "Milan VLEK 3", "Turin VCEK 5", "Genoa VCEK 4"])
def test_any_flipped_bit_is_refused(sample: str) -> None:
    line, kind, version = sample.split()
    made = factory(line)
    evidence, believed = (
        made.evidence(BOUND, kind, version=int(version)),
        Collateral((made.believed(),)),
    )
    for bit in flips(evidence, everything=sample == "Milan VCEK 2"):
        with pytest.raises((Malformed, EvidenceRefused)):
            read(flipped(evidence, bit), believed)


@given(st.data())
def test_nothing_but_our_own_errors(data: st.DataObject) -> None:
    given_one = SnpEvidence.decode(GOOD)
    report, leaf = bytearray(given_one.report), bytearray(given_one.certificate)
    for _ in range(data.draw(st.integers(1, 4))):
        part = data.draw(st.sampled_from([report, leaf]))
        at = data.draw(st.integers(0, len(part) - 1))
        part[at] ^= data.draw(st.integers(1, 255))
    if (report, leaf) == (given_one.report, given_one.certificate):
        return
    with pytest.raises((Malformed, EvidenceRefused)):
        read(SnpEvidence(bytes(report), bytes(leaf)).encode())


@given(st.binary(max_size=1_300))
def test_strangers_bytes_are_no_report(raw: bytes) -> None:
    with pytest.raises((Malformed, EvidenceRefused)):
        read(SnpEvidence(raw[:1_184].ljust(1_184, b"\0"), raw).encode())
