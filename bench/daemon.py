"""An agent's calls of its daemon, on a running network: a derived key, and a signature.

What the daemon adds to a signature is what is left of each call without the account's own part.
"""

import http.client
import json
import socket
import statistics
import tempfile
import time
from pathlib import Path

from bench.row import Row
from keymoot.agent.account import Account
from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.app_instance import AppInstance, InstanceKeys, simulated
from keymoot.agent.owner import new_key
from keymoot.base.fixed import Measurement
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.daemon.joined import JoinedInstance
from keymoot.daemon.run import Daemon, Sockets
from tests.node.running import pay, running, wallet_with_agent

TIMES = 100
MEASURED = Measurement(b"b" * Measurement.LENGTH)
POLICY = AppPolicy(measurements=(MEASURED,), vendors=("simulated",))


class Unix(http.client.HTTPConnection):
    """A client of one socket."""

    def __init__(self, path: Path) -> None:
        super().__init__("localhost")
        self._at = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self._at)

    def ask(self, method: str, path: str, body: object = None) -> object:
        self.request(method, path, None if body is None else json.dumps(body))
        answer = self.getresponse()
        told = answer.read()
        assert answer.status == 200, told
        return told


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "node") as node:
        owner = node.owner()
        wallet, _, _ = wallet_with_agent(node, owner, limit=10**12)
        admin = AppAdmin(node.network, new_key())
        admin.network.faucet(admin.address)
        app = admin.create(POLICY)
        owner.grant_app(wallet.wallet, app, int(time.time()) + 86_400)
        instance = AppInstance(node.network, app, InstanceKeys.new(), simulated(MEASURED))
        instance.network.faucet(instance.keys.address)
        joined = JoinedInstance(instance, simulated(MEASURED), {"bench": wallet.wallet})
        within = Timed(Account(instance.credential("bench", wallet.wallet)))
        joined._signers["bench"] = within
        sockets = Sockets.at(Path(folder) / "rofl.sock")
        with Daemon(joined, print).serving(sockets):
            return _rows(Unix(sockets.rofl), within)


class Timed:
    """A signer that keeps how long each signature took within it."""

    def __init__(self, account: Account) -> None:
        self._account, self.address, self.spent = account, account.address, []

    def sign_transaction(self, wish: dict, *, idempotency_key: str | None = None) -> object:
        begin = time.perf_counter()
        made = self._account.sign_transaction(wish, idempotency_key=idempotency_key)
        self.spent.append(time.perf_counter() - begin)
        return made


def _rows(way: Unix, within: Timed) -> list[Row]:
    floor = _median(lambda _: way.ask("GET", "/rofl/v1/app/id"))
    wish = {"kind": "secp256k1"}
    key = _median(lambda n: way.ask("POST", "/rofl/v1/keys/generate", wish | {"key_id": f"{n}"}))
    path, whole = "/v1/wallets/bench/sign/transaction", []
    for n in range(TIMES):
        begin = time.perf_counter()
        way.ask("POST", path, {"transaction": pay(n)})
        whole.append(time.perf_counter() - begin)
    beside = [all_of_it - inner for all_of_it, inner in zip(whole, within.spent, strict=True)]
    return [
        Row("floor: the daemon's answer to an agent, p50", floor * 1e3, "ms"),
        Row("keys/generate through the daemon, p50", key * 1e3, "ms", 25),
        Row("a signature through the daemon, p50", statistics.median(whole) * 1e3, "ms"),
        Row("the daemon's own part of it, p50", statistics.median(beside) * 1e3, "ms", 3),
    ]


def _median(work, times: int = TIMES) -> float:
    for n in range(5):
        work(-1 - n)
    spent = []
    for n in range(times):
        begin = time.perf_counter()
        work(n)
        spent.append(time.perf_counter() - begin)
    return statistics.median(spent)
