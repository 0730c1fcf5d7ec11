"""What a file demands of a new network's nodes."""

import json
from pathlib import Path

import pytest

from keymoot.base.fixed import Measurement
from keymoot.cli.admission import read_admission
from keymoot.cli.output import CommandFailed
from keymoot.committee.genesis import NodeAdmission
from tests.attest import intel
from tests.committee.hardware import CHAIN, LISTS, MILAN

CODE = Measurement(b"\x5c" * 48)


def written(folder: Path, told: object) -> Path:
    file = folder / "nodes.json"
    file.write_text(json.dumps(told))
    return file


def test_all_of_it_is_read_and_files_lie_beside_it(tmp_path: Path) -> None:
    revoked = MILAN.revoked()
    for name, content in (("ask", CHAIN.signer), ("ark", CHAIN.root), ("crl", revoked)):
        (tmp_path / name).write_bytes(content)
    (tmp_path / "lists.json").write_bytes(intel.as_json(LISTS))
    told = {
        "vendors": ["tdx", "snp"],
        "mostPerMaker": 2,
        "measurements": [CODE.hex0x],
        "tcbStatuses": ["UpToDate", "SWHardeningNeeded"],
        "advisories": ["INTEL-SA-00615"],
        "tcbParts": {"snp": 23, "microcode": 200},
        "chips": ["0x" + "cc" * 64],
        "amdChains": [
            {"signer": "ask", "root": "ark"},
            {"signer": "ask", "root": "ark", "revoked": "crl"},
        ],
        "intelLists": ["lists.json"],
    }
    made, codes = read_admission(written(tmp_path, told))
    demands = made.demands
    assert (demands.vendors, demands.most_per_maker) == (("snp", "tdx"), 2)
    assert demands.machines.tcb_statuses == ("SWHardeningNeeded", "UpToDate")
    assert demands.machines.tcb_parts == {"snp": 23, "microcode": 200}
    assert (demands.machines.advisories, demands.machines.chips) == (
        ("INTEL-SA-00615",),
        (b"\xcc" * 64,),
    )
    assert made.amd_chains[0] == CHAIN.encode() != made.amd_chains[1]
    assert made.intel_lists == (LISTS.encode(),)
    assert codes == (CODE,)
    assert NodeAdmission.decode(made.encode()) == made


def test_what_is_left_out_lets_nobody_in_and_asks_nothing(tmp_path: Path) -> None:
    assert read_admission(written(tmp_path, {})) == (NodeAdmission(), ())


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ([], "JSON object"),
        ({"vendor": ["tdx"]}, "'vendor': known are"),
        ({"vendors": "tdx"}, "list"),
        ({"vendors": ["acme"]}, "vendors are tdx"),
        ({"vendors": ["simulated"]}, "SIMULATED"),
        ({"vendors": ["tdx", "tdx"]}, "twice"),
        ({"mostPerMaker": "2"}, "number of seats"),
        ({"mostPerMaker": True}, "number of seats"),
        ({"mostPerMaker": -1}, "no sign"),
        ({"tcbParts": {"snp": "23"}}, "whole numbers"),
        ({"chips": ["0x1"]}, "chips"),
        ({"measurements": ["0xab"]}, "96 hex digits"),
        ({"amdChains": [{"signer": "ask"}]}, "signer, root"),
        ({"amdChains": [{"signer": "ask", "root": "ark"}]}, "cannot be read"),
        ({"intelLists": ["nowhere.json"]}, "cannot be read"),
        ({"intelLists": ["nodes.json"]}, "expected"),
        ({"intelLists": ["a\0b"]}, "has no NUL"),
        ({"amdChains": [{"signer": "a\0b", "root": "ark"}]}, "has no NUL"),
    ],
    ids=range(18),
)
def test_what_is_none_is_refused_by_its_name(
    tmp_path: Path, told: object, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandFailed) as caught:
        read_admission(written(tmp_path, told))
    assert why in f"{caught.value}{capsys.readouterr().err}"
