"""Every answer fits Ethereum's own schemas."""

import json
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from jsonschema import Draft7Validator

from keymoot.base.fixed import Address
from keymoot.base.request import REQUEST_TYPE
from keymoot.committee.messages import MESSAGE_TYPE
from keymoot.contracts.builtin.wallets.contract import Wallets
from tests.gateway.conftest import Scene
from tests.gateway.test_strangers import ask
from tests.node.running import until

SPEC = json.loads(Path(__file__).with_name("eth-openrpc.json").read_text())
METHODS = {method["name"]: method for method in SPEC["methods"]}
WALLETS = Wallets.ADDRESS.hex0x
FIRST, OURS = 20, 60
"""Blocks of the network's beginning, and of the scene and after it: others' may be many."""

ERROR = {
    "type": "object",
    "required": ["code", "message"],
    "additionalProperties": False,
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string", "minLength": 10},
        "data": {"type": ["string", "object"]},
    },
}


def check(method: str, answer: Any) -> None:
    # The schema refers to "#/components/…": give it the components it means.
    schema = {**METHODS[method]["result"]["schema"], "components": SPEC["components"]}
    Draft7Validator(schema).validate(answer)


def test_every_block_fits_the_schema_whole_and_short(scene: Scene) -> None:
    network = scene.node.network
    kinds = set()
    head = int(network.call("eth_blockNumber"), 16)
    for height in {*range(min(head, FIRST)), *range(scene.since, min(head, scene.since + OURS))}:
        for whole in (False, True):
            block = network.call("eth_getBlockByNumber", hex(height), whole)
            check("eth_getBlockByNumber", block)
            by_hash = network.call("eth_getBlockByHash", block["hash"], whole)
            check("eth_getBlockByHash", by_hash)
            assert by_hash == block
        count = network.call("eth_getBlockTransactionCountByHash", block["hash"])
        check("eth_getBlockTransactionCountByHash", count)
        assert int(count, 16) == len(block["transactions"])
        check("eth_getBlockReceipts", network.call("eth_getBlockReceipts", hex(height)))
        for at, one in enumerate(block["transactions"]):
            kinds.add(one.get("keymootType", one["type"]))
            found = network.call("eth_getTransactionByBlockHashAndIndex", block["hash"], hex(at))
            check("eth_getTransactionByBlockHashAndIndex", found)
            assert found == one == network.call("eth_getTransactionByHash", one["hash"])
            receipt = network.call("eth_getTransactionReceipt", one["hash"])
            if receipt is not None:
                check("eth_getTransactionReceipt", receipt)
                assert receipt["type"] == one["type"]
                assert receipt["effectiveGasPrice"] == one["gasPrice"]
    # Others may have sent transactions of older forms to the same node.
    assert kinds - {"0x0", "0x1"} == {"0x2", hex(REQUEST_TYPE), hex(MESSAGE_TYPE)}


def test_block_0_is_where_the_network_begins(scene: Scene) -> None:
    network = scene.node.network
    block = network.call("eth_getBlockByNumber", "0x0", True)
    assert block == network.call("eth_getBlockByNumber", "earliest", True)
    assert block["hash"] == network.call("keymoot_network")["network"]
    first = network.call("eth_getBlockByNumber", "0x1", False)
    assert first["parentHash"] == block["hash"]
    assert set(first) == set(block)
    assert int(first["timestamp"], 16) >= int(block["timestamp"], 16) > 0
    assert network.call("eth_getBlockTransactionCountByNumber", "0x0") == "0x0"
    assert network.call("eth_getBlockReceipts", "earliest") == []
    assert network.call("eth_getTransactionByBlockNumberAndIndex", "0x0", "0x0") is None
    history = network.call("eth_feeHistory", "0x400", "0x1", [50])
    check("eth_feeHistory", history)
    assert history["oldestBlock"] == "0x0"
    assert len(history["gasUsedRatio"]) == len(history["reward"]) == 2
    assert network.call("eth_getLogs", {"blockHash": block["hash"]}) == []


def transactions(scene: Scene) -> list[dict]:
    """Give the owner's ordinary transactions: requests are of our own type."""
    network = scene.node.network
    head = int(network.call("eth_blockNumber"), 16)
    found = []
    for height in range(scene.since, min(head, scene.since + OURS) + 1):
        block = network.call("eth_getBlockByNumber", hex(height), True)
        found += [one for one in block["transactions"] if one["type"] == "0x2"]
    return [one for one in found if one["from"] == scene.owner.address.hex0x]


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
    ("eth_estimateGas", [{"to": "0x" + "ab" * 20, "value": "0x0"}]),
    ("eth_call", [{"to": WALLETS, "data": "0x"}]),
    ("eth_call", [{"to": "0x" + "ab" * 20, "data": "0x01"}, "latest"]),
]


@pytest.mark.parametrize(("method", "params"), CALLS, ids=lambda value: str(value)[:40])
def test_answers_fit_the_schema(scene: Scene, method: str, params: list) -> None:
    call = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
    answer = ask(scene, json.dumps(call).encode())
    if "error" in answer:
        Draft7Validator(ERROR).validate(answer["error"])
        assert method == "eth_call"
    else:
        check(method, answer["result"])


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
    since = network.call("eth_getFilterLogs", logs)
    check("eth_getFilterLogs", since)
    assert [one["logIndex"] for one in since[-2:]] == [one["logIndex"] for one in found]
    everything = network.call("eth_newFilter", {"address": WALLETS, "fromBlock": "earliest"})
    head = network.call("eth_blockNumber")
    assert network.call("eth_getFilterLogs", everything) == network.call(
        "eth_getLogs", {"address": WALLETS, "fromBlock": "0x0"}
    )
    ended = {"address": WALLETS, "fromBlock": "0x0", "toBlock": "0x1"}
    assert network.call("eth_getFilterLogs", network.call("eth_newFilter", ended)) == []
    late = network.call("eth_newFilter", {"address": WALLETS, "fromBlock": head})
    assert len(network.call("eth_getFilterLogs", late)) <= 1
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
        "eth_sendRawTransaction",
        "eth_getBlockTransactionCountByHash",
        "eth_getTransactionByBlockHashAndIndex",
    }
    known = {name for name in (*_METHODS, *_FILTER_METHODS) if name in METHODS}
    assert known <= tried


def test_what_waits_is_shown_without_a_block(scene: Scene) -> None:
    network = scene.node.network
    someone = EthAccount.create()
    network.faucet(Address.from_hex(someone.address.lower()))
    fields = {"to": someone.address, "gas": 21_000, "chainId": 0x5AFD}
    price = {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0}
    raw = someone.sign_transaction(fields | price | {"nonce": 3}).raw_transaction
    name = network.call("eth_sendRawTransaction", "0x" + raw.hex())
    check("eth_sendRawTransaction", name)
    waits = network.call("eth_getTransactionByHash", name)
    nowhere = ("blockHash", "blockNumber", "blockTimestamp", "transactionIndex")
    assert [waits[one] for one in nowhere] == [None] * 4
    schema = {
        **SPEC["components"]["schemas"]["TransactionSigned"],
        "components": SPEC["components"],
    }
    Draft7Validator(schema).validate(waits)
    assert network.call("eth_getTransactionReceipt", name) is None
    address = someone.address.lower()
    assert network.call("eth_getTransactionCount", address, "pending") == "0x0"
    for nonce in (2, 1, 0):
        raw = someone.sign_transaction(fields | price | {"nonce": nonce}).raw_transaction
        network.call(
            "eth_sendRawTransactionSync" if not nonce else "eth_sendRawTransaction",
            "0x" + raw.hex(),
        )
    until(lambda: network.call("eth_getTransactionReceipt", name))
    assert network.call("eth_getTransactionCount", address, "latest") == "0x4"
