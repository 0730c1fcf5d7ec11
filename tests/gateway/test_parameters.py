"""`params` of the wrong shape is -32602, for every method."""

import json
from typing import Any

import pytest

from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.gateway.methods import _FILTER_METHODS, _METHODS
from tests.gateway.conftest import Scene
from tests.gateway.test_strangers import ask

WALLETS = Wallets.ADDRESS.hex0x
HASH = "0x" + "11" * 32

NEVER: list[Any] = [True, 3.5, [[]], "", "0x", "latest ", "1", "0xzz"]
"""What is wrong in every place, but where a kind says otherwise."""

KINDS: dict[str, tuple[Any, list[Any]]] = {
    # A good value, and values that are wrong.
    "address": (WALLETS, [*NEVER, 1, {}, WALLETS[:-2], WALLETS + "00", WALLETS[2:]]),
    "hash": (HASH, [*NEVER, 1, {}, HASH[:-2], HASH + "00"]),
    "data": ("0x00", [True, 3.5, [], {}, 1, "", "0x0", "00", "0xzz"]),
    "block?": ("latest", [*NEVER, 1, {"blockNumber": 1}, {"blockHash": "0x1"}, {}, "0x01", "new"]),
    "block": ("latest", [*NEVER, 1, {"blockNumber": 1}, {"blockHash": "0x1"}, {}, "0x01", "new"]),
    "flag?": (False, [1, 0, "true", [], {}, 3.5]),
    "index": ("0x0", [*NEVER, 1, {}, "0x00"]),
    "count": ("0x1", [True, 3.5, [], {}, "", "0x", "1", "0x01", -1]),
    "percentiles?": ([25, 50.5], [True, "x", {}, [True], ["1"], [-1], [101], [50, 25], [[1]]]),
    "slot": ("0x0", [True, 3.5, [], {}, 1, "", "0x", "0xzz", HASH + "00"]),
    "slots": (["0x0"], [True, "0x0", {}, [1], [None], ["0x"], ["0x0"] * 257]),
    "cells": (["0x0"], [True, "0x0", {}, [], [1], [None], ["0x"], ["0x0"] * 33]),
    "message": (
        {"to": "0x" + "ab" * 20},
        [
            True,
            1,
            "x",
            [],
            {},
            {"to": "0x1"},
            {"to": WALLETS, "from": "0x1"},
            {"to": WALLETS, "from": 1},
            {"to": WALLETS, "gas": 1},
            {"to": WALLETS, "gas": "1"},
            {"to": WALLETS, "value": "0x01"},
            {"to": WALLETS, "value": 3.5},
            {"to": WALLETS, "data": "0x0"},
            {"to": WALLETS, "data": "0x01", "input": "0x02"},
            {"to": WALLETS, "nonce": "x"},
            {"to": WALLETS, "type": 2},
            {"to": WALLETS, "chainId": "0x1"},
            {"to": WALLETS, "accessList": {}},
            {"to": WALLETS, "accessList": [WALLETS]},
            {"to": WALLETS, "accessList": [{"storageKeys": []}]},
            {"to": WALLETS, "accessList": [{"address": "0x1"}]},
            {"to": WALLETS, "accessList": [{"address": WALLETS, "storageKeys": ["0x01"]}]},
            {"to": WALLETS, "accessList": [{"address": WALLETS}] * 600},
            {"to": WALLETS, "authorizationList": [{}]},
            {"to": WALLETS, "blobVersionedHashes": [HASH]},
            {"to": WALLETS, "gasPrice": "0x3b9aca00", "maxFeePerGas": "0x3b9aca00"},
        ],
    ),
    "overrides?": ({}, [True, 1, "x", [1], {WALLETS: {"balance": "0x1"}}]),
    "filter": (
        {"fromBlock": "latest"},
        [
            True,
            1,
            "x",
            [],
            {"fromBlock": 1},
            {"toBlock": "x"},
            {"address": "0x1"},
            {"address": [1]},
            {"address": {}},
            {"topics": {}},
            {"topics": ""},
            {"topics": "0x"},
            {"topics": [1]},
            {"topics": ["0x1"]},
            {"topics": [None] * 5},
            {"blockHash": "0x1"},
            {"blockHash": HASH, "fromBlock": "0x1"},
        ],
    ),
    "subject": (
        {},
        [
            True,
            1,
            "x",
            [],
            {"more": 1},
            {"wallet": 1},
            {"account": "0x1"},
            {"slots": ["0x1"]},
            {"account": WALLETS, "slots": {}},
            {"account": WALLETS, "slots": ["0x1", "0x1"]},
            {"account": WALLETS, "slots": ["0x1"] * 33},
        ],
    ),
    "filter id": ("0x1", [True, 1, [], {}, 3.5, None]),
    "milliseconds?": (10, [True, 0, -1, 3.5, "x", [], {}, 60_001, "0x01"]),
}

SHAPES: dict[str, list[str]] = {
    "web3_clientVersion": [],
    "net_version": [],
    "eth_chainId": [],
    "eth_blockNumber": [],
    "eth_syncing": [],
    "eth_coinbase": [],
    "eth_getBlockByNumber": ["block", "flag?"],
    "eth_getBlockByHash": ["hash", "flag?"],
    "eth_getBlockTransactionCountByNumber": ["block"],
    "eth_getBlockTransactionCountByHash": ["hash"],
    "eth_getBlockReceipts": ["block"],
    "eth_gasPrice": [],
    "eth_maxPriorityFeePerGas": [],
    "eth_feeHistory": ["count", "block", "percentiles?"],
    "eth_accounts": [],
    "eth_getBalance": ["address", "block?"],
    "eth_getTransactionCount": ["address", "block?"],
    "eth_getCode": ["address", "block?"],
    "eth_getStorageAt": ["address", "slot", "block?"],
    "eth_getProof": ["address", "slots", "block?"],
    "eth_call": ["message", "block?", "overrides?", "overrides?"],
    "eth_estimateGas": ["message", "block?", "overrides?", "overrides?"],
    "eth_sendRawTransaction": ["data"],
    "eth_sendRawTransactionSync": ["data", "milliseconds?"],
    "eth_getTransactionByHash": ["hash"],
    "eth_getTransactionByBlockHashAndIndex": ["hash", "index"],
    "eth_getTransactionByBlockNumberAndIndex": ["block", "index"],
    "eth_getTransactionReceipt": ["hash"],
    "eth_getLogs": ["filter"],
    "keymoot_ask": ["data", "milliseconds?"],
    "keymoot_network": [],
    "keymoot_assembly": [],
    "keymoot_founding": [],
    "keymoot_certified": ["block?"],
    "keymoot_committee": [],
    "keymoot_wallet": ["hash"],
    "keymoot_log": ["hash", "index", "index"],
    "keymoot_cells": ["address", "cells"],
    "keymoot_follow": ["hash"],
    "keymoot_proof": ["subject"],
    "keymoot_receipt": ["hash"],
    "keymoot_getEntry": ["address", "slot", "block?"],
    "keymoot_getRequest": ["hash"],
    "keymoot_getOutcome": ["hash"],
    "keymoot_faucet": ["address"],
    "eth_newFilter": ["filter"],
    "eth_newBlockFilter": [],
    "eth_newPendingTransactionFilter": [],
    "eth_getFilterChanges": ["filter id"],
    "eth_getFilterLogs": ["filter id"],
    "eth_uninstallFilter": ["filter id"],
}


def wrong_shapes(method: str) -> list[Any]:
    kinds = SHAPES[method]
    good = [KINDS[kind][0] for kind in kinds]
    least = sum(not kind.endswith("?") for kind in kinds)
    shapes: list[Any] = [{}, {"address": WALLETS}, "x", 1, True, [*good, None], [*good, *good, 1]]
    shapes += [good[:count] for count in range(least)]
    for at, kind in enumerate(kinds):
        for bad in KINDS[kind][1]:
            shapes.append([*good[:at], bad, *good[at + 1 :]])
        if not kind.endswith("?") and kind != "block":
            shapes.append([*good[:at], None, *good[at + 1 :]])
    return shapes


def test_the_table_names_every_method() -> None:
    assert set(SHAPES) == {*_METHODS, *_FILTER_METHODS}


@pytest.mark.parametrize("method", SHAPES)
def test_params_of_the_wrong_shape_are_named(scene: Scene, method: str) -> None:
    for params in wrong_shapes(method):
        call = {"jsonrpc": "2.0", "id": 7, "method": method, "params": params}
        answer = ask(scene, json.dumps(call).encode())
        assert answer["id"] == 7
        assert answer.get("error", {}).get("code") == -32602, (params, answer)
        assert len(answer["error"]["message"]) > 10


def test_params_may_be_left_out_where_none_are_needed(scene: Scene) -> None:
    for extra in ({}, {"params": []}, {"params": None}):
        call = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId"} | extra
        assert ask(scene, json.dumps(call).encode())["result"] == "0x5afd"


CLIENT_FIELDS = [
    # web3.js 4
    {"chain": "mainnet", "hardfork": "prague", "networkId": "0x1", "common": {"x": [1]}},
    {"gasLimit": "0x5208", "maxFeePerGas": "0x77359400", "maxPriorityFeePerGas": "0x0"},
    {"data": "0x", "input": "0x"},
    # viem, ethers, alloy, web3.py
    {"accessList": None, "maxFeePerBlobGas": None, "authorizationList": [], "blobs": []},
    {"type": "0x2", "chainId": "0x5afd", "nonce": "0x0", "accessList": []},
    {"type": "0x0", "gasPrice": "0x3b9aca00", "v": "0x0", "r": "0x0", "s": "0x0", "hash": HASH},
    {"blobVersionedHashes": [], "kzg": None, "sidecars": None, "yParity": "0x1"},
    {"customData": {}, "enableCcipRead": True, "blockTag": "latest"},
    {"gasPrice": "0x0"},
]


def test_an_access_list_is_in_the_estimate(scene: Scene) -> None:
    entry = {"address": "0x" + "cd" * 20, "storageKeys": [HASH, HASH]}
    message = {"from": scene.owner.address.hex0x, "to": "0x" + "ab" * 20, "accessList": [entry]}
    found = scene.node.network.call("eth_estimateGas", message)
    assert int(found, 16) == 21_000 + 2_400 + 2 * 1_900


@pytest.mark.parametrize("extra", CLIENT_FIELDS, ids=lambda extra: next(iter(extra)))
@pytest.mark.parametrize("method", ["eth_call", "eth_estimateGas"])
def test_what_clients_put_beside_is_ignored(scene: Scene, method: str, extra: dict) -> None:
    message = {"from": scene.owner.address.hex0x, "to": "0x" + "ab" * 20, "value": "0x1"} | extra
    found = scene.node.network.call(method, message, "latest")
    assert found == ("0x" if method == "eth_call" else "0x5208")
