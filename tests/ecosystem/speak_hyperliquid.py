"""Hyperliquid: the SDK signs by `wallet.sign_message`, a hash to whoever must read it."""

import json

from hyperliquid.utils.signing import sign_l1_action, sign_usd_transfer_action

from keymoot.agent import Account
from keymoot.agent.errors import NotSignable

account = Account.connect("test")
action = {"type": "order", "orders": [], "grouping": "na"}
transfer = {"destination": "0x" + "02" * 20, "amount": "1", "time": 1}
refused = []
for sign in (
    lambda: sign_l1_action(account, action, None, 1, None, True),
    lambda: sign_usd_transfer_action(account, transfer, True),
):
    try:
        sign()
    except NotSignable as error:
        refused.append(error.code)
print(json.dumps({"address": account.address, "refused": refused}))
