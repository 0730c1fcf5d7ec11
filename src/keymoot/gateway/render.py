"""Blocks, transactions, receipts and logs in the words of Ethereum's API.

A block's header is Ethereum's: its hash is the Keccak-256 of the fields shown. Requests and
nodes' messages are no type of Ethereum's: they are shown as type 0, and `keymootType` says what
they are; in the roots of transactions and receipts they stand under that type.
"""

from keymoot.base.fixed import Address
from keymoot.base.hexes import data, quantity
from keymoot.base.request import REQUEST_TYPE, decode_request
from keymoot.base.strict_json import Json
from keymoot.base.transaction import ACCESS_LIST, DYNAMIC_FEE, LEGACY, decode_signed
from keymoot.base.units import Height, seconds_of
from keymoot.committee.messages import MESSAGE_TYPE, NodeMessage
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.engine.ledger import Included, Ledger
from keymoot.engine.stored_block import Erased, StoredBlock
from keymoot.gateway.errors import erased
from keymoot.runtime import gas
from keymoot.runtime.receipt import Receipt, bloom
from keymoot.runtime.transactions import LedgerTransaction
from keymoot.store.header import NO_OMMERS
from keymoot.store.trie import EMPTY_ROOT

GENESIS = Height(0)
"""The state that the network began with; its block is none that anybody signed."""

_ZERO_ADDRESS = "0x" + "00" * 20
_ZERO_HASH = "0x" + "00" * 32
_NONCE = "0x" + "00" * 8


def block_json(ledger: Ledger, height: Height, *, whole: bool) -> dict[str, Json] | None:
    """Show a block, with its transactions whole, or by their hashes."""
    if height == GENESIS:
        return _genesis_json(ledger)
    block = ledger.block(height)
    if block is None:
        return None
    header, receipts = block.header, ledger.receipts(block)
    entries: list[Json] = [
        transaction_json(ledger, ledger.included(block, receipts, index))
        if whole
        else receipt.transaction_hash.hex0x
        for index, receipt in enumerate(receipts)
    ]
    return _constant(ledger, height) | {
        "hash": header.hash.hex0x,
        "parentHash": header.parent_hash.hex0x,
        "stateRoot": header.state_root.hex0x,
        "transactionsRoot": header.transactions_root.hex0x,
        "receiptsRoot": header.receipts_root.hex0x,
        "logsBloom": data(header.logs_bloom),
        "gasUsed": quantity(header.gas_used),
        "timestamp": quantity(header.time),
        "extraData": header.generation.hex0x,
        "mixHash": header.mix_hash.hex0x,
        "size": quantity(block.size_bytes),
        "transactions": entries,
    }


def _genesis_json(ledger: Ledger) -> dict[str, Json]:
    """Show what stands before the first block; its hash is the network's id."""
    return _constant(ledger, GENESIS) | {
        "hash": ledger.network.hex0x,
        "parentHash": _ZERO_HASH,
        "stateRoot": ledger.first_root.hex0x,
        "transactionsRoot": EMPTY_ROOT.hex0x,
        "receiptsRoot": EMPTY_ROOT.hex0x,
        "logsBloom": data(bloom(())),
        "gasUsed": "0x0",
        "timestamp": quantity(seconds_of(ledger.genesis.time)),
        "extraData": _ZERO_HASH,
        "mixHash": _ZERO_HASH,
        "size": quantity(len(ledger.genesis.encode())),
        "transactions": [],
    }


def _constant(ledger: Ledger, height: Height) -> dict[str, Json]:
    return {
        "number": quantity(height),
        "sha3Uncles": NO_OMMERS.hex0x,
        "miner": _ZERO_ADDRESS,
        "difficulty": "0x0",
        "gasLimit": quantity(gas.USED_LIMIT),
        "nonce": _NONCE,
        "baseFeePerGas": quantity(ledger.genesis.base_fee),
        "uncles": [],
    }


def transaction_json(ledger: Ledger, included: Included) -> dict[str, Json]:
    """Show a transaction of a block, unless it is a dealing that is not kept any more."""
    header = included.block.header
    if isinstance(included.transaction, Erased):
        raise erased(included.transaction.hash, header.height)
    return _transaction(ledger, included.transaction) | {
        "blockHash": header.hash.hex0x,
        "blockNumber": quantity(header.height),
        "blockTimestamp": quantity(header.time),
        "transactionIndex": quantity(included.index),
        "gasPrice": quantity(included.receipt.price),
    }


def waiting_json(ledger: Ledger, tx: LedgerTransaction) -> dict[str, Json]:
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
        shown["accessList"] = [entry.to_json() for entry in transaction.access_list]
    if transaction.kind == DYNAMIC_FEE:
        shown["maxFeePerGas"] = quantity(transaction.max_fee)
        shown["maxPriorityFeePerGas"] = quantity(transaction.max_priority_fee)
    return shown


def receipt_json(included: Included) -> dict[str, Json]:
    receipt, header = included.receipt, included.block.header
    return {
        "transactionHash": receipt.transaction_hash.hex0x,
        "transactionIndex": quantity(included.index),
        "blockHash": header.hash.hex0x,
        "blockNumber": quantity(header.height),
        "from": receipt.sender.hex0x,
        "to": _address(receipt.to),
        "cumulativeGasUsed": quantity(included.gas_before + receipt.gas_used),
        "gasUsed": quantity(receipt.gas_used),
        "contractAddress": None,
        "logs": logs_json(included.block, included.index, receipt, included.first_log),
        "logsBloom": data(bloom(receipt.logs)),
        "status": quantity(receipt.status),
        "effectiveGasPrice": quantity(receipt.price),
        "type": quantity(_kind(included.transaction)),
    }


def logs_json(block: StoredBlock, index: int, receipt: Receipt, first: int) -> list[Json]:
    """Show the logs of one transaction; `first` is the number of the first one in its block."""
    return [
        {
            "address": log.address.hex0x,
            "topics": [topic.hex0x for topic in log.topics],
            "data": data(log.data),
            "blockNumber": quantity(block.header.height),
            "blockHash": block.header.hash.hex0x,
            "blockTimestamp": quantity(block.header.time),
            "transactionHash": receipt.transaction_hash.hex0x,
            "transactionIndex": quantity(index),
            "logIndex": quantity(first + at),
            "removed": False,
        }
        for at, log in enumerate(receipt.logs)
    ]


def _kind(tx: LedgerTransaction | Erased) -> int:
    return LEGACY if isinstance(tx, Erased) or tx.ethereum is None else tx.ethereum.kind


def _address(address: Address | None) -> str | None:
    return None if address is None else address.hex0x
