"""What is paid in runs and tests: a policy that allows payments to one shop, and such payments."""

from typing import Any

from keymoot.base.fixed import Address
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, Wei

TARGET = ChainId(8453)
"""The chain on which the wallet's money is."""

SHOP = Address(b"\x02" * 20)
"""Whom the agent may pay."""

RECOVERY = Address(b"\x99" * 20)
"""Where the owner's withdrawals go."""


def policy(limit: int = 500, **changes: Any) -> dict[str, Any]:
    """Plain transfers to the shop up to `limit` wei in any 24 hours, nothing else."""
    document: dict[str, Any] = {
        "version": "1",
        "chain": f"eip155:{TARGET}",
        "rules": [
            {
                "id": "pay",
                "action": "ALLOW",
                "method": "eth_signTransaction",
                "to": {"eq": SHOP.hex0x},
                "value": {"lte": "1000000"},
                "spend": {"day": "$value"},
            }
        ],
        "limits": [{"id": "day", "max": str(limit), "window": "24h", "kind": "rolling"}],
    }
    return document | changes


def payment(value: int, nonce: int = 0, to: Address = SHOP) -> EvmTransaction:
    return EvmTransaction(
        DYNAMIC_FEE, TARGET, Nonce(nonce), Wei(1), Wei(10), Gas(21_000), to, Wei(value), b""
    )
