"""AgentKit: its own provider for eth_account's accounts takes ours as it is."""

import json
import sys

import requests
from coinbase_agentkit import EthAccountWalletProvider, EthAccountWalletProviderConfig
from web3 import Web3

from keymoot.agent import Account, PolicyRefused


def no_analytics(*_: object, **__: object) -> None:
    """AgentKit reports every new provider to its maker, without a time limit: not from a test."""
    raise requests.ConnectionError("no analytics from tests")


requests.post = no_analytics
account = Account.connect("test")
provider = EthAccountWalletProvider(
    EthAccountWalletProviderConfig(account=account, chain_id="8453", rpc_url=sys.argv[1])
)
provider.send_transaction({"to": Web3.to_checksum_address(sys.argv[2]), "value": 1})
try:
    provider.sign_message("log me in")
except PolicyRefused as error:
    print(json.dumps({"address": provider.get_address(), "refused": error.reason}))
