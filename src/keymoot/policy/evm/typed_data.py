"""EIP-712 typed data: for now only recognised, so that a refusal can name it."""

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import parse

MAX_TYPED_DATA_BYTES = 65_536

_HAZARDS = {
    "Permit": "an EIP-2612 or DAI Permit",
    "PermitSingle": "a Permit2 allowance",
    "PermitBatch": "a Permit2 allowance",
    "PermitTransferFrom": "a Permit2 transfer",
    "PermitBatchTransferFrom": "a Permit2 transfer",
    "PermitWitnessTransferFrom": "a Permit2 transfer",
    "PermitBatchWitnessTransferFrom": "a Permit2 transfer",
    "TransferWithAuthorization": "an EIP-3009 authorization",
    "ReceiveWithAuthorization": "an EIP-3009 authorization",
    "SafeTx": "a Safe transaction",
    "PackedUserOperation": "an ERC-4337 operation",
    "Agent": "a blind Hyperliquid action",
}


def hazard_of_typed_data(payload: bytes) -> str | None:
    """Name what typed data would move, or give None where it is not known to move anything."""
    try:
        document = parse(payload, MAX_TYPED_DATA_BYTES)
    except Malformed:
        return None
    primary = document.get("primaryType") if isinstance(document, dict) else None
    return _HAZARDS.get(primary) if isinstance(primary, str) else None
