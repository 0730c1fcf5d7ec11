"""`keymoot up` as an operator meets it."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.base.units import Wei, seconds_of
from keymoot.node.server import _public, trace_crashes
from tests.node.running import RECOVERY, Running, gone, pay, running, until, wallet_with_agent


@pytest.fixture(scope="module")
def node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One network for all of these; whoever ends it starts it again."""
    with running(tmp_path_factory.mktemp("server") / "node", anew=True) as made:
        yield made


def test_ctrl_c_and_restart_lose_nothing(node: Running) -> None:
    owner = node.owner()
    wallet, _, account = wallet_with_agent(node, owner)
    account.sign_transaction(pay(0))
    before = owner.show(wallet.wallet), owner.log(wallet.wallet)
    balance = owner.network.balance(owner.address)
    assert node.stop() == 0
    assert "nothing is lost" in node.log.read_text()
    node.start()
    assert (owner.show(wallet.wallet), owner.log(wallet.wallet)) == before
    assert owner.network.balance(owner.address) == balance
    account.sign_transaction(pay(1))


def test_a_second_node_on_the_same_folder_or_port_is_told_so(node: Running, tmp_path: Path) -> None:
    for data, port, word in (
        (node.data, "0", "another node runs on"),
        (tmp_path / "other", str(node.port), "--port"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "keymoot.cli", "up", "--data", str(data), "--port", port],
            capture_output=True,
            text=True,
            env={**os.environ, "KEYMOOT_SIMULATED_CPU": str(node.fuses)},
        )
        assert done.returncode == 1
        assert word in done.stderr
        assert "Traceback" not in done.stderr


def test_the_screen_says_simulated_and_where_things_are(node: Running) -> None:
    shown = node.log.read_text()
    assert "SIMULATED" in shown
    assert node.url in shown
    assert str(node.data) in shown
    assert str(node.fuse) in shown


def test_the_data_folder_is_private(node: Running) -> None:
    node.owner().create("x", RECOVERY, Wei(10**18))
    for path in [node.data, *node.data.rglob("*"), node.fuse]:
        assert path.stat().st_mode & 0o077 == 0, path


def test_an_enclave_that_dies_is_started_again_and_signing_goes_on(node: Running) -> None:
    owner = node.owner()
    _, _, account = wallet_with_agent(node, owner)
    account.sign_transaction(pay(0))
    for round_, pid in enumerate(node.enclaves()):
        os.kill(pid, signal.SIGKILL)
        account.sign_transaction(pay(10 + round_))
        until(lambda ended=round_ + 1: restarts(node) == ended and all_seated(node))
        account.sign_transaction(pay(20 + round_))
    assert restarts(node) == len(seats(node))
    assert "enclave.ended" in node.log.read_text()


def seats(node: Running) -> list[dict]:
    return node.network.call("keymoot_assembly")["seats"]


def restarts(node: Running) -> int:
    return sum(one["restarts"] for one in seats(node))


def all_seated(node: Running) -> bool:
    return all(one["seated"] for one in seats(node))


def test_the_enclave_dies_with_its_node(node: Running) -> None:
    children = node.enclaves()
    os.kill(node.process.pid, signal.SIGKILL)
    node.process.wait()
    until(lambda: all(gone(pid) for pid in children))
    node.process = None
    node.start()


@pytest.mark.parametrize("process", ["node", "enclave"])
def test_secrets_are_in_no_argv_and_no_environment(node: Running, process: str) -> None:
    pid = str(node.process.pid)
    if process == "enclave":
        pid = str(node.enclaves()[0])
    seen = Path(f"/proc/{pid}/cmdline").read_bytes() + Path(f"/proc/{pid}/environ").read_bytes()
    fuse = node.fuse.read_bytes()
    assert fuse not in seen
    assert fuse.hex().encode() not in seen


def test_what_stops_the_node_is_placed_but_words_of_others_are_not_repeated() -> None:
    try:
        seconds_of("what nobody should read")
    except TypeError as error:
        shown = _public(error)
    assert shown.startswith("a defect of ours, builtins.TypeError at base/units.py:")
    assert "operand" not in shown


@pytest.mark.parametrize("stderr", [io.StringIO(), None], ids=["no file", "nothing"])
def test_runs_where_standard_error_is_no_file(
    stderr: io.StringIO | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stderr", stderr)
    trace_crashes()
