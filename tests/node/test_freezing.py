"""One enclave process thaws, another freezes six seconds later, while agents ask: signatures go on.

The longest time without a signature is a matter of the machine too, so this is among the long
tests.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from tests.node.running import Running, pay, running, wallet_with_agent

AGENTS = 2
ROUNDS = 10
LONGEST_GAP_SECONDS = 2.0
"""Longest time without any signature."""

FROZEN = (2, 3, 4, 1)
"""Seats that stand still, one after another."""


def processes(node: Running) -> dict[int, int]:
    """Process ids of the enclaves by their seats."""
    found = {}
    for pid in node.enclaves():
        command = Path(f"/proc/{pid}/cmdline").read_bytes().decode()
        found[int(command.split("enclave-")[1].split("\0")[0])] = pid
    return found


@contextmanager
def load(node: Running) -> Iterator[list[float]]:
    """Have agents ask without pause; give the times of their signatures."""
    _, credential, _ = wallet_with_agent(node, node.owner(), limit=10**9)
    given: list[float] = []
    stopping = threading.Event()
    failed: list[Exception] = []

    def ask(first: int) -> None:
        account = Account(credential, node.url, timeout_seconds=60)
        nonce = first
        while not stopping.is_set():
            try:
                account.sign_transaction(pay(nonce))
            except Exception as error:
                failed.append(error)
                return
            given.append(time.monotonic())
            nonce += AGENTS

    agents = [threading.Thread(target=ask, args=(at,)) for at in range(AGENTS)]
    for agent in agents:
        agent.start()
    try:
        yield given
    finally:
        stopping.set()
        for agent in agents:
            agent.join()
    assert failed == []


@pytest.mark.soak
def test_no_gap_is_longer_than_two_seconds(tmp_path: Path) -> None:
    with running(tmp_path / "node") as node, load(node) as given:
        seats = processes(node)
        time.sleep(4.0)
        os.kill(seats[FROZEN[0]], signal.SIGSTOP)
        time.sleep(8.0)
        gaps = []
        for at in range(ROUNDS):
            began = time.monotonic()
            os.kill(seats[FROZEN[at % 4]], signal.SIGCONT)
            time.sleep(6.0)
            os.kill(seats[FROZEN[(at + 1) % 4]], signal.SIGSTOP)
            time.sleep(8.0)
            seats = processes(node)
            ended = time.monotonic()
            times = [began, *(one for one in given if began < one < ended), ended]
            gaps.append(round(max(after - before for before, after in pairwise(times)), 2))
            print(gaps, len(times), flush=True)
        os.kill(seats[FROZEN[ROUNDS % 4]], signal.SIGCONT)
    assert max(gaps) <= LONGEST_GAP_SECONDS, gaps
