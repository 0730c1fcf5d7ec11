"""Every answer fits Ethereum's own schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from keymoot.contracts.wallets import Wallets
from tests.gateway.conftest import Scene

SPEC = json.loads(Path(__file__).with_name("eth-openrpc.json").read_text())
METHODS = {method["name"]: method for method in SPEC["methods"]}
WALLETS = Wallets.ADDRESS.hex0x


def check(method: str, answer: Any) -> None:
    # The schema refers to "#/components/…": give it the components it means.
    schema = {**METHODS[method]["result"]["schema"], "components": SPEC["components"]}
    Draft7Validator(schema).validate(answer)


def transactions(scene: Scene) -> list[dict]:
    """Give an ordinary transaction of the chain: requests are of our own type."""
    network = scene.node.network
    head = int(network.call("eth_blockNumber"), 16)
    found = []
    for height in range(1, head + 1):
        block = network.call("eth_getBlockByNumber", hex(height), True)
        found += [one for one in block["transactions"] if one["type"] == "0x2"]
    return found


CALLS: list[tuple[str, list]] = [
    ("eth_chainId", []),
    ("eth_blockNumber", []),
    ("eth_syncing", []),
    ("eth_coinbase", []),
    ("eth_accounts", []),
    ("net_version", []),
    ("eth_gasPrice", []),
    ("eth_maxPriorityFeePerGas", []),
    ("eth_getBalance", [WALLETS, "latest"]),
    ("eth_getTransactionCount", [WALLETS, "pending"]),
    ("eth_getCode", [WALLETS, "latest"]),
    ("eth_getStorageAt", [WALLETS, "0x0", "latest"]),
    ("eth_getBlockByNumber", ["latest", False]),
    ("eth_getBlockByNumber", ["earliest", False]),
    ("eth_getBlockTransactionCountByNumber", ["latest"]),
    ("eth_getBlockReceipts", ["latest"]),
    ("eth_feeHistory", ["0x4", "latest", [25, 75.5]]),
    ("eth_feeHistory", [2, "latest", []]),
    ("eth_getLogs", [{"fromBlock": "earliest", "toBlock": "latest"}]),
    ("eth_getLogs", [{"address": WALLETS, "topics": [None], "fromBlock": "0x1"}]),
    ("eth_getProof", [WALLETS, ["0x0", "0x" + "11" * 32], "latest"]),
    ("eth_newBlockFilter", []),
    ("eth_newPendingTransactionFilter", []),
    ("eth_newFilter", [{"fromBlock": "latest"}]),
    ("eth_estimateGas", [{"to": WALLETS, "from": "0x" + "12" * 20}]),
]


@pytest.mark.parametrize(("method", "params"), CALLS, ids=lambda value: str(value)[:40])
def test_answers_fit_the_schema(scene: Scene, method: str, params: list) -> None:
    if method == "eth_estimateGas":
        params = [{"to": "0x" + "ab" * 20, "from": scene.owner.address.hex0x, "value": "0x0"}]
    check(method, scene.node.network.call(method, *params))


def test_blocks_transactions_and_receipts_fit_the_schema(scene: Scene) -> None:
    network = scene.node.network
    found = transactions(scene)
    assert len(found) >= 3
    for one in found:
        check("eth_getTransactionByHash", one)
        check("eth_getTransactionByHash", network.call("eth_getTransactionByHash", one["hash"]))
        where = [one["blockNumber"], one["transactionIndex"]]
        check(
            "eth_getTransactionByBlockNumberAndIndex",
            network.call("eth_getTransactionByBlockNumberAndIndex", *where),
        )
        receipt = network.call("eth_getTransactionReceipt", one["hash"])
        check("eth_getTransactionReceipt", receipt)
        assert receipt["status"] == "0x1"
        by_hash = network.call("eth_getBlockByHash", one["blockHash"], False)
        check("eth_getBlockByHash", by_hash)
        assert one["hash"] in by_hash["transactions"]
        check("eth_getBlockReceipts", network.call("eth_getBlockReceipts", one["blockNumber"]))
    nothing = "0x" + "00" * 32
    for method in ("eth_getTransactionByHash", "eth_getTransactionReceipt"):
        assert network.call(method, nothing) is None
    assert network.call("eth_getBlockByNumber", "0xffffff", False) is None


def test_filters_fit_the_schema_and_see_what_is_new(scene: Scene) -> None:
    network = scene.node.network
    blocks = network.call("eth_newBlockFilter")
    logs = network.call("eth_newFilter", {"address": WALLETS})
    scene.owner.pause(scene.wallet.wallet)
    scene.owner.resume(scene.wallet.wallet)
    changes = network.call("eth_getFilterChanges", blocks)
    check("eth_getFilterChanges", changes)
    assert len(changes) >= 2
    found = network.call("eth_getFilterChanges", logs)
    check("eth_getFilterChanges", found)
    assert len(found) == 2
    assert network.call("eth_getFilterChanges", logs) == []
    check("eth_getFilterLogs", network.call("eth_getFilterLogs", logs))
    assert network.call("eth_uninstallFilter", logs) is True
    assert network.call("eth_uninstallFilter", logs) is False


def test_every_method_of_the_gateway_that_the_schema_knows_is_tried() -> None:
    from keymoot.gateway.methods import _FILTER_METHODS, _METHODS

    tried = {method for method, _ in CALLS} | {
        "eth_getTransactionByHash",
        "eth_getTransactionReceipt",
        "eth_getTransactionByBlockNumberAndIndex",
        "eth_getBlockByHash",
        "eth_getFilterChanges",
        "eth_getFilterLogs",
        "eth_uninstallFilter",
    }
    known = {name for name in (*_METHODS, *_FILTER_METHODS) if name in METHODS}
    left = known - tried
    assert left == {
        "eth_call",
        "eth_sendRawTransaction",
        "eth_getBlockTransactionCountByHash",
        "eth_getTransactionByBlockHashAndIndex",
    }
