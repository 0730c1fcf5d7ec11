"""Ask a view so that whoever carries question and answer can neither read nor change the answer.

python examples/private_view.py http://127.0.0.1:8645 0xWALLET

The contract here is the built-in Wallets, whose state is public. With a contract that keeps
confidential state it is the same: the key is whose state it tells.
"""

import sys

from keymoot.agent.network import Network
from keymoot.agent.owner import new_key
from keymoot.agent.query import ConfidentialQueries
from keymoot.base.fixed import WalletId
from keymoot.contracts.builtin.wallets.contract import Wallets

url, wallet = sys.argv[1:]
asking = ConfidentialQueries(Network(url), new_key())
answer = asking.view(Wallets, "wallet", WalletId.from_hex(wallet))
owner, recovery, account, *_ = answer.values
print(f"address {account.hex0x}, recovery {recovery.hex0x}, owner {owner.hex0x}")
print(
    f"of block {answer.header.height}, {answer.header.hash.hex0x}, by the enclave of seat {answer.seat}"
)
