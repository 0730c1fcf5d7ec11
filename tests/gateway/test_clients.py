"""Unmodified clients of Ethereum at an idle network: viem, ethers, web3.js, web3.py, cast."""

import json
import secrets
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from web3 import Web3
from web3.exceptions import ContractCustomError, Web3RPCError

from demo.checkout import ROOT
from keymoot.base.fixed import Address
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.errors import WalletExists
from tests.node.running import Running

SCRIPTS = Path(__file__).with_name("clients")
CAST = ROOT / "node_modules/@foundry-rs/cast-linux-amd64/bin/cast"
RECOVERY = "0x" + "99" * 20
PATIENCE_SECONDS = 600

pytestmark = pytest.mark.long


@pytest.fixture
def node(open_node: Running) -> Running:
    """Give the node that makes blocks though nobody wants one: clients wait for confirmations."""
    return open_node


def person(node: Running, *, rich: bool) -> str:
    """Give somebody's key, with tokens or without."""
    made = EthAccount.create()
    if rich:
        node.network.faucet(Address.from_hex(made.address.lower()))
    return made.key.to_0x_hex()


def run(node: Running, client: str) -> dict[str, Any]:
    assert (ROOT / "node_modules" / client).is_dir(), "npm ci, or make setup"
    told = {
        "url": node.url,
        "chainId": 0x5AFD,
        "wallets": Wallets.ADDRESS.hex0x,
        "recovery": RECOVERY,
        "salt": "0x" + secrets.token_hex(32),
        "rich": person(node, rich=True),
        "many": person(node, rich=True),
        "poor": person(node, rich=False),
    }
    done = subprocess.run(
        ["node", str(SCRIPTS / f"{client}.mjs")],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=PATIENCE_SECONDS,
    )
    assert done.returncode == 0, done.stderr[-4_000:]
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_viem(node: Running) -> None:
    found = run(node, "viem")
    wait = found.pop("wait")
    assert wait["status"] == "success"
    assert wait["confirmations"] >= 3
    assert found == {
        "parallel": 20,
        "simulated": True,
        "again": "WalletExists",
        "estimateAgain": "WalletExists",
        "notOwner": "NotOwner",
        "insufficient": True,
        "insufficientRaw": True,
        "nonceTooLow": True,
        "gasTooLow": True,
        "feeTooLow": True,
        "lost": True,
        "watched": True,
        "first": {"number": 0, "transactions": 0},
    }


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_ethers(node: Running) -> None:
    found = run(node, "ethers")
    wait = found.pop("wait")
    assert wait["status"] == 1
    assert wait["confirmations"] >= 3
    lost = found.pop("lost")
    assert lost["code"] == -32000
    assert "filter not found" in lost["message"]
    assert found == {
        "parallel": 20,
        "simulated": True,
        "again": "WalletExists",
        "estimateAgain": "WalletExists",
        "sendAgain": "WalletExists",
        "notOwner": "NotOwner",
        "insufficient": "INSUFFICIENT_FUNDS",
        "insufficientRaw": "INSUFFICIENT_FUNDS",
        "nonceTooLow": "NONCE_EXPIRED",
        "underpriced": "REPLACEMENT_UNDERPRICED",
        "waits": None,
        "batched": 250,
        "first": {"number": 0, "transactions": 0},
    }


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_web3_js(node: Running) -> None:
    found = run(node, "web3")
    wait = found.pop("wait")
    assert wait["status"] == 1
    assert wait["confirmations"] >= 3
    words = {
        "insufficient": "insufficient funds for gas * price + value",
        "insufficientRaw": "insufficient funds for gas * price + value",
        "nonceTooLow": "nonce too low",
        "lost": "filter not found",
    }
    for name, expected in words.items():
        told = found.pop(name)
        assert expected in told["message"], (name, told)
        assert told["code"] == -32000, (name, told)
    assert found == {
        "parallel": 20,
        "estimate": True,
        "simulated": True,
        "again": "WalletExists",
        "notOwner": "NotOwner",
        "first": {"number": 0, "transactions": 0},
    }


def begin_cast(node: Running, *arguments: str) -> subprocess.Popen[str]:
    command = [str(CAST), *arguments, "--rpc-url", node.url, "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def told_by(cast: subprocess.Popen[str]) -> Any:
    with cast:
        try:
            output, error = cast.communicate(timeout=PATIENCE_SECONDS)
        finally:
            cast.kill()
    if cast.returncode:
        return error
    text = output.strip()
    return text if text.startswith("0x") else json.loads(text)


def cast(node: Running, *arguments: str) -> Any:
    return told_by(begin_cast(node, *arguments))


@pytest.mark.timeout(PATIENCE_SECONDS)
@pytest.mark.skipif(not CAST.exists(), reason="cast is there for Linux on x86-64 only")
def test_cast(node: Running) -> None:
    rich, poor = person(node, rich=True), person(node, rich=False)
    address = EthAccount.from_key(rich).address
    wallets, salt = Wallets.ADDRESS.hex0x, "0x" + secrets.token_hex(32)
    sent = cast(
        node, "send", "--private-key", rich, RECOVERY, "--value", "5", "--confirmations", "3"
    )
    assert sent["status"] == "0x1"
    # Its library may give a receipt before the confirmations have come; come they have to.
    while int(cast(node, "block-number")) < int(sent["blockNumber"], 16) + 2:
        time.sleep(0.2)
    # What would come is what comes.
    create = [wallets, "create(bytes32,address)(bytes32,address)", salt, RECOVERY, "--value", "7"]
    wallet, account = cast(node, "call", "--from", address, *create)
    made = cast(node, "send", "--private-key", rich, *create)
    assert made["logs"][0]["topics"][1] == wallet
    assert made["logs"][0]["topics"][3][-40:] == account[2:].lower()
    assert "execution reverted" in cast(node, "call", "--from", address, *create)
    assert "execution reverted" in cast(node, "estimate", "--from", address, *create)
    # Nonces in any order; whoever waits for the last ones sees the block, and asks once.
    start = int(cast(node, "nonce", address))
    waiting = []
    for nonce in reversed(range(start, start + 5)):
        name = cast(
            node,
            "send",
            "--async",
            "--private-key",
            rich,
            RECOVERY,
            "--nonce",
            str(nonce),
            "--gas-limit",
            "21000",
            "--gas-price",
            "1gwei",
            "--priority-gas-price",
            "0",
        )
        assert len(bytes.fromhex(name[2:])) == 32
        waiting.append(begin_cast(node, "receipt", name))
    for one in waiting:
        receipt = told_by(one)
        assert isinstance(receipt, dict), receipt
        assert receipt["status"] == "0x1"
    for told in (
        cast(node, "send", "--private-key", poor, RECOVERY, "--value", "5"),
        cast(
            node, "estimate", RECOVERY, "--from", EthAccount.from_key(poor).address, "--value", "5"
        ),
    ):
        assert "insufficient funds" in told
    assert cast(node, "block", "0", "--full")["transactions"] == []
    # The first blocks hold the enclaves' own messages.
    for height in range(20):
        assert int(cast(node, "block", str(height), "--full")["number"], 16) == height


@pytest.mark.timeout(PATIENCE_SECONDS)
def test_web3_py(node: Running) -> None:
    w3 = Web3(Web3.HTTPProvider(node.url))
    rich = EthAccount.from_key(person(node, rich=True))
    poor = EthAccount.from_key(person(node, rich=False))
    abi = json.loads(
        subprocess.run(
            ["node", "--input-type=module", "-e", _ABI],
            cwd=SCRIPTS,
            text=True,
            input="{}",
            capture_output=True,
            check=True,
        ).stdout
    )
    wallets = w3.eth.contract(Web3.to_checksum_address(Wallets.ADDRESS.hex0x), abi=abi)
    fields = {"to": RECOVERY, "gas": 21_000, "chainId": 0x5AFD, "maxFeePerGas": 10**9}
    fields |= {"maxPriorityFeePerGas": 0, "value": 1}
    # Nonces in any order.
    names = [
        w3.eth.send_raw_transaction(rich.sign_transaction(fields | {"nonce": at}).raw_transaction)
        for at in reversed(range(20))
    ]
    receipts = [w3.eth.wait_for_transaction_receipt(one) for one in names]
    assert [one["status"] for one in receipts] == [1] * 20
    head = receipts[0]["blockNumber"]
    deadline = time.monotonic() + PATIENCE_SECONDS / 2
    while w3.eth.block_number < head + 3:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    create = wallets.functions.create(secrets.token_bytes(32), RECOVERY)
    options = {"from": rich.address, "value": 7}
    wallet, account = create.call(options)
    raw = rich.sign_transaction(create.build_transaction(options | {"nonce": 20})).raw_transaction
    made = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw))
    event = wallets.events.WalletCreated().process_receipt(made)[0]["args"]
    assert (wallet, account) == (event["wallet"], event["account"])
    for again in (create.call, create.estimate_gas):
        with pytest.raises(ContractCustomError) as refused:
            again(options)
        assert refused.value.data == "0x" + WalletExists().revert_data().hex()
    with pytest.raises(Web3RPCError, match="insufficient funds for gas"):
        w3.eth.estimate_gas({"from": poor.address, "to": RECOVERY, "value": 1})
    with pytest.raises(Web3RPCError, match="insufficient funds for gas"):
        w3.eth.send_raw_transaction(poor.sign_transaction(fields | {"nonce": 0}).raw_transaction)
    filter_ = w3.eth.filter("latest")
    w3.eth.uninstall_filter(filter_.filter_id)
    with pytest.raises(Web3RPCError, match="filter not found") as lost:
        filter_.get_new_entries()
    assert lost.value.rpc_response["error"]["code"] == -32000
    for height in range(min(w3.eth.block_number, 100) + 1):
        assert w3.eth.get_block(height, full_transactions=True)["number"] == height


_ABI = """
import {Interface} from "ethers"; import {WALLETS} from "./shared.mjs";
console.log(new Interface(WALLETS).formatJson());
"""
