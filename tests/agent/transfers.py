"""Transactions that tests have signed."""

from typing import Any

TO = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
TRANSFER: dict[str, Any] = {
    "type": 2,
    "chainId": 8453,
    "nonce": 7,
    "gas": 21_000,
    "maxFeePerGas": 2_000_000_000,
    "maxPriorityFeePerGas": 1_000_000_000,
    "to": TO,
    "value": 12_345,
    "data": b"",
}
