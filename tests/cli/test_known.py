"""The command line pins the network that a URL showed first, and believes no other there."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.agent.fake_ledger import FakeLedger
from tests.agent.fake_network import WORLD, serving
from tests.cli.shell import Shell
from tests.proof.world import World


@pytest.fixture
def ledger() -> Iterator[FakeLedger]:
    with serving(FakeLedger()) as running:
        assert isinstance(running, FakeLedger)
        yield running


def pins(shell: Shell) -> Path:
    return shell.folder / "config" / "keymoot" / "networks.json"


def become(ledger: FakeLedger, name: str) -> World:
    """Have another network answer at the same URL."""
    world = ledger.world = World(name)
    ledger.network, ledger.genesis = world.network, world.genesis.encode()
    ledger.founding = world.founding().to_json()
    return world


def test_the_first_use_shows_the_fingerprint_and_pins_it(shell: Shell, ledger: FakeLedger) -> None:
    first = shell.run("net", "fingerprint", "--url", ledger.url)
    assert first.returncode == 0, first.stderr
    assert WORLD.anchor.fingerprint in first.stdout
    assert f"first use of {ledger.url}: network {WORLD.network.hex0x}" in first.stderr
    assert f"fingerprint {WORLD.anchor.fingerprint}" in first.stderr
    again = shell.json("net", "fingerprint", "--url", ledger.url + "/")
    assert again["fingerprint"] == WORLD.anchor.fingerprint
    assert json.loads(pins(shell).read_text()) == {
        ledger.url: {
            "network": WORLD.network.hex0x,
            "verifyingKey": "0x" + WORLD.verifying_key.hex(),
        }
    }
    assert "first use" not in shell.run("net", "fingerprint", "--url", ledger.url).stderr


def test_another_network_at_that_url_is_refused_until_the_pin_is_taken_back(
    shell: Shell, ledger: FakeLedger
) -> None:
    assert shell.run("net", "fingerprint", "--url", ledger.url).returncode == 0
    other = become(ledger, "thief")
    for command in (
        ("net", "fingerprint"),
        ("wallet", "show", "0x" + "01" * 32),
        ("wallet", "log", "yield"),
    ):
        refused = shell.run(*command, "--url", ledger.url)
        assert refused.returncode == 1
        assert f"shows network {other.network.hex0x}, pinned here is {WORLD.network.hex0x}" in (
            refused.stderr
        )
        assert f"keymoot net forget {ledger.url}" in refused.stderr
        assert not refused.stdout
    # A node that says our network's name has to show its blocks too.
    ledger.network, ledger.genesis = WORLD.network, WORLD.genesis.encode()
    assert "not believed" in shell.run("net", "fingerprint", "--url", ledger.url).stderr

    become(ledger, "thief")
    assert WORLD.anchor.fingerprint in shell.run("net", "forget", ledger.url).stdout
    accepted = shell.run("net", "fingerprint", "--url", ledger.url)
    assert other.anchor.fingerprint in accepted.stdout
    assert "first use" in accepted.stderr


def test_who_was_told_the_fingerprint_believes_no_other_from_the_start(
    shell: Shell, ledger: FakeLedger
) -> None:
    shell.environment["KEYMOOT_FINGERPRINT"] = WORLD.anchor.fingerprint.upper()
    other = become(ledger, "thief")
    refused = shell.run("net", "fingerprint", "--url", ledger.url)
    assert refused.returncode == 1
    assert f"has the fingerprint {other.anchor.fingerprint}" in refused.stderr
    assert not pins(shell).exists()
    become(ledger, "world")
    assert shell.run("net", "fingerprint", "--url", ledger.url).returncode == 0


def test_a_damaged_file_is_a_clear_error_and_stays(shell: Shell, ledger: FakeLedger) -> None:
    pins(shell).parent.mkdir(parents=True)
    for content in ("{", "[]", json.dumps({ledger.url: {"network": "0x01"}})):
        pins(shell).write_text(content)
        refused = shell.run("net", "fingerprint", "--url", ledger.url)
        assert refused.returncode == 1
        assert "is damaged" in refused.stderr
        assert pins(shell).read_text() == content


def test_several_nodes_of_one_network_are_pinned_together(shell: Shell, ledger: FakeLedger) -> None:
    with serving(FakeLedger()) as second, serving(FakeLedger()) as third:
        both = f"{ledger.url},{second.url}"
        first = shell.run("net", "fingerprint", "--url", both)
        assert f"first use of {both}: network {WORLD.network.hex0x}" in first.stderr
        assert set(json.loads(pins(shell).read_text())) == {ledger.url, second.url}
        # Each alone is known now, and with them any other that shows the same.
        for url in (second.url, ledger.url, f"{both},{third.url}"):
            shown = shell.run("net", "fingerprint", "--url", url)
            assert (shown.returncode, "first use" in shown.stderr) == (0, False)
        # One of another network is passed over, and where all are, it is said of each.
        assert isinstance(second, FakeLedger)
        become(second, "thief")
        assert (
            shell.run("net", "fingerprint", "--url", f"{second.url},{ledger.url}").returncode == 0
        )
        become(ledger, "thief")
        refused = shell.run("net", "fingerprint", "--url", both)
        assert refused.returncode == 1
        for url in (ledger.url, second.url):
            assert f"{url} shows another network" in refused.stderr
        # Nodes that are pinned for two networks are no list.
        assert isinstance(third, FakeLedger)
        become(third, "thief")
        assert shell.run("net", "fingerprint", "--url", third.url).returncode == 0
        mixed = shell.run("net", "fingerprint", "--url", f"{both},{third.url}")
        assert mixed.returncode == 1
        assert "name nodes of one network only" in mixed.stderr
        shell.run("net", "forget", both)
        assert set(json.loads(pins(shell).read_text())) == {third.url}
