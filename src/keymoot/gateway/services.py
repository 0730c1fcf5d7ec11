"""What the gateway answers from."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Protocol

from keymoot.base.errors import Refused
from keymoot.base.fixed import Address, Bytes32, Hash32, Measurement
from keymoot.base.strict_json import Json
from keymoot.engine.ledger import Ledger
from keymoot.runtime.asked import ExecutedQuery, QueryResult

Ran = Callable[[float], None]
"""Is told for how many seconds something worked elsewhere."""


class QueriesBusy(Refused, code="BUSY"):
    """More queries wait for an enclave than may."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"busy: {most} queries of confidential state wait for an enclave already: "
            "ask again in a moment"
        )


class QueryService(Protocol):
    """Queries of confidential state, as `node` provides them."""

    async def ask(self, asked: ExecutedQuery, ran: Ran) -> QueryResult:
        """Have an enclave run a call; tell `ran` for how many seconds.

        QueriesBusy: too many wait.
        """
        ...


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """A result that somebody else works on: who asked pays for the time that `run` tells of."""

    run: Callable[[Ran], Awaitable[Json]]


class Shares(Protocol):
    """Custody's second step, as `node` provides it."""

    async def release(self, request: Hash32, wait_seconds: float) -> dict[str, Json]:
        """Give the answer to a request, or how far it has come."""
        ...

    def committee_status(self) -> dict[str, Json]:
        """Say who sits in the committee, its generation, roots and stock."""
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
        queries: What enclaves answer.
        faucet: Pays test tokens, on a development network only.
        scanning: Held by whoever reads many blocks.
    """

    ledger: Ledger
    shares: Shares
    queries: QueryService
    info: NodeInfo
    faucet: Callable[[Address], Awaitable[Hash32]] | None
    scanning: asyncio.Lock = field(default_factory=asyncio.Lock)
