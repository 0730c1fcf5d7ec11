"""x402: its client wraps our account as one of eth_account's; its facilitator takes the payment.

Only the chain behind the facilitator is a stand-in: a token that is deployed, and payers that are
plain accounts. What is signed, and by whom, the package's own code checks.
"""

import json
from typing import Any

from x402.mechanisms.evm.exact import ExactEvmClientScheme, ExactEvmFacilitatorScheme
from x402.schemas import PaymentPayload, PaymentRequirements

from keymoot.agent import Account, PolicyRefused

USDC = "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913"


class Chain:
    """What the facilitator reads of the chain."""

    def get_addresses(self) -> list[str]:
        return ["0x" + "fa" * 20]

    def get_code(self, address: str) -> bytes:
        return b"\x60" if address.lower() == USDC.lower() else b""

    def read_contract(self, address: str, abi: Any, name: str, *args: Any) -> None:
        assert name == "transferWithAuthorization"


def wanted(amount: int, payee: str = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8") -> Any:
    return PaymentRequirements(
        scheme="exact",
        network="eip155:8453",
        asset=USDC,
        amount=str(amount),
        pay_to=payee,
        max_timeout_seconds=60,
        extra={"name": "USD Coin", "version": "2"},
    )


account = Account.connect("test")
client, facilitator = ExactEvmClientScheme(account), ExactEvmFacilitatorScheme(Chain())


def paid(asked: Any, told: Any) -> bool:
    payload = PaymentPayload(
        x402_version=2, accepted=told, payload=client.create_payment_payload(asked)
    )
    return facilitator.verify(payload, told).is_valid


def refused(asked: Any) -> str:
    try:
        client.create_payment_payload(asked)
    except PolicyRefused as error:
        return error.reason
    return ""


print(
    json.dumps(
        {
            "address": account.address,
            "paid": paid(wanted(600), wanted(600)),
            "claimed more": paid(wanted(100), wanted(101)),
            "again": refused(wanted(400)),
            "other payee": refused(wanted(1, "0x" + "99" * 20)),
        }
    )
)
