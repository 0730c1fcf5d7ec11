"""Epochs of a real network: shares change under load, and old disks are worth nothing."""

import os
import shutil
import signal
import threading
import time
from pathlib import Path

import pytest
from eth_account.datastructures import SignedTransaction

from keymoot.agent.account import Account
from keymoot.contracts.wallet_events import RequestBound
from keymoot.contracts.wallets import Wallets
from keymoot.node.admin.question import NoNode, ask
from tests.node.running import PATIENCE_SECONDS, Running, pay, running, until, wallet_with_agent
from tests.node.test_liars import Spoiled


def epoch(node: Running) -> int:
    return node.network.call("keymoot_assembly")["epoch"]["number"]


def turn(node: Running) -> None:
    before = epoch(node)
    ask(node.data, "turn")
    deadline = time.monotonic() + PATIENCE_SECONDS
    while epoch(node) == before:
        assert time.monotonic() < deadline, str(node.network.call("keymoot_assembly"))
        time.sleep(0.05)


def until_seated(node: Running) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not all(one["seated"] for one in node.network.call("keymoot_assembly")["seats"]):
        assert time.monotonic() < deadline
        time.sleep(0.05)


class Requesters:
    """Ask for signatures over and over; keep what came and what went wrong."""

    def __init__(self, account: Account, count: int) -> None:
        self.account = account
        self.stopping = threading.Event()
        self.signed: list[SignedTransaction] = []
        self.errors: list[Exception] = []
        self.threads = [threading.Thread(target=self._run, args=(at,)) for at in range(count)]
        for one in self.threads:
            one.start()

    def _run(self, at: int) -> None:
        nonce = at << 32
        while not self.stopping.is_set():
            nonce += 1
            try:
                self.signed.append(self.account.sign_transaction(pay(nonce)))
            except Exception as error:
                self.errors.append(error)
                return

    def stop(self) -> None:
        self.stopping.set()
        for one in self.threads:
            one.join()

    def check(self, node: Running) -> None:
        """Nothing was lost, and no presignature and no nonce served twice."""
        assert not self.errors
        names = bound_names(node)
        assert len(names) == len(set(names)) >= len(self.signed)
        assert len({one.r for one in self.signed}) == len(self.signed)
        assert not node.network.call("keymoot_assembly")["cheats"]


def test_epochs_end_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node:
        owner = node.owner()
        wallet, _, account = wallet_with_agent(node, owner, limit=10**9)
        requesters = Requesters(account, 3)
        for expected in (1, 2, 3):
            time.sleep(0.5)
            before = len(requesters.signed)
            turn(node)
            assert epoch(node) == expected
            if expected == 2:
                os.kill(node.enclaves()[0], signal.SIGKILL)
                until_seated(node)
            while len(requesters.signed) < before + 20 and not requesters.errors:
                time.sleep(0.05)
        requesters.stop()
        requesters.check(node)
        # The address is the same, and a start of all anew computes the newest shares.
        node.stop()
        node.start()
        assert epoch(node) == 3
        account.sign_transaction(pay(1))
        shown = owner.show(wallet.wallet)
        assert shown.account == wallet.account
        assert not node.network.call("keymoot_assembly")["cheats"]


def test_an_enclave_from_an_old_disk_signs_nothing_until_it_is_dealt_to_again(
    tmp_path: Path,
) -> None:
    with running(tmp_path / "node") as node:
        _, _, account = wallet_with_agent(node, node.owner())
        account.sign_transaction(pay(0))
        node.stop()
        old = tmp_path / "old-disk"
        shutil.copytree(node.config.enclave_folder(2), old)
        node.start()
        turn(node)
        turn(node)
        # Where not all hold the new shares yet, a restart of all goes back to the epoch before.
        until(lambda: node.network.call("keymoot_assembly")["epoch"]["settled"])
        node.stop()
        shutil.rmtree(node.config.enclave_folder(2))
        shutil.copytree(old, node.config.enclave_folder(2))
        node.start()
        # 1. The others go on without it.
        assert epoch(node) == 2
        account.sign_transaction(pay(1))
        assert silent_seats(account, 2) == {2}
        # 2. It posts a key, is dealt to when the epoch ends, and is one of them again.
        until_posted(node, 2)
        turn(node)
        deadline = time.monotonic() + PATIENCE_SECONDS
        number = 10
        while silent_seats(account, number):
            assert time.monotonic() < deadline
            number += 4
            time.sleep(0.2)


def silent_seats(account: Account, first: int) -> set[int]:
    """Sign until everyone has had a turn, and tell who never gave a share."""
    seen: list[dict] = []

    def keep(answers: list[dict]) -> list[dict]:
        seen.extend(answers)
        return answers

    with Spoiled(account, keep):
        for nonce in range(first, first + 4):
            account.sign_transaction(pay(nonce))
    assert all(one["code"] == "NOT_HELD" for one in seen if "sealed" not in one)
    return {1, 2, 3, 4} - {one["seat"] for one in seen if "sealed" in one}


def until_posted(node: Running, seat: int) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not node.network.call("keymoot_assembly")["seats"][seat - 1]["nextKey"]:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_nobody_is_told_to_turn_where_no_node_runs(tmp_path: Path) -> None:
    with pytest.raises(NoNode, match="no node of yours"):
        ask(tmp_path, "turn")
    (tmp_path / "lock").write_text(f"{os.getpid()}\n")
    with pytest.raises(NoNode):
        ask(tmp_path, "turn")


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_ten_minutes_of_load_with_enclaves_killed_in_turn_and_epochs_changing(
    tmp_path: Path,
) -> None:
    seconds = int(os.environ.get("KEYMOOT_SOAK_SECONDS", "600"))
    with running(tmp_path / "node") as node:
        owner = node.owner()
        _, _, account = wallet_with_agent(node, owner, limit=10**12)
        begin = time.monotonic()
        requesters = Requesters(account, 8)
        kills = turns = 0
        while time.monotonic() < begin + seconds and not requesters.errors:
            time.sleep(10)
            victims = node.enclaves()
            os.kill(victims[kills % len(victims)], signal.SIGKILL)
            kills += 1
            until_seated(node)
            if kills % 3 == 0:
                turn(node)
                turns += 1
        requesters.stop()
        requesters.check(node)
        took = time.monotonic() - begin
        rate = len(requesters.signed) / took
        print(f"{len(requesters.signed)} signatures, {rate:.1f}/s, {kills} kills, {turns} epochs")
        assert kills > seconds / 30
        assert turns == epoch(node) == kills // 3
        # All of it is on the disk: whoever starts anew goes on from there.
        node.stop()
        node.start()
        assert epoch(node) == turns
        account.sign_transaction(pay(1))


def bound_names(node: Running) -> list[str]:
    """Give the presignatures that were bound, as the events on the ledger say."""
    found, height = [], int(node.network.call("eth_blockNumber"), 16)
    for start in range(0, height + 1, 500):
        given = node.network.call(
            "eth_getLogs",
            {
                "fromBlock": hex(start),
                "toBlock": hex(min(start + 499, height)),
                "address": Wallets.ADDRESS.hex0x,
                "topics": ["0x" + RequestBound.topic().hex()],
            },
        )
        for one in given:
            topics = [bytes.fromhex(topic[2:]) for topic in one["topics"]]
            read = RequestBound.read(tuple(topics), bytes.fromhex(one["data"][2:]))
            found.append(bytes(read["bound_to"]).hex())
    return found
