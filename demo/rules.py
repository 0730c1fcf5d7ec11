"""The policies of the demo."""

from typing import Any

from demo.market import USDC, Market
from demo.outside import CHAIN_ID

DAY_LIMIT = 150_000 * USDC
"""What the agent may deposit a day, moves between vaults included."""

RACE_LIMIT = 1_000 * USDC


def loose_policy(market: Market) -> dict[str, Any]:
    """Allow also to pay USDC to anybody, and to deposit ten times as much a day.

    Under it succeeds what is refused otherwise: it was the policy that refused it.
    """
    document = vault_policy(market, 10 * DAY_LIMIT)
    document["rules"].append(
        {
            "id": "pay",
            "action": "ALLOW",
            "method": "eth_signTransaction",
            "to": {"in": "usdc"},
            "function": "transfer(address to,uint256 value)",
            "args": {"to": "anyone"},
        }
    )
    return document


def vault_policy(market: Market, day_limit: int, *, limit: str = "usdc-day") -> dict[str, Any]:
    """Allow moving USDC between the three vaults, and nothing else."""
    sign = "eth_signTransaction"
    mine = {"eq": "$wallet"}
    return {
        "version": "1",
        "chain": f"eip155:{CHAIN_ID}",
        "sets": {"usdc": [market.usdc], "vaults": [vault.address for vault in market.vaults]},
        "rules": [
            {
                "id": "approve",
                "action": "ALLOW",
                "method": sign,
                "to": {"in": "usdc"},
                "function": "approve(address spender,uint256 value)",
                "args": {"spender": {"in": "vaults"}, "value": {"lte": str(50_000 * USDC)}},
            },
            {
                "id": "deposit",
                "action": "ALLOW",
                "method": sign,
                "to": {"in": "vaults"},
                "function": "deposit(uint256 assets,address receiver)",
                "args": {"receiver": mine},
                "spend": {limit: "assets"},
            },
            {
                "id": "exit",
                "action": "ALLOW",
                "method": sign,
                "to": {"in": "vaults"},
                "function": [
                    "withdraw(uint256 assets,address receiver,address owner)",
                    "redeem(uint256 shares,address receiver,address owner)",
                ],
                "args": {"receiver": mine, "owner": mine},
            },
        ],
        "limits": [
            {"id": limit, "max": str(day_limit), "window": "24h", "kind": "rolling"},
            {"id": "gas-tx", "meter": "maxFee", "max": str(10**16), "per": "tx"},
            {
                "id": "gas-day",
                "meter": "maxFee",
                "max": str(10**18),
                "window": "24h",
                "kind": "rolling",
            },
        ],
        "expires": "2030-01-01T00:00:00Z",
    }
