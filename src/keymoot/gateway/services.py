"""What the gateway answers from."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from keymoot.base.fixed import Address, Bytes32, Hash32, Measurement
from keymoot.base.strict_json import Json
from keymoot.engine.ledger import Ledger


class Shares(Protocol):
    """Custody's second step, as `node` provides it."""

    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come."""
        ...

    def assembly(self) -> dict[str, Json]:
        """Say who sits in the assembly, its generation, roots and stock."""
        ...


@dataclass(frozen=True, slots=True)
class SeatInfo:
    """What is said of one enclave."""

    seat: int
    identity_key: Bytes32
    measurement: Measurement
    quote: bytes


@dataclass(frozen=True, slots=True)
class NodeInfo:
    """What a node says of itself, and of its enclaves."""

    version: str
    simulated: bool
    seats: Callable[[], tuple[SeatInfo, ...]]


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that methods use.

    Attributes:
        faucet: Pays test tokens, on a development network only.
        looking_back: Held by whoever reads many blocks.
    """

    ledger: Ledger
    shares: Shares
    info: NodeInfo
    faucet: Callable[[Address], Awaitable[Hash32]] | None
    looking_back: asyncio.Lock = field(default_factory=asyncio.Lock)
