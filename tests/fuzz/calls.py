"""Bodies of JSON-RPC at the gateway's own application, without a socket."""

import asyncio
import json
import time
from pathlib import Path
from selectors import DefaultSelector
from tempfile import mkdtemp
from typing import Any

from keymoot.base.errors import Refused
from keymoot.base.fixed import Hash32
from keymoot.base.strict_json import Json
from keymoot.gateway.app import Gateway
from keymoot.gateway.door import Door
from keymoot.gateway.limits import Rate
from keymoot.gateway.methods import _FILTER_METHODS, _METHODS
from keymoot.gateway.services import NodeInfo, Services
from keymoot.runtime.asked import ExecutedQuery, QueryResult
from tests.engine.house import House
from tests.fuzz.target import Target


class Jumping(DefaultSelector):
    """Waits for nothing: the loop's clock jumps to the next thing that is due."""

    ahead = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.ahead += timeout
        return super().select(None if timeout is None else 0)


class Loop(asyncio.SelectorEventLoop):
    def __init__(self) -> None:
        self.jumping = Jumping()
        super().__init__(self.jumping)

    def time(self) -> float:
        return super().time() + self.jumping.ahead


class NoShares:
    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        return {"status": "waiting"}

    def committee_status(self) -> dict[str, Json]:
        return {}


class NoQueries:
    async def ask(self, asked: ExecutedQuery, ran: Any) -> QueryResult:
        raise Refused("no enclave answers here")


class Node:
    """A founded ledger behind a gateway; what it did not foresee is raised."""

    def __init__(self) -> None:
        self.loop = Loop()
        asyncio.set_event_loop(self.loop)
        self.house = House(Path(mkdtemp(prefix="keymoot-fuzz-")))
        real = asyncio.new_event_loop()
        real.run_until_complete(self.house.found())
        info = NodeInfo("0", simulated=True, seats=lambda: ())
        self.services = Services(self.house.ledger, NoShares(), NoQueries(), info, None)
        self.unforeseen: list[Exception] = []
        gateway = Gateway(self.services, self.report, Door((), ()))
        # Everybody has paid: what is looked for here is not the limit.
        gateway._rate = Rate(time.monotonic, 1e12, 1e12)
        self.app = gateway.app()

    def report(self, name: str, error: Exception) -> None:
        self.unforeseen.append(error)

    def post(self, body: bytes) -> bytes:
        """Give the body of the answer."""
        parts: list[bytes] = []
        told = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> Any:
            return told.pop(0) if told else {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.body":
                parts.append(message.get("body", b""))

        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": "POST",
            "path": "/",
            "raw_path": b"/",
            "query_string": b"",
            "headers": [(b"host", b"127.0.0.1:8645")],
            "client": ("127.0.0.1", 5),
            "server": ("127.0.0.1", 8645),
            "scheme": "http",
        }
        self.unforeseen.clear()
        self.loop.run_until_complete(self.app(scope, receive, send))
        if self.unforeseen:
            raise self.unforeseen[0]
        return b"".join(parts)


_nodes: list[Node] = []


def check_call(raw: bytes) -> None:
    """Every body gets an answer of JSON-RPC, or none where only notifications came."""
    if not _nodes:
        _nodes.append(Node())
    answer = _nodes[0].post(raw)
    if not answer:
        return
    told = json.loads(answer)
    for one in told if isinstance(told, list) else [told]:
        assert one["jsonrpc"] == "2.0"
        assert ("result" in one) != ("error" in one)


def call_seeds() -> list[bytes]:
    address, word, name = "0x" + "00" * 19 + "01", "0x" + "00" * 32, "0x" + "11" * 32
    calls: dict[str, list[Any]] = {method: [] for method in (*_METHODS, *_FILTER_METHODS)}
    block = {"fromBlock": "0x0", "toBlock": "latest", "address": address, "topics": [None, [name]]}
    call = {"from": address, "to": address, "data": "0x12345678", "gas": "0x5208", "value": "0x0"}
    calls |= {
        "eth_getBlockByNumber": ["latest", True],
        "eth_getBlockByHash": [name, False],
        "eth_getBlockTransactionCountByNumber": ["0x1"],
        "eth_getBlockReceipts": ["0x1"],
        "eth_feeHistory": ["0x2", "latest", [25, 75.5]],
        "eth_getBalance": [address, "latest"],
        "eth_getTransactionCount": [address, "pending"],
        "eth_getCode": [address, {"blockNumber": "0x1"}],
        "eth_getStorageAt": [address, "0x0", "latest"],
        "eth_getProof": [address, [word], "latest"],
        "eth_call": [call, "latest"],
        "eth_estimateGas": [call],
        "eth_sendRawTransaction": ["0x02f86b"],
        "eth_getTransactionByHash": [name],
        "eth_getTransactionByBlockNumberAndIndex": ["0x1", "0x0"],
        "eth_getTransactionReceipt": [name],
        "eth_getLogs": [block],
        "eth_newFilter": [block],
        "eth_getFilterChanges": ["0x1"],
        "keymoot_ask": ["0x4b00", 5],
        "keymoot_certified": ["0x1"],
        "keymoot_wallet": [name],
        "keymoot_cells": [address, [word]],
        "keymoot_log": [name, "0x0", "0x5"],
        "keymoot_follow": ["0x1"],
        "keymoot_proof": [name],
        "keymoot_receipt": [name],
        "keymoot_getEntry": [address, word],
        "keymoot_getRequest": [name],
        "keymoot_getOutcome": ["0x1"],
        "keymoot_faucet": [address],
    }
    whole = [
        {"jsonrpc": "2.0", "id": 1, "method": method, "params": given}
        for method, given in calls.items()
    ]
    return [json.dumps(one).encode() for one in (*whole, whole[:3])]


TARGETS = [Target("JSON-RPC bodies", "JSON-RPC 2.0", check_call, call_seeds, 6, 2_048)]
