"""Epochs of a network: shares change under load, and old disks are worth nothing."""

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from eth_account.datastructures import SignedTransaction

from keymoot.agent.account import Account
from keymoot.cli.waiting import AGAIN_SECONDS
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestBound
from keymoot.node.admin.question import NoNode, ask
from keymoot.testing.clients import Served
from tests.node import in_memory as memory
from tests.node.in_memory import committee_status, in_memory
from tests.node.running import (
    PATIENCE_SECONDS,
    Running,
    pay,
    running,
    until,
    wallet_with_agent,
)
from tests.node.test_liars import Spoiled


def epoch(node: Running) -> int:
    return node.network.call("keymoot_assembly")["epoch"]["number"]


def turn(node: Running) -> None:
    """Have the epoch end; asked again, as the command does: a failed attempt takes the votes."""
    before, asked = epoch(node), -AGAIN_SECONDS
    deadline = time.monotonic() + PATIENCE_SECONDS
    while epoch(node) == before:
        assert time.monotonic() < deadline, str(node.network.call("keymoot_assembly"))
        if time.monotonic() - asked > AGAIN_SECONDS:
            ask(node.data, "turn", epoch=before)
            asked = time.monotonic()
        time.sleep(0.05)


def until_seated(node: Running) -> None:
    """Wait until all members are known by their present starts."""
    until(lambda: all(one["seated"] for one in node.network.call("keymoot_assembly")["seats"]))


BETWEEN_SECONDS = 0.05
"""What a requester leaves to others between two requests."""


class Requesters:
    """Ask for signatures over and over; keep what came and what went wrong."""

    def __init__(
        self,
        account: Account,
        count: int,
        beside: Callable[[Callable[[], None]], Any] | None = None,
    ) -> None:
        """Begin; `beside` begins each of them, without it threads do."""
        begin = beside or ThreadPoolExecutor(count).submit
        self.account = account
        self.stopping = threading.Event()
        self.signed: list[SignedTransaction] = []
        self.errors: list[Exception] = []
        self.running = [begin(partial(self._run, at)) for at in range(count)]

    def _run(self, at: int) -> None:
        nonce = at << 32
        while not self.stopping.is_set():
            nonce += 1
            try:
                self.signed.append(self.account.sign_transaction(pay(nonce)))
            except Exception as error:
                self.errors.append(error)
                return
            time.sleep(BETWEEN_SECONDS)

    def stop(self) -> None:
        self.stopping.set()
        for one in self.running:
            one.result()

    def check(self, node: Running | Served) -> None:
        """Nothing was lost, and no presignature and no nonce served twice."""
        assert not self.errors
        names = bound_names(node)
        assert len(names) == len(set(names)) >= len(self.signed)
        assert len({one.r for one in self.signed}) == len(self.signed)
        assert not node.network.call("keymoot_assembly")["cheats"]


def test_epochs_end_under_load_and_nothing_is_lost(tmp_path: Path) -> None:
    with in_memory(tmp_path, batch=64) as net:
        owner = net.owner()
        wallet, _, account = wallet_with_agent(net, owner, limit=10**9)
        requesters = Requesters(account, 3, net.beside)
        for expected in (1, 2, 3):
            before = len(requesters.signed)
            memory.turn(net)
            assert memory.epoch(net) == expected
            if expected == 2:
                net.world.process(1).kill()
                net.until(lambda: net.world.holder(1).restarts)
                memory.until_seated(net)
            wanted = before + 20
            net.until(lambda wanted=wanted: len(requesters.signed) >= wanted or requesters.errors)
        requesters.stop()
        requesters.check(net)
        # The address is the same, and a start of all anew computes the newest shares.
        net.stop()
        net.start()
        assert memory.epoch(net) == 3
        account.sign_transaction(pay(1))
        shown = owner.show(wallet.wallet)
        assert shown.account == wallet.account
        assert not committee_status(net)["cheats"]


def test_an_enclave_from_an_old_disk_signs_nothing_until_it_is_dealt_to_again(
    tmp_path: Path,
) -> None:
    with in_memory(tmp_path) as net:
        _, _, account = wallet_with_agent(net, net.owner())
        account.sign_transaction(pay(0))
        net.stop()
        host = net.world.host
        host.copy_folder(2)
        net.start()
        memory.turn(net)
        memory.turn(net)
        # Where not all hold the new shares yet, a restart of all goes back to the epoch before.
        while not committee_status(net)["epoch"]["settled"]:
            net.sleep(0.1)
        net.stop()
        assert host.restore_folder(2)
        net.start()
        # 1. The others go on without it.
        assert memory.epoch(net) == 2
        account.sign_transaction(pay(1))
        assert silent_seats(account, 2) == {2}
        # 2. It posts a key, is dealt to when the epoch ends, and is one of them again.
        while not committee_status(net)["seats"][1]["nextKey"]:
            net.sleep(0.1)
        memory.turn(net)
        number = 10
        while silent_seats(account, number):
            assert number < 1_000
            number += 4
            net.sleep(0.2)


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


def bound_names(node: Running | Served) -> list[str]:
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
            found.append(read.bound_to.hex())
    return found
