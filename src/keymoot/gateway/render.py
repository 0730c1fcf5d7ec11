"""Blocks, transactions, receipts and logs in the words of Ethereum's API.

Two words mean something of their own here: `hash` of a block is CometBFT's header hash,
and `transactionsRoot` and `receiptsRoot` are CometBFT's Merkle roots (SHA-256).
`stateRoot` is Ethereum's: `eth_getProof` leads up to it. Requests and nodes' messages are
no type of Ethereum's: they are shown as type 0, and `keymootType` says what they are.
"""

from functools import lru_cache

from keymoot.attest.block import Block
from keymoot.base.fixed import Address
from keymoot.base.hexes import data, quantity
from keymoot.base.request import REQUEST_TYPE, decode_request
from keymoot.base.strict_json import Json
from keymoot.base.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, decode_signed
from keymoot.base.units import Height, seconds_of
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.wallets import Wallets
from keymoot.engine.ledger import Included, Ledger
from keymoot.moot.message import MESSAGE_TYPE, NodeMessage
from keymoot.runtime import gas
from keymoot.runtime.receipt import Receipt, bloom
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.trie import EMPTY_ROOT

EMPTY_UNCLES = "0x1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"
"""Keccak-256 of an empty list in RLP: there are no uncles."""

GENESIS = Height(0)
"""The state that the network began with; its block is none that anybody signed."""

_ZERO_ADDRESS = "0x" + "00" * 20
_ZERO_HASH = "0x" + "00" * 32
_NONCE = "0x" + "00" * 8


def block_json(ledger: Ledger, height: Height, *, whole: bool) -> dict[str, Json] | None:
    """Show a block, with its transactions whole or by their hashes."""
    if height == GENESIS:
        return _genesis_json(ledger)
    block = ledger.block(height)
    if block is None:
        return None
    header, receipts = block.header, ledger.receipts(block)
    logs = tuple(log for receipt in receipts for log in receipt.logs)
    entries: list[Json] = [
        transaction_json(ledger, ledger.included(block, receipts, index))
        if whole
        else receipt.transaction_hash.hex0x
        for index, receipt in enumerate(receipts)
    ]
    return _constant(ledger, height) | {
        "hash": header.hash().hex0x,
        "parentHash": data(header.last_block_id.hash or bytes(ledger.network)),
        "miner": data(header.proposer_address),
        "transactionsRoot": data(header.data_hash),
        "receiptsRoot": data(header.last_results_hash or bytes(32)),
        "logsBloom": data(bloom(logs)),
        "gasUsed": quantity(sum(receipt.gas_used for receipt in receipts)),
        "timestamp": quantity(seconds_of(header.time)),
        "size": quantity(len(block.encode())),
        "transactions": entries,
    }


def _genesis_json(ledger: Ledger) -> dict[str, Json]:
    """Show what stands before the first block; its hash is the network's id."""
    return _constant(ledger, GENESIS) | {
        "hash": ledger.network.hex0x,
        "parentHash": _ZERO_HASH,
        "miner": _ZERO_ADDRESS,
        "transactionsRoot": EMPTY_ROOT.hex0x,
        "receiptsRoot": EMPTY_ROOT.hex0x,
        "logsBloom": data(bloom(())),
        "gasUsed": "0x0",
        "timestamp": quantity(seconds_of(ledger.genesis.time)),
        "size": quantity(len(ledger.genesis.encode())),
        "transactions": [],
    }


def _constant(ledger: Ledger, height: Height) -> dict[str, Json]:
    return {
        "number": quantity(height),
        "sha3Uncles": EMPTY_UNCLES,
        "stateRoot": data(state_root(ledger, height)),
        "difficulty": "0x0",
        "gasLimit": quantity(gas.BLOCK_LIMIT),
        "extraData": "0x",
        "mixHash": _ZERO_HASH,
        "nonce": _NONCE,
        "baseFeePerGas": quantity(ledger.genesis.base_fee),
        "uncles": [],
    }


def state_root(ledger: Ledger, height: Height) -> bytes:
    """Give the state root after a block: the next header's app hash."""
    if height == ledger.height():
        return ledger.state().root
    after = ledger.block(Height(height + 1))
    return bytes(32) if after is None else after.header.app_hash


def transaction_json(ledger: Ledger, found: Included) -> dict[str, Json]:
    """Show a transaction of a block."""
    header = found.block.header
    return _transaction(ledger, found.transaction) | {
        "blockHash": found.block_hash.hex0x,
        "blockNumber": quantity(header.height),
        "blockTimestamp": quantity(seconds_of(header.time)),
        "transactionIndex": quantity(found.index),
        "gasPrice": quantity(found.receipt.price),
    }


def waiting_json(ledger: Ledger, tx: LedgerTransaction) -> dict[str, Json]:
    """Show a transaction that is in no block yet."""
    return _transaction(ledger, tx) | {
        "blockHash": None,
        "blockNumber": None,
        "blockTimestamp": None,
        "transactionIndex": None,
    }


def _transaction(ledger: Ledger, tx: LedgerTransaction) -> dict[str, Json]:
    if tx.ethereum is not None:
        shown = _ethereum(tx.raw)
    elif tx.message is not None:
        shown = _message(ledger, tx.message)
    else:
        shown = _request(ledger, tx.raw)
    return shown | {"hash": tx.hash.hex0x, "from": tx.sender.hex0x}


def _message(ledger: Ledger, message: NodeMessage) -> dict[str, Json]:
    """Show a node's message in the fields that Ethereum's transactions have."""
    # A recovery is signed inside; whatever a stranger sends has a signature of any length.
    signature = message.signature.ljust(64, b"\0") + b"\0"
    return _ours(ledger, MESSAGE_TYPE, signature) | {
        "to": Nodes.ADDRESS.hex0x,
        "gas": quantity(gas.MESSAGE),
        "gasPrice": "0x0",
        "input": data(message.body),
    }


def _request(ledger: Ledger, raw: bytes) -> dict[str, Json]:
    request, signature = decode_request(raw)
    return _ours(ledger, REQUEST_TYPE, signature) | {
        "to": Wallets.ADDRESS.hex0x,
        "gas": quantity(gas.REQUEST_LIMIT),
        "gasPrice": quantity(ledger.genesis.base_fee),
        "input": data(request.payload),
    }


def _ours(ledger: Ledger, kind: int, signature: bytes) -> dict[str, Json]:
    """Give what our own types have in common, as Ethereum's type 0 has it (EIP-155)."""
    chain_id = ledger.genesis.chain_id
    return {
        "type": quantity(LEGACY),
        "keymootType": quantity(kind),
        "chainId": quantity(chain_id),
        "nonce": "0x0",
        "value": "0x0",
        "r": quantity(int.from_bytes(signature[:32], "big")),
        "s": quantity(int.from_bytes(signature[32:64], "big")),
        "v": quantity(35 + 2 * chain_id + signature[64]),
    }


def _ethereum(raw: bytes) -> dict[str, Json]:
    transaction, signature = decode_signed(raw)
    parity = signature[64]
    shown: dict[str, Json] = {
        "type": quantity(transaction.kind),
        "nonce": quantity(transaction.nonce),
        "to": _address(transaction.to),
        "gas": quantity(transaction.gas),
        "value": quantity(transaction.value),
        "input": data(transaction.data),
        "gasPrice": quantity(transaction.max_fee),
        "r": quantity(int.from_bytes(signature[:32], "big")),
        "s": quantity(int.from_bytes(signature[32:64], "big")),
        "v": quantity(parity),
    }
    if transaction.kind == LEGACY:
        shown["v"] = quantity(35 + 2 * (transaction.chain_id or 0) + parity)
    if transaction.chain_id is not None:
        shown["chainId"] = quantity(transaction.chain_id)
    if transaction.kind in (ACCESS_LIST, DYNAMIC_FEE):
        shown["yParity"] = quantity(parity)
        shown["accessList"] = [
            {
                "address": entry.address.hex0x,
                "storageKeys": [slot.hex0x for slot in entry.slots],
            }
            for entry in transaction.access_list
        ]
    if transaction.kind == DYNAMIC_FEE:
        shown["maxFeePerGas"] = quantity(transaction.max_fee)
        shown["maxPriorityFeePerGas"] = quantity(transaction.max_priority_fee)
    return shown


def receipt_json(found: Included) -> dict[str, Json]:
    """Show a receipt."""
    receipt, header = found.receipt, found.block.header
    return {
        "transactionHash": receipt.transaction_hash.hex0x,
        "transactionIndex": quantity(found.index),
        "blockHash": found.block_hash.hex0x,
        "blockNumber": quantity(header.height),
        "from": receipt.sender.hex0x,
        "to": _address(receipt.to),
        "cumulativeGasUsed": quantity(found.gas_before + receipt.gas_used),
        "gasUsed": quantity(receipt.gas_used),
        "contractAddress": None,
        "logs": logs_json(found.block, found.index, receipt, found.first_log),
        "logsBloom": data(bloom(receipt.logs)),
        "status": quantity(receipt.status),
        "effectiveGasPrice": quantity(receipt.price),
        "type": quantity(_kind(found.transaction)),
    }


def logs_json(block: Block, index: int, receipt: Receipt, first: int) -> list[Json]:
    """Show the logs of one transaction; `first` is the number of the first one in its block."""
    return [
        {
            "address": log.address.hex0x,
            "topics": [topic.hex0x for topic in log.topics],
            "data": data(log.data),
            "blockNumber": quantity(block.header.height),
            "blockHash": _hash_of(block),
            "blockTimestamp": quantity(seconds_of(block.header.time)),
            "transactionHash": receipt.transaction_hash.hex0x,
            "transactionIndex": quantity(index),
            "logIndex": quantity(first + at),
            "removed": False,
        }
        for at, log in enumerate(receipt.logs)
    ]


def _kind(tx: LedgerTransaction) -> int:
    return LEGACY if tx.ethereum is None else tx.ethereum.kind


def _address(address: Address | None) -> str | None:
    return None if address is None else address.hex0x


@lru_cache(maxsize=64)
def _hash_of(block: Block) -> str:
    return block.header.hash().hex0x
