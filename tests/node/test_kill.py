"""Ends at random moments under load: what was acknowledged is there, and nothing twice.

Many in memory, where the power is cut at any step; a few of real processes, with `kill -9`.
"""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from keymoot.agent.account import Account
from keymoot.base.request import ASK_AGAIN
from keymoot.base.units import Height
from keymoot.store.state import STATE_PREFIXES, entries_of
from keymoot.testing.clients import Served
from tests.examples import of, some
from tests.node.in_memory import in_memory
from tests.node.replaying import Replaying
from tests.node.running import Running, pay, running, wallet_with_agent

pytestmark = pytest.mark.long

THREADS = 4
CUTS = of(quick=5, thorough=12)
STEPS = ("execute", "certify", "write", "stored")
"""What a node asks of its enclaves and its disk as it signs."""


class Load:
    """Agents that ask without pause until the node dies, and remember what they got."""

    def __init__(self, account: Account, start: int) -> None:
        self.account = account
        self.next = start
        self.lock = threading.Lock()
        self.got: dict[str, tuple[dict[str, Any], bytes]] = {}
        self.asked: dict[str, dict[str, Any]] = {}
        self.stopping = threading.Event()

    def run(self) -> None:
        while not self.stopping.is_set():
            with self.lock:
                nonce, self.next = self.next, self.next + 1
                name = "0x" + nonce.to_bytes(32, "big").hex()
                wish = pay(nonce)
                self.asked[name] = wish
            try:
                signed = self.account.sign_transaction(wish, idempotency_key=name)
            except Exception:
                return
            self.got[name] = (wish, bytes(signed.raw_transaction))


def killed_after_a_while(node: Running, load: Load, rng: random.Random) -> None:
    """Kill a real node as its agents ask."""
    threads = [threading.Thread(target=load.run) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    time.sleep(rng.uniform(0.02, 0.6))
    node.kill()
    load.stopping.set()
    for thread in threads:
        thread.join()


def cut_at_a_step(net: Served, load: Load, rng: random.Random) -> None:
    """Cut a network's power as its agents ask: before or after a step that may be any."""
    word, moment = rng.choice(STEPS), rng.choice(("before", "after"))
    net.kill_at(word, rng.randint(1, 24), moment)
    asking = [net.beside(load.run) for _ in range(THREADS)]
    net.until(lambda: not net.runs, f"the power cut {moment} {word}")
    load.stopping.set()
    for one in asking:
        one.result()


def replayed(node: Running | Served) -> int:
    """Execute every block of a stopped node again whose state before is kept; compare all of it."""
    disk = Replaying.of(node)
    chain = disk.chain
    for height in range(chain.oldest_state, chain.tip.height):
        before, next_one = Height(height), Height(height + 1)
        executed = disk.again(next_one, chain.state_at(before), chain.tip_at(before))
        after = chain.view(next_one)
        assert all(after.get(key) == value for key, value in executed.writes.items())
    # The newest state is whole, and there is nothing beside it.
    with disk.store.snapshot() as snapshot:
        kept = {key for key, _ in snapshot.scan(b"", b"") if key[:1] in STATE_PREFIXES}
        assert kept == entries_of(snapshot, chain.tip.state_root)
    height = chain.tip.height
    disk.close()
    return height


def again_and_again(
    node: Running | Served, kill: Callable[[Load], None], times: int
) -> tuple[int, int]:
    """Kill a node so many times, and start it again; stop it, and look at all that it signed.

    Returns:
        How many signatures were given to somebody, and how many while agents asked without pause.
    """
    owner = node.owner()
    wallet, _, account = wallet_with_agent(node, owner, limit=10**9)
    acknowledged: dict[str, tuple[dict[str, Any], bytes]] = {}
    nonce = under_load = 0
    for _ in range(times):
        short = Account(account._credential, node.url, timeout_seconds=0.5)
        load = Load(short, nonce)
        kill(load)
        acknowledged |= load.got
        under_load += len(load.got)
        nonce = load.next
        node.start()
        # What was acknowledged is there, and asked again gives the very same bytes.
        for name, (wish, raw) in list(load.got.items())[-5:]:
            again = account.sign_transaction(wish, idempotency_key=name)
            assert bytes(again.raw_transaction) == raw
        # What was on its way is signed once at most, whoever asks again.
        for name in [one for one in load.asked if one not in load.got][:4]:
            signed = account.sign_transaction(load.asked[name], idempotency_key=name)
            acknowledged[name] = (load.asked[name], bytes(signed.raw_transaction))
    log = []
    length = owner.show(wallet.wallet).log_length
    while len(log) < length:
        log += owner.log(wallet.wallet, len(log))
    height = int(node.network.call("eth_blockNumber"), 16)
    node.stop()
    assert replayed(node) >= height
    ids = [entry["requestId"] for entry in log]
    assert len(ids) == len(set(ids)) == length
    assert [entry["index"] for entry in log] == list(range(length))
    bound = [entry for entry in log if entry["status"] == "bound"]
    digests: dict[int, set[str]] = {}
    for entry in bound:
        digests.setdefault(entry["decoded"]["nonce"], set()).add(entry["digest"])
    nonces = list(digests)
    # Who asked again got another presignature for the same bytes, never for others.
    assert all(len(found) == 1 for found in digests.values())
    again = sum(entry["method"] == ASK_AGAIN for entry in bound)
    assert len(bound) == len(nonces) + again
    signed_nonces = {wish["nonce"] for wish, _ in acknowledged.values()}
    assert signed_nonces <= set(nonces)
    return len(acknowledged), under_load


def of_processes(folder: Path, times: int, seed: int) -> None:
    rng = random.Random(seed)
    with running(folder) as node:
        given, _ = again_and_again(node, lambda load: killed_after_a_while(node, load, rng), times)
    assert given > times


@pytest.mark.parametrize("seed", some(range(5), 1))
def test_power_cuts_under_load_lose_nothing_and_sign_nothing_twice(
    tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    with in_memory(tmp_path, seed) as net:
        given, under_load = again_and_again(net, lambda load: cut_at_a_step(net, load, rng), CUTS)
    assert given > under_load > CUTS


@pytest.mark.timeout(900)
@pytest.mark.parametrize("times", some([3, 20], 1))
def test_kills_of_processes_under_load_lose_nothing_and_sign_nothing_twice(
    tmp_path: Path, times: int
) -> None:
    of_processes(tmp_path / "node", times, seed=1)


@pytest.mark.soak
@pytest.mark.timeout(1800)
def test_a_hundred_kills_under_load(tmp_path: Path) -> None:
    of_processes(tmp_path / "node", times=100, seed=2)
