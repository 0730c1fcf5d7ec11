"""x402: the client of the exact scheme wraps our account as one of eth_account's."""

import json

from x402.mechanisms.evm.exact import ExactEvmScheme
from x402.schemas import PaymentRequirements

from keymoot.agent import Account, PolicyRefused

account = Account.connect("test")
scheme = ExactEvmScheme(account)
wanted = PaymentRequirements(
    scheme="exact",
    network="eip155:8453",
    asset="0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    amount="10000",
    pay_to="0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
    max_timeout_seconds=60,
    extra={"name": "USD Coin", "version": "2"},
)
try:
    scheme.create_payment_payload(wanted)
except PolicyRefused as error:
    print(json.dumps({"address": account.address, "refused": error.reason}))
