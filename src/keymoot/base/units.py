"""Numbers whose type says what they count."""

from typing import NewType

UnixSeconds = NewType("UnixSeconds", int)
"""Whole seconds since 1970-01-01T00:00:00Z; on the ledger always a block's time."""

UnixNanos = NewType("UnixNanos", int)
"""Nanoseconds since 1970-01-01T00:00:00Z, as CometBFT dates blocks and votes."""

Seconds = NewType("Seconds", int)

Height = NewType("Height", int)
"""Number of a block; genesis is 0, the first block is 1."""

ChainId = NewType("ChainId", int)
"""EIP-155 chain id, 1 to 2**63-1."""

LEDGER_CHAIN_ID = ChainId(0x5AFD)
"""Chain id of a ledger of ours, as Sapphire's local tools use it; no chain with value has it."""

Gas = NewType("Gas", int)

Wei = NewType("Wei", int)

Nonce = NewType("Nonce", int)
"""Count of transactions that an account has sent before."""

NANOS_PER_SECOND = 1_000_000_000


def seconds_of(nanos: UnixNanos) -> UnixSeconds:
    return UnixSeconds(nanos // NANOS_PER_SECOND)
