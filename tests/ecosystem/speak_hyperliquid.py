"""Hyperliquid: the SDK's own `Exchange` trades under a policy; blind hashes are refused.

Its first argument is the folder of `exchange.py`, a local exchange that recovers every sender.
"""

import json
import sys

import msgpack
from hyperliquid.utils.signing import sign_l1_action, sign_usd_transfer_action
from hyperliquid.utils.types import Cloid

from keymoot.adapters.hyperliquid import exchange
from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import NotSignable
from keymoot.policy.chains.evm.hyperliquid.msgpack import pack

sys.path.insert(0, sys.argv[1])
from exchange import Exchange, served

account = Account.connect("perps")
action = {"type": "order", "orders": [], "grouping": "na"}
transfer = {"destination": "0x" + "02" * 20, "amount": "1", "time": 1}

# 1. The account itself never signs the SDK's hashes.
blind = []
for sign in (
    lambda: sign_l1_action(account, action, None, 1, None, True),
    lambda: sign_usd_transfer_action(account, transfer, True),
):
    try:
        sign()
    except NotSignable as error:
        blind.append(error.code)

# 2. Under the adapter, what the policy allows reaches the exchange, and nothing else does.
books = Exchange()
refused = []
with served(books) as url:
    venue = exchange(account, url, timeout=60)
    gtc = {"limit": {"tif": "Gtc"}}
    answers = [
        venue.order("BTC", True, 0.002, 65_000.0, gtc, cloid=Cloid.from_int(7)),
        venue.update_leverage(3, "BTC"),
        venue.cancel("BTC", 5),
        venue.modify_order(5, "BTC", True, 0.001, 64_000.0, gtc),
        venue.market_close("BTC"),
        venue.usd_transfer(5.0, transfer["destination"]),
    ]
    for refuse in (
        lambda: venue.order("BTC", True, 1.0, 65_000.0, gtc),
        lambda: venue.usd_transfer(5.0, "0x" + "66" * 20),
        venue.approve_agent,
        lambda: venue.update_leverage(50, "BTC"),
    ):
        try:
            refuse()
        except PolicyRefused as error:
            refused.append([error.reason, error.data.get("path"), error.data.get("limit")])

# 3. Our MessagePack writes what the package does.
values = [None, True, -1, -33, 127, 128, 2**16, 2**32, 2**64 - 1, "é" * 40, list(range(300))]
values += [{str(one): one for one in range(500)}, action]
packed = all(pack(one) == msgpack.packb(one) for one in values)

told = {
    "address": account.address,
    "blind": blind,
    "answers": [one["status"] for one in answers],
    "senders": sorted({who for who, _ in books.taken}),
    "taken": [one["type"] for _, one in books.taken],
    "refused": refused,
    "packed": packed,
}
print(json.dumps(told))
