"""The table of methods: what the gateway answers, by name."""

from collections.abc import Awaitable, Callable
from functools import partial

from keymoot.base.strict_json import Json
from keymoot.gateway import accounts, chain, logs, network, proofs, transactions
from keymoot.gateway.logs import Filters
from keymoot.gateway.services import Elsewhere, Services

Method = Callable[[list[Json]], Awaitable["Json | Elsewhere"]]

_METHODS = {
    "web3_clientVersion": chain.client_version,
    "net_version": chain.net_version,
    "eth_chainId": chain.chain_id,
    "eth_blockNumber": chain.block_number,
    "eth_syncing": chain.syncing,
    "eth_coinbase": chain.coinbase,
    "eth_getBlockByNumber": chain.block_by_number,
    "eth_getBlockByHash": chain.block_by_hash,
    "eth_getBlockTransactionCountByNumber": chain.count_by_number,
    "eth_getBlockTransactionCountByHash": chain.count_by_hash,
    "eth_getBlockReceipts": chain.block_receipts,
    "eth_gasPrice": chain.gas_price,
    "eth_maxPriorityFeePerGas": chain.priority_fee,
    "eth_feeHistory": chain.fee_history,
    "eth_accounts": accounts.accounts,
    "eth_getBalance": accounts.balance,
    "eth_getTransactionCount": accounts.transaction_count,
    "eth_getCode": accounts.code,
    "eth_getStorageAt": accounts.storage_at,
    "eth_getProof": accounts.proof,
    "eth_call": accounts.call,
    "eth_estimateGas": accounts.estimate_gas,
    "eth_sendRawTransaction": transactions.send_raw,
    "eth_sendRawTransactionSync": transactions.send_raw_sync,
    "eth_getTransactionByHash": transactions.by_hash,
    "eth_getTransactionByBlockHashAndIndex": transactions.by_block_hash,
    "eth_getTransactionByBlockNumberAndIndex": transactions.by_block_number,
    "eth_getTransactionReceipt": transactions.receipt,
    "eth_getLogs": logs.get_logs,
    "keymoot_ask": transactions.ask,
    "keymoot_network": network.network,
    "keymoot_assembly": network.committee_status,
    "keymoot_founding": network.founding,
    "keymoot_certified": network.certified,
    "keymoot_committee": network.committee,
    "keymoot_wallet": network.wallet,
    "keymoot_cells": network.cells,
    "keymoot_log": network.log,
    "keymoot_follow": network.follow,
    "keymoot_proof": proofs.dossier,
    "keymoot_receipt": proofs.receipt,
    "keymoot_getEntry": network.entry,
    "keymoot_getRequest": network.request,
    "keymoot_getOutcome": transactions.outcome,
    "keymoot_faucet": network.faucet,
}

_FILTER_METHODS = {
    "eth_newFilter": logs.log_filter,
    "eth_newBlockFilter": logs.block_filter,
    "eth_newPendingTransactionFilter": logs.pending_filter,
    "eth_getFilterChanges": logs.filter_changes,
    "eth_getFilterLogs": logs.filter_logs,
    "eth_uninstallFilter": logs.uninstall,
}


def method_table(services: Services, filters: Filters) -> dict[str, Method]:
    table: dict[str, Method] = {
        name: partial(function, services) for name, function in _METHODS.items()
    }
    for name, make in _FILTER_METHODS.items():
        table[name] = partial(make, services, filters)
    return table
