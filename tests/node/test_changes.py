"""Members of a real network come and go while agents sign: no error, and no other address."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.agent.derived_keys import DerivedKeys
from keymoot.node.admin.control import FILE_NAME
from keymoot.node.admin.question import NodeRefused, ask
from keymoot.node.config import FUSE_VARIABLE
from tests.node.running import PATIENCE_SECONDS, Running, pay, running, wallet_with_agent
from tests.node.test_epochs import Requesters, epoch, turn, until_seated


def members(node: Running) -> list[int]:
    return [one["seat"] for one in node.network.call("keymoot_assembly")["seats"]]


def cli(node: Running, *arguments: str) -> str:
    """Run a command of `keymoot net` as a person does."""
    done = subprocess.run(
        [sys.executable, "-m", "keymoot.cli", "net", *arguments],
        env={**os.environ, FUSE_VARIABLE: str(node.fuses)},
        capture_output=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


def until_enclaves(node: Running, count: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(node.enclaves()) != count:
        assert time.monotonic() < deadline, node.enclaves()
        time.sleep(0.05)


def until_admitted(node: Running, seats: set[int]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        joining = node.network.call("keymoot_assembly")["joining"]
        if {one["seat"] for one in joining if one["admitted"]} == seats:
            return
        assert time.monotonic() < deadline, joining
        time.sleep(0.1)


def until_signed(requesters: Requesters, more: int) -> None:
    wanted = len(requesters.signed) + more
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(requesters.signed) < wanted and not requesters.errors:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_four_become_five_and_four_again_while_an_agent_signs(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        owner = node.owner()
        wallet, credential, account = wallet_with_agent(node, owner, limit=10**9)
        keys = DerivedKeys(owner.network, owner._key)
        derived = keys.derive(b"a name").expose()
        requesters = Requesters(account, 2)
        where = ("--data", str(node.data))
        # 1. One more, at the lowest vacant seat.
        assert "seat 5 joins" in cli(node, "join", *where)
        until_admitted(node, {5})
        assert members(node) == [1, 2, 3, 4]
        assert "epoch 1 has begun" in cli(node, "turn", *where, "--url", node.url)
        assert members(node) == [1, 2, 3, 4, 5]
        until_signed(requesters, 10)
        # 2. One in the middle goes, with its process, and leaves its folder.
        assert "seat 2 leaves" in cli(node, "leave", "2", *where)
        assert len(node.enclaves()) == 5
        assert "epoch 2 has begun" in cli(node, "turn", *where, "--url", node.url)
        assert members(node) == [1, 3, 4, 5]
        until_signed(requesters, 10)
        until_enclaves(node, 4)
        assert node.config.enclave_folder(2).is_dir()
        status = json.loads(cli(node, "status", "--url", node.url, "--json"))
        assert [one["seat"] for one in status["seats"]] == [1, 3, 4, 5]
        assert [one["seat"] for one in status["nodes"]] == [1, 3, 4, 5]
        assert (status["joining"], status["cheats"]) == ([], [])
        requesters.stop()
        assert not requesters.errors
        assert len(set(requesters.signed)) == len(requesters.signed)
        # 3. The present members' enclaves are started, and go on.
        node.stop()
        node.start()
        until_seated(node)
        assert (members(node), epoch(node)) == ([1, 3, 4, 5], 2)
        assert len(node.enclaves()) == 4
        # 4. A credential of before follows to them; the addresses and keys are the same.
        Account(credential, node.url).sign_transaction(pay(1))
        assert owner.show(wallet.wallet).account == wallet.account
        assert keys.derive(b"a name").expose() == derived
        # 5. A number that is free is given again.
        assert ask(node.data, "join")["seat"] == 2
        until_admitted(node, {2})
        turn(node)
        assert members(node) == [1, 2, 3, 4, 5]
        Account(credential, node.url).sign_transaction(pay(2))
        os.kill(node.enclaves()[0], signal.SIGKILL)
        until_seated(node)
        Account(credential, node.url).sign_transaction(pay(3))


def test_what_was_asked_survives_a_restart(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        wallet_with_agent(node, node.owner())
        assert ask(node.data, "join")["seat"] == 5
        ask(node.data, "leave", seat=2)
        # A kill leaves no time to write anything down.
        node.kill()
        node.start()
        until_seated(node)
        until_admitted(node, {5})
        turn(node)
        assert members(node) == [1, 3, 4, 5]
        until_enclaves(node, 4)
        assert ask(node.data, "join")["seat"] == 2


def test_a_turn_is_not_awaited_on_another_network(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node, running(tmp_path / "other") as other:
        done = subprocess.run(
            [
                *(sys.executable, "-m", "keymoot.cli", "net", "turn"),
                *("--data", str(node.data), "--url", other.url),
            ],
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 1
        assert "another network" in done.stderr
        assert epoch(node) == epoch(other) == 0


def test_who_may_not_leave_and_what_is_no_verb(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        node.owner()
        assert (node.data / FILE_NAME).stat().st_mode & 0o777 == 0o600
        with pytest.raises(NodeRefused, match="at least 4"):
            ask(node.data, "leave", seat=2)
        with pytest.raises(NodeRefused, match="nobody has seat"):
            ask(node.data, "leave", seat=9)
        for wrong in ({"seat": "2"}, {"seat": True}, {}):
            with pytest.raises(NodeRefused, match="a number"):
                ask(node.data, "leave", **wrong)
        with pytest.raises(NodeRefused, match="the verbs are"):
            ask(node.data, "open")
        turn(node)
