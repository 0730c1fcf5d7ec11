"""The whole way: an agent's call to a running network, and back with a signature."""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

from bench.million import crowd
from bench.row import Row, median_seconds
from keymoot.agent.account import Account
from tests.node.running import Running, pay, running, wallet_with_agent
from tests.node.solana import payment, wallet_on_solana

REQUESTERS = 16
EACH = 100
ALONE = 200
WALLETS = (10, 100, 1_000, 10_000, 100_000, 1_000_000)
NODES = (4, 7, 13)

WORKER = """
import sys, threading, time
from pathlib import Path
from keymoot.agent.account import Account
from keymoot.agent.credential import Credential
from tests.node.running import pay
url, path, start, threads, each = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:])
account = Account(Credential.load(path), url)
account.sign_transaction(pay(start - 1))
print("ready", flush=True)
sys.stdin.readline()
def work(first):
    for n in range(first, first + each):
        account.sign_transaction(pay(n))
crew = [threading.Thread(target=work, args=(start + t * each,)) for t in range(threads)]
begin = time.time()
for one in crew: one.start()
for one in crew: one.join()
print(begin, time.time(), flush=True)
"""


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        with running(Path(folder) / "node") as node:
            rows = _one_network(node, Path(folder))
        return rows + _by_nodes(Path(folder)) + _by_wallets(Path(folder))


def _one_network(node: Running, folder: Path) -> list[Row]:
    owner = node.owner()
    _, credential, account = wallet_with_agent(node, owner, limit=10**12)
    credential.save(folder / "bench.cred")
    empty = median_seconds(_empty_call(node), 500)
    alone = sorted(_alone(account, ALONE))
    rows = [
        Row("floor: empty JSON-RPC call", empty * 1e3, "ms"),
        Row("Account.sign_transaction p50, one requester", statistics.median(alone), "ms", 20),
        Row("Account.sign_transaction p95, one requester", alone[int(0.95 * ALONE)], "ms"),
    ]
    rates = [_together(node, folder, 10_000 * (n + 1)) for n in range(3)]
    name = f"policy-checked signatures with {REQUESTERS} requesters"
    rows.append(Row(name, statistics.median(rates), "per second", 100, "higher"))
    return rows + _on_solana(node)


def _on_solana(node: Running) -> list[Row]:
    """Ed25519 signatures: every signer that a block names has to answer."""
    _, _, account = wallet_on_solana(node.owner(), limit=10**12)
    times, many = [], REQUESTERS * EACH // 4
    for _ in range(ALONE):
        message = payment(account, 1)
        begin = time.perf_counter()
        account.sign_transaction(message)
        times.append((time.perf_counter() - begin) * 1e3)
    with ThreadPoolExecutor(REQUESTERS) as pool:
        begin = time.perf_counter()
        list(pool.map(lambda _: account.sign_transaction(payment(account, 1)), range(many)))
        rate = many / (time.perf_counter() - begin)
    return [
        Row("SolanaAccount.sign_transaction p50, one requester", statistics.median(times), "ms"),
        Row(f"Ed25519 signatures with {REQUESTERS} requesters", rate, "per second"),
    ]


def _empty_call(node: Running):
    parts = urlsplit(node.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port)
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []})

    def call() -> None:
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        connection.getresponse().read()

    return call


def _alone(account: Account, count: int, start: int = 0) -> list[float]:
    for n in range(10):
        account.sign_transaction(pay(start + n))
    times = []
    for n in range(count):
        begin = time.perf_counter()
        account.sign_transaction(pay(start + 10 + n))
        times.append((time.perf_counter() - begin) * 1e3)
    return times


def _together(node: Running, folder: Path, start: int) -> float:
    """Sixteen requesters in one process of their own, all at once."""
    arguments = [node.url, str(folder / "bench.cred"), str(start), str(REQUESTERS), str(EACH)]
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        worker.stdout.readline()
        worker.stdin.write("go\n")
        worker.stdin.flush()
        begin, end = map(float, worker.stdout.readline().split())
    return REQUESTERS * EACH / (end - begin)


def _by_nodes(folder: Path) -> list[Row]:
    """The same request in networks of more enclaves, all on this one machine."""
    rows = []
    for count in NODES:
        options = ["--nodes", str(count)]
        with running(folder / f"nodes-{count}", options=options) as node:
            _, _, account = wallet_with_agent(node, node.owner(), limit=10**12)
            times = _alone(account, ALONE)
        name = f"sign_transaction p50 with {count} enclaves on this machine"
        rows.append(Row(name, statistics.median(times), "ms"))
    return rows


def _by_wallets(folder: Path) -> list[Row]:
    """The same request in networks of few wallets, and of many."""
    found = {}
    for count in WALLETS:
        node = Running(folder / f"crowd-{count}")
        node.start()
        owner = node.owner()
        _, _, account = wallet_with_agent(node, owner, limit=10**12)
        account.close()
        node.stop()
        crowd(node, count)
        node.start()
        try:
            fresh = Account(account._credential, node.url)
            found[count] = statistics.median(_alone(fresh, ALONE))
        finally:
            node.stop()
    rows = [
        Row(f"sign_transaction p50 with {count:,} wallets", found[count], "ms") for count in found
    ]
    return [
        *rows,
        Row("a million wallets / ten", found[WALLETS[-1]] / found[WALLETS[0]], "ratio", 1.25),
    ]
