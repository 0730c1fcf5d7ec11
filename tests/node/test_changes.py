"""Members of a real network come and go while agents sign: no error, and no other address."""

import json
import os
import signal
import time
from collections.abc import Iterator

import pytest

from keymoot.agent.account import Account
from keymoot.agent.derived_keys import DerivedKeys
from keymoot.node.admin.control import FILE_NAME
from keymoot.node.admin.question import NodeRefused, ask
from tests.cli.shell import Shell
from tests.node.running import PATIENCE_SECONDS, Running, pay, running, wallet_with_agent
from tests.node.test_epochs import Requesters, epoch, turn, until_seated

pytestmark = pytest.mark.long


def members(node: Running) -> list[int]:
    return [one["seat"] for one in node.network.call("keymoot_assembly")["seats"]]


def cli(node: Running, *arguments: str) -> str:
    """Run a command of `keymoot net` as a person does."""
    done = Shell(node.folder).run("net", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


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


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A real network of four, which nobody else uses; these tests change it in their order."""
    with running(tmp_path_factory.mktemp("changes") / "node") as made:
        yield made


def test_a_turn_is_not_awaited_on_another_network(fresh: Running, node: Running) -> None:
    before = epoch(node)
    done = Shell(fresh.folder).run("net", "turn", "--data", str(fresh.data), "--url", node.url)
    assert done.returncode == 1
    assert "another network" in done.stderr
    assert epoch(fresh) == 0
    assert epoch(node) == before


def test_who_may_not_leave_and_what_is_no_verb(fresh: Running) -> None:
    fresh.owner()
    assert (fresh.data / FILE_NAME).stat().st_mode & 0o777 == 0o600
    with pytest.raises(NodeRefused, match="at least 4"):
        ask(fresh.data, "leave", seat=2)
    with pytest.raises(NodeRefused, match="nobody has seat"):
        ask(fresh.data, "leave", seat=9)
    for wrong in ({"seat": "2"}, {"seat": True}, {}):
        with pytest.raises(NodeRefused, match="a number"):
            ask(fresh.data, "leave", **wrong)
    with pytest.raises(NodeRefused, match="the verbs are"):
        ask(fresh.data, "open")
    turn(fresh)


def test_four_become_five_and_four_again_while_an_agent_signs(fresh: Running) -> None:
    node = fresh
    owner, begun = node.owner(), epoch(node)
    wallet, credential, account = wallet_with_agent(node, owner, limit=10**9)
    keys = DerivedKeys(owner.network, owner._key)
    derived = keys.derive(b"a name").expose()
    requesters = Requesters(account, 2)
    where = ("--data", str(node.data))
    # 1. One more, at the lowest vacant seat.
    assert "seat 5 joins" in cli(node, "join", *where)
    until_admitted(node, {5})
    assert members(node) == [1, 2, 3, 4]
    assert f"epoch {begun + 1} has begun" in cli(node, "turn", *where, "--url", node.url)
    assert members(node) == [1, 2, 3, 4, 5]
    until_signed(requesters, 10)
    # 2. One in the middle goes, with its process, and leaves its folder.
    assert "seat 2 leaves" in cli(node, "leave", "2", *where)
    assert len(node.enclaves()) == 5
    assert f"epoch {begun + 2} has begun" in cli(node, "turn", *where, "--url", node.url)
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
    # 3. A number that is free is given again; what is asked survives a kill, which leaves no time
    #    to write anything down.
    assert ask(node.data, "join")["seat"] == 2
    ask(node.data, "leave", seat=3)
    node.kill()
    node.start()
    until_seated(node)
    # 4. The present members' enclaves are started, and go on: a credential of before follows to
    #    them; the addresses and keys are the same.
    assert (members(node), epoch(node)) == ([1, 3, 4, 5], begun + 2)
    Account(credential, node.url, PATIENCE_SECONDS).sign_transaction(pay(1))
    assert owner.show(wallet.wallet).account == wallet.account
    assert keys.derive(b"a name").expose() == derived
    # 5. What was asked becomes so.
    until_admitted(node, {2})
    turn(node)
    assert members(node) == [1, 2, 4, 5]
    until_enclaves(node, 4)
    Account(credential, node.url, PATIENCE_SECONDS).sign_transaction(pay(2))
    os.kill(node.enclaves()[0], signal.SIGKILL)
    until_seated(node)
    Account(credential, node.url, PATIENCE_SECONDS).sign_transaction(pay(3))
    assert ask(node.data, "join")["seat"] == 3
