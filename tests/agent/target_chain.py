"""As much of a target chain as clients ask of it to send one transaction."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.agent.http_server import served

BLOCK = {
    "number": "0x1",
    "baseFeePerGas": "0x1",
    "gasLimit": "0x1c9c380",
    "timestamp": "0x1",
    "extraData": "0x",
}
ANSWERS = {
    "eth_chainId": "0x2105",
    "eth_call": "0x",
    "eth_getTransactionCount": "0x5",
    "eth_estimateGas": "0x5208",
    "eth_gasPrice": "0x2",
    "eth_maxPriorityFeePerGas": "0x1",
    "eth_getBlockByNumber": BLOCK,
    "eth_sendRawTransaction": "0x" + "ab" * 32,
    "eth_getTransactionReceipt": {
        "transactionHash": "0x" + "ab" * 32,
        "blockHash": "0x" + "cd" * 32,
        "blockNumber": "0x1",
        "transactionIndex": "0x0",
        "status": "0x1",
        "logs": [],
    },
    "web3_clientVersion": "Target/v1",
}


class Target(BaseHTTPRequestHandler):
    """One connection."""

    sent: list[str]

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        batch = isinstance(asked, list)
        raw = json.dumps(list(map(self._answer, asked)) if batch else self._answer(asked)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def _answer(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["method"].startswith("eth_sendRawTransaction"):
            self.sent.append(asked["params"][0])
        body = {"jsonrpc": "2.0", "id": asked["id"]}
        if asked["method"] in ANSWERS:
            return {**body, "result": ANSWERS[asked["method"]]}
        text = f"the method {asked['method']} does not exist/is not available"
        return {**body, "error": {"code": -32601, "message": text}}

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def target_chain() -> Iterator[tuple[str, list[str]]]:
    """Serve a target chain; gives its address and what was sent to it."""
    sent: list[str] = []
    with served(type("Handler", (Target,), {"sent": sent})) as url:
        yield url, sent
