"""Intel's lists on the command line: shown, posted, and what is not sent, under a test's Intel."""

from dataclasses import replace

import pytest

from keymoot.agent import https
from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.https import HttpsAnswer
from keymoot.agent.vendor_lists import posted_amd_chain, posted_intel_lists
from keymoot.attest import vendors
from keymoot.attest.certificates import pem_of
from keymoot.attest.snp import AmdChain
from tests.attest import amd, intel
from tests.attest.authority import SINCE, UNTIL
from tests.cli.shell import BY, Shell
from tests.node.in_memory import in_memory

INTEL = intel.factory()
LISTS = INTEL.collateral(since=SINCE + 5)
MILAN = amd.factory("Milan")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendors, "intel_root", lambda: INTEL.trusted)
        patch.setattr(vendors, "amd_lines", lambda: (MILAN.line,))
        with in_memory(tmp_path_factory.mktemp("lists")) as net:
            yield net


@pytest.fixture
def person(shell: Shell, net) -> Shell:
    shell.environment["KEYMOOT_URL"] = net.network.url
    shell.become_owner()
    (shell.folder / "tdx.json").write_bytes(intel.as_json(LISTS))
    return shell


def test_lists_are_shown_posted_and_not_posted_again(person, net):
    (entry,) = person.json("app", "lists", "show", "tdx.json")["lists"]
    assert (entry["machines"], entry["until"]) == (f"TDX {intel.FMSPC} platforms", UNTIL)
    assert (entry["standing"], entry["ledger"]) == ("FRESH", None)
    assert posted_intel_lists(net.network, "TDX", intel.FMSPC, "platforms")[0] is None
    (done,) = person.json("app", "lists", "post", "tdx.json", *BY)["lists"]
    assert done["height"] > 0
    assert posted_intel_lists(net.network, "TDX", intel.FMSPC, "platforms")[0] == LISTS
    again = person.run("app", "lists", "post", "tdx.json", *BY)
    assert (again.returncode, "has these already" in again.stderr) == (0, True)
    person.folder.joinpath("older.json").write_bytes(intel.as_json(INTEL.collateral()))
    older = person.run("app", "lists", "post", "older.json", *BY)
    assert (older.returncode, "is older than the one" in older.stderr) == (1, True)
    assert "these very lists" in person.run("app", "lists", "show", "tdx.json").stdout


def test_what_is_not_intels_is_not_sent(person):
    person.folder.joinpath("other.json").write_bytes(intel.as_json(intel.other().collateral()))
    forged = replace(INTEL.collateral(), tcb_signature=b"\1" * 64)
    person.folder.joinpath("forged.json").write_bytes(intel.as_json(forged))
    person.folder.joinpath("none.json").write_text("{}")
    for file, why in (
        ("other.json", "does not end in"),
        ("forged.json", "not signed by"),
        ("none.json", "no collateral as dcap-qvl saves it"),
        ("absent.json", "cannot be read"),
    ):
        done = person.run("app", "lists", "post", file, *BY)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr
    assert "name files" in person.run("app", "lists", "show").stderr


def test_lists_that_ended_are_not_sent(person):
    ended = INTEL.collateral(until=SINCE + 86_400)
    person.folder.joinpath("old.json").write_bytes(intel.as_json(ended))
    done = person.run("app", "lists", "post", "old.json", *BY)
    assert (done.returncode, "fetch newer lists" in done.stderr) == (1, True), done.stderr
    assert "STALE" in person.run("app", "lists", "show", "old.json").stdout


def test_a_service_that_is_away_is_said_so(person, monkeypatch):
    def away(url):
        raise NetworkUnreachable(url, "no route")

    monkeypatch.setattr(https, "https_get", away)
    done = person.run("app", "lists", "show", "--fetch", f"TDX:{intel.FMSPC}")
    assert (done.returncode, "no route" in done.stderr) == (1, True), done.stderr
    done = person.run("app", "lists", "show", "--fetch", "TDX:zz")
    assert "12 digits of hex" in done.stderr


ASK, ARK = MILAN.issuers["VCEK"][0].chain


def amds(person: Shell, **dates: int) -> tuple[str, str]:
    """Write AMD's files as its service gives them."""
    (person.folder / "cert_chain").write_bytes(pem_of([ASK, ARK]))
    (person.folder / "crl").write_bytes(MILAN.revoked(5, **dates))
    return "cert_chain", "crl"


def test_amds_certificates_and_its_list_are_shown_and_posted(person, net):
    files = amds(person)
    (entry,) = person.json("app", "lists", "show", "cert_chain")["lists"]
    assert (entry["vendor"], entry["machines"]) == ("AMD", "SEV-VCEK-Milan")
    assert (entry["standing"], entry["ledger"], entry["revoked"]) == ("FRESH", None, False)
    (done,) = person.json("app", "lists", "post", "cert_chain", *BY)["lists"]
    assert done["height"] > 0
    # A list of revoked keys is added, and from then on there is one.
    (entry,) = person.json("app", "lists", "show", *files)["lists"]
    assert (entry["same"], entry["older"], entry["revoked"]) == (False, False, True)
    (done,) = person.json("app", "lists", "post", *files, *BY)["lists"]
    assert done["height"] > 0
    assert posted_amd_chain(net.network, ASK)[0] == AmdChain(
        ASK, ARK, (person.folder / "crl").read_bytes()
    )
    again = person.run("app", "lists", "post", *files, *BY)
    assert (again.returncode, "has these already" in again.stderr) == (0, True)
    without = person.run("app", "lists", "post", "cert_chain", *BY)
    assert (without.returncode, "is older than the one" in without.stderr) == (1, True)
    text = person.run("app", "lists", "show", *files).stdout
    assert "AMD's certificates of SEV-VCEK-Milan, with its list of revoked keys" in text
    assert "these very lists" in text


def test_both_vendors_files_go_together(person):
    entries = person.json("app", "lists", "show", "tdx.json", *amds(person))["lists"]
    assert [entry["vendor"] for entry in entries] == ["Intel", "AMD"]


def test_what_is_not_amds_is_not_sent(person):
    amds(person)
    stranger = amd.other().issuers["VCEK"][0].chain
    (person.folder / "strange").write_bytes(pem_of(stranger))
    (person.folder / "forged").write_bytes(amd.other().revoked(5))
    (person.folder / "ended").write_bytes(MILAN.revoked(5, until=SINCE + 86_400))
    (person.folder / "ask.der").write_bytes(ASK)
    for files, why in (
        (["strange"], "the root is none of AMD's"),
        (["cert_chain", "forged"], "is not signed by"),
        (["cert_chain", "ended"], "fetch newer lists"),
        (["ask.der"], "whose certificate is in none of these files"),
        (["crl"], "name the certificate"),
    ):
        done = person.run("app", "lists", "post", *files, *BY)
        assert (done.returncode, why in done.stderr) == (1, True), done.stderr


def test_amds_service_is_asked_for_a_line(person, monkeypatch):
    asked = []

    def answers(url):
        asked.append(url)
        return HttpsAnswer(MILAN.revoked(5) if url.endswith("crl") else pem_of([ASK, ARK]), {})

    monkeypatch.setattr(https, "https_get", answers)
    (entry,) = person.json("app", "lists", "show", "--fetch", "snp:milan")["lists"]
    assert (entry["vendor"], entry["revoked"]) == ("AMD", True)
    person.json("app", "lists", "show", "--fetch", "SNP:MILAN", "--service", "https://cache.test")
    at = "/vcek/v1/Milan/"
    hosts = ["https://kdsintf.amd.com", "https://cache.test"]
    assert asked == [host + at + name for host in hosts for name in ("cert_chain", "crl")]
    assert "SNP:MILAN" in person.run("app", "lists", "show", "--fetch", "SNP:ROME").stderr
