"""GOAT: its web3 wallet sends by the default account and signs by the local one."""

import json
import sys

from goat_wallets.web3 import Web3EVMWalletClient
from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from keymoot.agent import Account, PolicyRefused

account = Account.connect("test")
w3 = Web3(Web3.HTTPProvider(sys.argv[1]))
w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
w3.eth.default_account = account.address
w3.eth.default_local_account = account
client = Web3EVMWalletClient(w3)
client.send_transaction({"to": sys.argv[2], "value": 1})
try:
    client.sign_message("log me in")
except PolicyRefused as error:
    print(json.dumps({"address": client.get_address(), "refused": error.reason}))
