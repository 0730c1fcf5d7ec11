"""Evidence of this machine's hardware, through doors that tests imitate."""

import json
from contextlib import contextmanager
from pathlib import Path

import pytest

from keymoot.attest.evidence import ReportData
from keymoot.attest.quote import read_quote
from keymoot.attest.verify import Collateral, verify
from keymoot.base.units import UnixSeconds
from keymoot.daemon import machine
from keymoot.daemon.errors import NoEvidenceHere
from keymoot.daemon.machine import produce_here
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW
from tests.attest.kernel import Tsm, nsm, table_of
from tests.daemon.conftest import Asking
from tests.daemon.instance import MemoryInstance

ALL = Collateral((intel.factory().believed(), amd.factory().believed(), aws.factory().believed()))
BOUND = ReportData(bytes(range(64)))


def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: Tsm) -> Path:
    """Have configfs-tsm at a path, which makes a folder of its own for each question."""
    names: list[str] = []

    @contextmanager
    def made(name: str, reports: Path):
        assert reports == tmp_path
        assert name not in names
        names.append(name)
        yield kernel

    monkeypatch.setattr(machine, "report_folder", made)
    return tmp_path


@pytest.mark.parametrize(
    ("kernel", "vendor"),
    [
        (Tsm(), "tdx"),
        (Tsm("sev_guest", table_of(vcek=amd.factory().leaf("VCEK"))), "snp"),
    ],
)
def test_linux_is_asked_where_it_has_reports(tmp_path, monkeypatch, kernel, vendor):
    produce = produce_here(tmp_path / "none", folder(tmp_path, monkeypatch, kernel))
    for bound in (BOUND, ReportData(bytes(64))):
        claims = verify(produce(bound), ALL, UnixSeconds(NOW))
        assert (claims.vendor, claims.report_data) == (vendor, bound)


def test_the_module_is_asked_where_there_is_one(tmp_path, monkeypatch):
    device = tmp_path / "nsm"
    device.touch()
    monkeypatch.setattr(machine, "ask_nsm", lambda asked, most, at: nsm(asked))
    claims = verify(produce_here(device, tmp_path)(BOUND), ALL, UnixSeconds(NOW))
    assert (claims.vendor, claims.report_data) == ("nitro", BOUND)


def test_where_there_is_neither_it_says_what_to_do(tmp_path):
    with pytest.raises(NoEvidenceHere, match="confidential machine"):
        produce_here(tmp_path / "none", tmp_path / "nothing")


def test_intels_tools_get_intels_quote(tmp_path, monkeypatch):
    instance = MemoryInstance(vendor="tdx")
    instance.evidence = produce_here(tmp_path / "none", folder(tmp_path, monkeypatch, Tsm()))
    asking = Asking(instance)
    told = asking.json("POST", "/GetQuote", {"report_data": "ab"})
    fields = read_quote(bytes.fromhex(told["quote"])).fields
    assert fields["reportData"] == b"\xab".ljust(64, b"\0")
    # our own verifiers read the other form
    whole = bytes.fromhex(asking.json("POST", "/Attest", {"report_data": "ab"})["attestation"])
    assert verify(whole, ALL, UnixSeconds(NOW)).report_data == fields["reportData"]
    tcb = json.loads(asking.json("POST", "/Info")["tcb_info"])
    assert [tcb[name] for name in ("mrtd", "rtmr0", "rtmr3")] == [
        fields[name].hex() for name in ("MRTD", "RTMR0", "RTMR3")
    ]
