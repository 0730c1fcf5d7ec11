"""Unmodified web3.py connects, reads, estimates, sends, waits, and verifies proofs."""

import pytest
from eth_account import Account as EthAccount
from web3 import Web3
from web3.exceptions import ContractCustomError, TimeExhausted, Web3RPCError

from keymoot.base.fixed import Address, Hash32
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.wallet import Wallet
from keymoot.store.entry import unpack
from keymoot.store.proof import verify_account, verify_slot
from keymoot.store.public import public_slot
from tests.gateway.conftest import Scene
from tests.runtime.people import calldata


@pytest.fixture
def w3(scene: Scene) -> Web3:
    return Web3(Web3.HTTPProvider(scene.node.url))


@pytest.fixture
def rich(scene: Scene):
    account = EthAccount.create()
    scene.node.network.faucet(Address.from_hex(account.address.lower()))
    return account


def test_connects_and_reads(w3: Web3, rich) -> None:
    assert w3.is_connected()
    assert w3.eth.chain_id == 0x5AFD
    assert w3.eth.get_balance(rich.address) == 1000 * 10**18
    before = w3.eth.block_number
    assert before <= w3.eth.get_block("latest")["number"] <= w3.eth.block_number
    assert "SIMULATED" in w3.client_version
    assert len(w3.eth.get_code(Web3.to_checksum_address(Wallets.ADDRESS.hex0x))) > 0


def test_estimates_sends_and_waits(w3: Web3, rich) -> None:
    to = EthAccount.create().address
    fields = {"from": rich.address, "to": to, "value": 12345}
    gas = w3.eth.estimate_gas(fields)
    filled = {
        **fields,
        "gas": gas,
        "nonce": w3.eth.get_transaction_count(rich.address, "pending"),
        "chainId": w3.eth.chain_id,
        "maxFeePerGas": w3.eth.gas_price,
        "maxPriorityFeePerGas": 0,
    }
    signed = rich.sign_transaction(filled)
    name = w3.eth.send_raw_transaction(signed.raw_transaction)
    receipt = w3.eth.wait_for_transaction_receipt(name, timeout=240)
    assert receipt["status"] == 1
    assert w3.eth.get_balance(to) == 12345
    assert w3.eth.get_transaction(name)["from"] == rich.address


@pytest.mark.parametrize("kind", [0, 2])
def test_legacy_and_dynamic_fee_transactions_are_taken(w3: Web3, rich, kind: int) -> None:
    fields = {
        "to": EthAccount.create().address,
        "value": 1,
        "gas": 21_000,
        "nonce": 0,
        "chainId": w3.eth.chain_id,
    }
    price = {"gasPrice": 10**9} if kind == 0 else {"maxFeePerGas": 10**9, "maxPriorityFeePerGas": 0}
    raw = rich.sign_transaction(fields | price).raw_transaction
    answer = w3.provider.make_request("eth_sendRawTransactionSync", ["0x" + raw.hex()])
    assert answer["result"]["status"] == "0x1"
    assert int(answer["result"]["type"], 16) == kind


def test_the_wait_of_a_sync_send_is_bounded(w3: Web3, rich) -> None:
    fields = {"to": rich.address, "value": 1, "gas": 21_000, "nonce": 5, "chainId": 0x5AFD}
    raw = rich.sign_transaction(fields | {"gasPrice": 10**9}).raw_transaction
    answer = w3.provider.make_request("eth_sendRawTransactionSync", ["0x" + raw.hex(), 150])
    assert answer["error"]["code"] == 4
    assert answer["error"]["data"] == Web3.to_hex(Web3.keccak(raw))
    with pytest.raises(TimeExhausted):
        w3.eth.wait_for_transaction_receipt(answer["error"]["data"], timeout=0.3)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"nonce": 99}, "nonce too high"),
        ({"value": 10**30}, "insufficient funds"),
        ({"gasPrice": 1}, "max fee per gas less than block base fee"),
        ({"gas": 20_999}, "intrinsic gas too low"),
        ({"chainId": 1}, "target RPC"),
    ],
)
def test_what_cannot_be_sent_says_why(w3: Web3, rich, change: dict, message: str) -> None:
    fields = {"to": rich.address, "value": 1, "gas": 21_000, "nonce": 0, "chainId": 0x5AFD}
    raw = rich.sign_transaction(fields | {"gasPrice": 10**9} | change).raw_transaction
    with pytest.raises(Web3RPCError, match=message):
        w3.eth.send_raw_transaction(raw)


def test_typed_errors_reach_web3(scene: Scene, w3: Web3, rich) -> None:
    data = "0x" + calldata(Wallets, "pause", scene.wallet.wallet).hex()
    to = Web3.to_checksum_address(Wallets.ADDRESS.hex0x)
    with pytest.raises(ContractCustomError) as refused:
        w3.eth.call({"to": to, "data": data, "from": rich.address})
    assert refused.value.data == "0x30cd7471"  # NotOwner()
    with pytest.raises(ContractCustomError):
        w3.eth.estimate_gas({"to": to, "data": data, "from": rich.address})


def test_a_wallet_is_proved_without_believing_the_node(scene: Scene, w3: Web3) -> None:
    slot = public_slot(Wallets.wallets.slot_key(scene.wallet.wallet))
    to = Web3.to_checksum_address(Wallets.ADDRESS.hex0x)
    block = w3.eth.get_block("latest")
    proof = w3.eth.get_proof(to, [int.from_bytes(slot, "big")], block["number"])
    root = Hash32(bytes(block["stateRoot"]))
    account = verify_account(root, Wallets.ADDRESS, [bytes(one) for one in proof["accountProof"]])
    entry = proof["storageProof"][0]
    value = verify_slot(account.storage_root, slot, [bytes(one) for one in entry["proof"]])
    assert value == bytes(entry["value"]).lstrip(b"\0")
    blob = scene.node.network.call("keymoot_getEntry", Wallets.ADDRESS.hex0x, slot.hex0x)
    wallet = Wallet.decode(unpack(value, bytes.fromhex(blob[2:])))
    assert wallet.account == scene.wallet.account
    assert wallet.owner == scene.owner.address


def test_state_of_the_past_is_what_it_was(w3: Web3, rich) -> None:
    given = w3.eth.block_number
    spend = {"to": rich.address, "value": 0, "gas": 21_000, "nonce": 0, "chainId": 0x5AFD}
    raw = rich.sign_transaction(spend | {"gasPrice": 10**9}).raw_transaction
    block = w3.eth.wait_for_transaction_receipt(w3.eth.send_raw_transaction(raw))["blockNumber"]
    spent = 21_000 * 10**9
    assert w3.eth.get_balance(rich.address, given) == 1000 * 10**18
    assert w3.eth.get_balance(rich.address, block) == 1000 * 10**18 - spent
    with pytest.raises(Web3RPCError, match="unknown block"):
        w3.eth.get_balance(rich.address, w3.eth.block_number + 1_000)


@pytest.mark.parametrize("start", [0, "0x0", "earliest", 1])
def test_logs_from_the_very_beginning_are_all_of_them(w3: Web3, start) -> None:
    logs = w3.eth.get_logs({"fromBlock": start, "toBlock": "latest"})
    assert logs
    assert logs[0]["blockNumber"] == min(log["blockNumber"] for log in logs)
    assert not w3.eth.get_logs({"fromBlock": start, "toBlock": 0})
    assert not w3.eth.get_logs({"fromBlock": w3.eth.block_number + 1_000})
