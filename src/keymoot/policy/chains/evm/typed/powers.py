"""Typed data that is known to give something away: what it gives, and what a rule has to name.

A signature on one of these moves value as a transaction does, around every rule on transactions.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class TypedPower:
    """One known kind of document.

    Attributes:
        gives: What it does, for people.
        whom: Fields that decide who gets it; of those that the type has, an ALLOW names each.
        tokens: Fields that say of what; an ALLOW names each. Where there are none it is of the
            domain's contract, which an ALLOW names anyway.
        amounts: Fields that say how much; an ALLOW bounds each, or spends it.
        ends: Fields that say until when; an ALLOW bounds each.
        ruled: Whether rules can allow it at all.
        reason: Word of its refusal.
    """

    gives: str
    whom: tuple[str, ...] = ()
    tokens: tuple[str, ...] = ()
    amounts: tuple[str, ...] = ()
    ends: tuple[str, ...] = ()
    ruled: bool = True
    reason: str = "PERMIT"


_PERMIT = TypedPower(
    "an EIP-2612 or DAI Permit approves a spender",
    whom=("spender",),
    amounts=("value", "allowed"),
    ends=("deadline", "expiry"),
)
_ALLOWANCE = TypedPower(
    "a Permit2 allowance approves a spender",
    whom=("spender",),
    tokens=("details.token", "details[].token"),
    amounts=("details.amount", "details[].amount"),
    ends=("details.expiration", "details[].expiration", "sigDeadline"),
)
_TRANSFER = TypedPower(
    "a Permit2 transfer lets a spender take tokens",
    whom=("spender",),
    tokens=("permitted.token", "permitted[].token"),
    amounts=("permitted.amount", "permitted[].amount"),
    ends=("deadline",),
)
_AUTHORIZATION = TypedPower(
    "an EIP-3009 authorization pays somebody",
    whom=("to",),
    amounts=("value",),
    ends=("validBefore",),
)
_SAFE = TypedPower(
    "a Safe transaction calls what its data says", ruled=False, reason="BLIND_TYPED_DATA"
)
_OPERATION = TypedPower(
    "an ERC-4337 operation calls what its data says", ruled=False, reason="BLIND_TYPED_DATA"
)
_AGENT = TypedPower(
    "a Hyperliquid action behind its hash: send the action itself",
    ruled=False,
    reason="BLIND_TYPED_DATA",
)

_KNOWN: Final = {
    "Permit": _PERMIT,
    "PermitSingle": _ALLOWANCE,
    "PermitBatch": _ALLOWANCE,
    "PermitTransferFrom": _TRANSFER,
    "PermitBatchTransferFrom": _TRANSFER,
    "PermitWitnessTransferFrom": _TRANSFER,
    "PermitBatchWitnessTransferFrom": _TRANSFER,
    "TransferWithAuthorization": _AUTHORIZATION,
    "ReceiveWithAuthorization": _AUTHORIZATION,
    "SafeTx": _SAFE,
    "SafeMessage": _SAFE,
    "UserOperation": _OPERATION,
    "PackedUserOperation": _OPERATION,
    "Agent": _AGENT,
}


def hazard_of(primary: str) -> TypedPower | None:
    """Give what a document with this primary type is known to do; None where nothing is."""
    return _KNOWN.get(primary)
