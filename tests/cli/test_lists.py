"""Intel's lists on the command line: shown, posted, and what is not sent, under a test's Intel."""

from dataclasses import replace

import pytest

from keymoot.agent import intel_service
from keymoot.agent.errors import NetworkUnreachable
from keymoot.agent.vendor_lists import posted_intel_lists
from keymoot.attest import vendors
from tests.attest import intel
from tests.attest.authority import SINCE, UNTIL
from tests.cli.shell import Shell
from tests.node.in_memory import in_memory

INTEL = intel.factory()
LISTS = INTEL.collateral(since=SINCE + 5)
BY = ("--owner", "owner.json", "--password-file", "password")


@pytest.fixture(scope="module")
def net(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vendors, "intel_root", lambda: INTEL.trusted)
        with in_memory(tmp_path_factory.mktemp("lists")) as net:
            yield net


@pytest.fixture
def person(shell: Shell, net) -> Shell:
    shell.environment["KEYMOOT_URL"] = net.network.url
    (shell.folder / "password").write_text("secret\n")
    (shell.folder / "password").chmod(0o600)
    shell.json("key", "new", "owner.json", "--password-file", "password")
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

    monkeypatch.setattr(intel_service, "https_get", away)
    done = person.run("app", "lists", "show", "--fetch", f"TDX:{intel.FMSPC}")
    assert (done.returncode, "no route" in done.stderr) == (1, True), done.stderr
    done = person.run("app", "lists", "show", "--fetch", "TDX:zz")
    assert "12 digits of hex" in done.stderr
