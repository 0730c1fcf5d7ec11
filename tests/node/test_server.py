"""`keymoot up` as an operator meets it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keymoot.base.units import Wei, seconds_of
from keymoot.node.server import _public
from tests.node.running import PATIENCE_SECONDS, RECOVERY, pay, running, wallet_with_agent


def test_ctrl_c_and_restart_lose_nothing(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
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


def test_a_second_node_on_the_same_folder_or_port_is_told_so(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
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


def test_the_screen_says_simulated_and_where_things_are(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        shown = node.log.read_text()
        assert "SIMULATED" in shown
        assert node.url in shown
        assert str(node.data) in shown
        assert str(node.fuse) in shown


def test_the_data_folder_is_private(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        node.owner().create("x", RECOVERY, Wei(10**18))
        for path in [node.data, *node.data.rglob("*"), node.fuse]:
            assert path.stat().st_mode & 0o077 == 0, path


def test_an_enclave_that_dies_is_started_again_and_signing_goes_on(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        owner = node.owner()
        _, _, account = wallet_with_agent(node, owner)
        account.sign_transaction(pay(0))
        for round_, pid in enumerate(node.enclaves()):
            os.kill(pid, signal.SIGKILL)
            account.sign_transaction(pay(10 + round_))
            deadline = time.monotonic() + PATIENCE_SECONDS
            while not all(one["seated"] for one in seats(node)):
                assert time.monotonic() < deadline, seats(node)
                time.sleep(0.05)
            account.sign_transaction(pay(20 + round_))
        assert sum(one["restarts"] for one in seats(node)) == len(seats(node))
        assert "enclave.ended" in node.log.read_text()


def seats(node) -> list:
    return node.network.call("keymoot_assembly")["seats"]


def test_the_enclave_dies_with_its_node(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        children = node.enclaves()
        os.kill(node.process.pid, signal.SIGKILL)
        node.process.wait()
        deadline = time.monotonic() + PATIENCE_SECONDS
        while any(Path(f"/proc/{pid}").exists() for pid in children):
            assert time.monotonic() < deadline
            time.sleep(0.02)
        node.process = None


@pytest.mark.parametrize("process", ["node", "enclave"])
def test_secrets_are_in_no_argv_and_no_environment(tmp_path: Path, process: str) -> None:
    with running(tmp_path / "node") as node:
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
