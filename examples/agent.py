"""An agent that signs through Keymoot with unmodified web3.py (needs `pip install web3`).

export KEYMOOT_CREDENTIAL=yield.cred TARGET_RPC=http://127.0.0.1:8545
python examples/agent.py 0xRECIPIENT 1000000000000000
"""

import os
import sys

from web3 import Web3
from web3.middleware import SignAndSendRawMiddlewareBuilder

from keymoot.agent import Account
from keymoot.policy.errors import PolicyRefused

account = Account.connect("yield")
w3 = Web3(Web3.HTTPProvider(os.environ["TARGET_RPC"]))
w3.middleware_onion.inject(SignAndSendRawMiddlewareBuilder.build(account), layer=0)
try:
    name = w3.eth.send_transaction(
        {"from": account.address, "to": sys.argv[1], "value": int(sys.argv[2])}
    )
except PolicyRefused as refused:
    print(refused.reason, refused.data)
else:
    print("mined in block", w3.eth.wait_for_transaction_receipt(name)["blockNumber"])
