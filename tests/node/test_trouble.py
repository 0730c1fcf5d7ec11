"""What goes wrong on an operator's machine is named, and the node goes on as far as it can."""

import asyncio
import os
import signal
import time
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.agent.errors import NetworkRefused
from keymoot.base.units import UnixNanos
from keymoot.cli.net import _health, _storage_fields
from keymoot.node import wiring
from keymoot.node.config import FUSE_VARIABLE
from keymoot.node.supervisor.health import OFTEN, SILENT_SECONDS, Health
from keymoot.testing.clients import served
from keymoot.testing.network import memory
from tests.cli.shell import Shell
from tests.cli.terminal import QuickTerminal, Terminal
from tests.engine.disks import fill, small_disk
from tests.node.running import (
    PATIENCE_SECONDS,
    Running,
    children_of,
    gone,
    pay,
    running,
    until,
    wallet_with_agent,
)

pytestmark = pytest.mark.long


def committee_status(node: Running) -> dict:
    return node.network.call("keymoot_assembly")


def seat(node: Running, number: int) -> dict:
    return next(one for one in committee_status(node)["seats"] if one["seat"] == number)


def status(node: Running) -> str:
    done = Shell(node.folder).run("net", "status", "--url", node.url)
    assert done.returncode == 0, done.stderr
    return done.stdout


def refused_start(node: Running, *options: str, fuse: Path | None = None) -> str:
    """Start a node that does not start; give what it says."""
    where = ("--data", str(node.data), "--port", "0")
    variables = {FUSE_VARIABLE: str(fuse or node.fuses)}
    at = QuickTerminal(node.folder, "up", *where, *options, variables=variables)
    assert at.end() == 1, at.shown
    return at.shown


@pytest.mark.timeout(600)
def test_a_folder_with_faults_starts_with_the_others_or_says_what_is_wrong(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        owner = node.owner()
        wallet, _, account = wallet_with_agent(node, owner)
        account.sign_transaction(pay(0))
        assert node.stop() == 0
        keeps = {at: node.config.enclave_folder(at) / "keep.sealed" for at in (2, 3)}
        whole = {at: path.read_bytes() for at, path in keeps.items()}

        # Options of a new network are no wishes to an existing one.
        for options, words in (
            (["--nodes", "7"], "has 4 enclaves, and --nodes 7 is for a new one"),
            (["--epoch-seconds", "61"], "lives 3600 seconds, and --epoch-seconds 61 is for a new"),
        ):
            assert words in refused_start(node, *options)

        # More than a third are damaged: all of them are listed.
        for path in keeps.values():
            path.write_bytes(b"damaged")
        said = refused_start(node)
        assert "2 of 4 enclaves do not start, and at most 1 may be missing" in said
        for at, path in keeps.items():
            assert f"seat {at}: {path} does not open" in said

        # Another machine's fuses: nothing is made in their place.
        said = refused_start(node, fuse=tmp_path / "other" / "fuse.key")
        assert str(tmp_path / "other" / "fuse-1.key") in said
        assert f"{node.config.enclave_folder(1)}/" in said
        assert not (tmp_path / "other").exists()

        # The ledger is gone: no new one is begun beside the enclaves of the old one.
        ledger = node.data / "ledger.mdb"
        ledger.rename(tmp_path / "ledger.mdb")
        assert f"{ledger} is missing" in refused_start(node)
        assert not ledger.exists()
        (tmp_path / "ledger.mdb").rename(ledger)

        # One may be missing: it is named, and comes back when its file does.
        keeps[3].write_bytes(whole[3])
        node.start()
        assert str(keeps[2]) in seat(node, 2)["health"]["trouble"]
        shown = next(line for line in status(node).splitlines() if line.startswith("seat 2"))
        assert f"does not run here: {keeps[2]} does not open" in shown
        assert '"event": "seat.absent"' in node.log.read_text()
        account.sign_transaction(pay(1))
        keeps[2].write_bytes(whole[2])
        until(lambda: seat(node, 2)["seated"])
        assert seat(node, 2)["health"]["trouble"] is None
        account.sign_transaction(pay(2))
        assert owner.show(wallet.wallet).log_length == 3


def test_a_crash_in_the_very_first_start_leaves_a_folder_that_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def power_cut(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    with memory(7, tmp_path, batch=2) as world:

        async def begin() -> None:
            async with world.up():
                raise AssertionError

        with monkeypatch.context() as patch:
            patch.setattr(wiring, "open_chain", power_cut)
            with pytest.raises(ZeroDivisionError):
                world.run(begin())
        with served(world) as net:
            _, _, account = wallet_with_agent(net, net.owner())
            account.sign_transaction(pay(0))


@pytest.mark.timeout(600)
def test_an_enclave_that_hangs_is_named_and_closing_the_terminal_stops_the_node(
    tmp_path: Path,
) -> None:
    node = Running(tmp_path / "node")
    node.folder.mkdir()
    where = ("--data", str(node.data), "--port", str(node.port))
    at = Terminal(node.folder, "up", *where, variables={FUSE_VARIABLE: str(node.fuses)})
    at.wait_for("Next: keymoot wallet create")
    _, _, account = wallet_with_agent(node, node.owner())
    enclaves = children_of(at.pid)
    by_seat = {}
    for pid in enclaves:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        by_seat[int(command.split("enclave-")[1].split("\0")[0])] = pid
    os.kill(by_seat[3], signal.SIGSTOP)
    since = until(lambda: seat(node, 3)["health"]["silentSince"])
    assert abs(since - time.time()) < PATIENCE_SECONDS
    shown = next(line for line in status(node).splitlines() if line.startswith("seat 3"))
    assert "HANGS: answers nothing since 20" in shown
    at.wait_for('"event": "enclave.hangs"')
    account.sign_transaction(pay(0))
    os.kill(by_seat[3], signal.SIGCONT)
    until(lambda: seat(node, 3)["health"]["silentSince"] is None)
    at.wait_for("enclave.answers_again")
    assert "enclave.ended" not in at.shown
    # The node cannot say goodbye to a terminal that is gone, and does not fail over that.
    assert at.hang_up() == 0
    assert not (node.data / "control").exists()
    until(lambda: all(gone(pid) for pid in enclaves))


@pytest.mark.timeout(600)
def test_a_full_disk_under_a_real_node(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "node" / "data", 20_000_000) as disk,
        running(tmp_path / "node") as node,
    ):
        owner = node.owner()
        wallet, credential, account = wallet_with_agent(node, owner)
        account.sign_transaction(pay(0))
        filling = fill(disk)

        # Whoever sends is told so by name, at the latest when the file's own spare room is used.
        seen: list[Exception] = []
        hasty = Account(credential, node.url, timeout_seconds=3)

        def refused() -> NetworkRefused | None:
            for nonce in range(1, 200):
                try:
                    hasty.sign_transaction(pay(nonce), idempotency_key="0x" + f"{nonce:064x}")
                except NetworkRefused as error:
                    return error
                except Exception as error:
                    seen.append(error)  # What was on its way when the disk filled up.
            return None

        error = until(refused)
        assert error.rpc_code == -32002
        assert "the disk is full" in str(error) or "it is full, or it fails" in str(error)
        assert "a defect of ours" not in node.log.read_text()
        # Reads are answered, and the state has its name.
        log = owner.log(wallet.wallet)
        assert log
        assert owner.network.balance(owner.address) > 0
        assert "TAKES NOTHING: the ledger's file ledger.mdb" in status(node)
        until(lambda: "storage.takes_nothing" in node.log.read_text())
        # Also after a start on the full disk.
        node.kill()
        node.start()
        assert owner.log(wallet.wallet)[: len(log)] == log
        # There is space again: nothing has to be started.
        filling.unlink()
        until(lambda: committee_status(node)["storage"] is None)
        until(lambda: committee_status(node)["stock"]["presignatures"])
        account.sign_transaction(pay(1_000))
        # A terminal that ends asks for the same as Ctrl-C.
        node.process.send_signal(signal.SIGHUP)
        assert node.process.wait(PATIENCE_SECONDS) == 0
        node.process = None
        last = node.log.read_text().rpartition("starting the enclaves")[2]
        assert '"signal": "SIGHUP"' in last
        assert "nothing is lost" in last
        assert "enclave.ended" not in last


class Watch:
    """Both clocks: of the day, and of the loop."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def nanos(self) -> UnixNanos:
        return UnixNanos(1_800_000_000 * 10**9 + int(self.seconds * 10**9))

    def time(self) -> float:
        return self.seconds


def test_health_tells_what_a_person_has_to_know(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Watch()
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: clock)
    health = Health(2, clock.nanos)
    health.observe(clock.seconds)
    assert _health({"health": health.to_json()}) == ""
    clock.seconds += SILENT_SECONDS + 1
    health.observe(clock.seconds - SILENT_SECONDS - 1)
    assert "HANGS: answers nothing since 2027-01-15 08:00:00 UTC" in _health(
        {"health": health.to_json()}
    )
    for _ in range(OFTEN):
        health.ended(-9)
    shown = _health({"health": health.to_json()})
    assert "HANGS" not in shown
    assert "DOWN since 2027-01-15 08:00:11 UTC, ended 3 times in ten minutes" in shown
    health.starts_not(OSError(24, "Too many open files"))
    assert "Too many open files" in _health({"health": health.to_json()})
    health.started()
    clock.seconds += 601
    assert _health({"health": health.to_json()}) == ""


def test_an_older_node_tells_nothing_of_health_and_storage() -> None:
    assert _health({}) == ""
    assert _storage_fields({}) == {}
