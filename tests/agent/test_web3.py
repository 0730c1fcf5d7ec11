"""web3.py's middleware, and ours for AsyncWeb3, send what the account signs."""

import asyncio
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from tests.agent.fake_network import FakeNetwork

pytest.importorskip("web3", minversion="7")

from web3 import AsyncHTTPProvider, AsyncWeb3, Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder
from web3.types import Wei

from keymoot.agent.middleware import SignAndSend

TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
BLOCK = {
    "number": "0x1",
    "baseFeePerGas": "0x3b9aca00",
    "gasLimit": "0x1c9c380",
    "timestamp": "0x1",
    "extraData": "0x",
}


class Target(BaseHTTPRequestHandler):
    """As much of a target chain as web3.py asks to send one transaction."""

    sent: list[str]
    answers: dict[str, Any]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if asked["method"] == "eth_sendRawTransaction":
            self.sent.append(asked["params"][0])
        body = {"jsonrpc": "2.0", "id": asked["id"], "result": self.answers[asked["method"]]}
        raw = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def target() -> Iterator[tuple[str, list[str]]]:
    """Serve a target chain; gives its address and what was sent to it."""
    sent: list[str] = []
    answers = {
        "eth_chainId": "0x2105",
        "eth_getTransactionCount": "0x5",
        "eth_estimateGas": "0x5208",
        "eth_gasPrice": "0x3b9aca00",
        "eth_maxPriorityFeePerGas": "0x1",
        "eth_getBlockByNumber": BLOCK,
        "eth_sendRawTransaction": "0x" + "ab" * 32,
    }
    handler = type("Handler", (Target,), {"sent": sent, "answers": answers})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", sent
    server.shutdown()
    server.server_close()


def test_web3_sends_through_the_account(account: Account, target: tuple[str, list[str]]) -> None:
    url, sent = target
    w3 = Web3(Web3.HTTPProvider(url))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5), "data": b"\x12"})
    assert [EthAccount.recover_transaction(each) for each in sent] == [account.address]


def test_web3_raises_the_refusal_itself(
    account: Account, network: FakeNetwork, target: tuple[str, list[str]]
) -> None:
    network.rule = lambda _: "NO_RULE"
    url, sent = target
    w3 = Web3(Web3.HTTPProvider(url))
    w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
    with pytest.raises(PolicyRefused):
        w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5)})
    assert sent == []


def test_async_web3_sends_through_the_account(
    account: Account, target: tuple[str, list[str]]
) -> None:
    url, sent = target

    async def send() -> int:
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                await asyncio.sleep(0.001)
                ticks += 1

        w3 = AsyncWeb3(AsyncHTTPProvider(url))
        w3.middleware_onion.inject(SignAndSend.build(account), layer=0)
        ticking = asyncio.create_task(tick())
        await w3.eth.send_transaction({"from": account.address, "to": TO, "value": Wei(5)})
        ticking.cancel()
        await w3.provider.disconnect()
        return ticks

    assert asyncio.run(send()) > 0
    assert [EthAccount.recover_transaction(each) for each in sent] == [account.address]
