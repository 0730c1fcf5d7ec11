"""The queue for stock: requests of one kind of key, in the order in which they are served.

Whoever comes stands behind the last one of the same wallet, and lets one of each other
wallet go first. So between two requests of a wallet, and before its first, no other wallet
is served twice: one that asks much waits for itself, not the others for it. Strictly by
time, a wallet with one request would wait for all that another has asked before. Turns
need no memory of who was served last, for the order is the list itself; to join it is one
look along a bounded list.

One message of a node may bind all who wait, so what that writes is bounded here, by the bytes of
what waits: whoever finds no room is turned away before anything is held for him.

A wallet has a quarter of the places, and of the bytes. That keeps no one out who pays for the quota
of four wallets; it keeps one wallet, by mistake or by a stolen credential, from epochs all others
away. What an owner withdraws is counted, and takes its turns, apart from what the wallet's agents
ask: they cannot stand in its way.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from struct import Struct

from keymoot.base import rlp
from keymoot.base.errors import Malformed, Refused
from keymoot.base.fields import bytes_of, list_of
from keymoot.base.fixed import Address, Hash32, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.wallets.record import AGENT, OWNER, RequestRecord
from keymoot.crypto.transactions import request_key

MAX_QUEUE = 256
"""Requests of one kind of key that wait at one time; as many withdrawals may wait beside them."""

MAX_PLACES = MAX_QUEUE // 4
"""How many of them one wallet may have."""

MAX_BYTES = 4_194_304
"""What is long in the records of these: what is to be signed, and the outcome. The longest
requests have 192 KB, usual ones half a KB."""

MAX_SHARE_BYTES = MAX_BYTES // 4
"""How much of it one wallet may have."""

KINDS = (AGENT, OWNER)
"""Who may wait, by the byte that says so."""

_NAMES = Hash32.LENGTH + WalletId.LENGTH + Address.LENGTH
_NUMBERS = Struct(">BQQI")
"""Kind, version of the policy, expiry, bytes."""
_BYTES = _NAMES + _NUMBERS.size


class StockEmpty(Refused, code="STOCK_EMPTY"):
    """Nothing to bind to is left, and many wait already."""

    def __init__(self, who: str) -> None:
        super().__init__(
            f"nothing to sign with is in stock, and {who} wait already: ask in a moment"
        )


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request that waits: what must be known to give it its place, and to ask if it is wanted.

    Attributes:
        key: Its name on the ledger, under which its record stands.
        kind: AGENT or OWNER.
        size_bytes: What is long in its record.
    """

    key: Hash32
    wallet: WalletId
    requester: Address
    kind: str
    policy_version: int
    expires_at: UnixSeconds
    size_bytes: int

    @staticmethod
    def of(record: RequestRecord) -> "Waiting":
        return Waiting(
            key=request_key(record.requester, record.request_id),
            wallet=record.wallet,
            requester=record.requester,
            kind=record.kind,
            policy_version=record.policy_version,
            expires_at=record.expires_at,
            size_bytes=len(record.payload) + len(record.outcome),
        )

    @property
    def line(self) -> tuple[WalletId, str]:
        """Name those among whom the first to come is the first to be served."""
        return self.wallet, self.kind

    def encode(self) -> bytes:
        """Give its part of the cell: 105 bytes, for queues are read often, and RLP is slow."""
        numbers = _NUMBERS.pack(
            KINDS.index(self.kind), self.policy_version, self.expires_at, self.size_bytes
        )
        return self.key + self.wallet + self.requester + numbers

    @staticmethod
    def decode(raw: bytes) -> "Waiting":
        """Read its part of the cell.

        Raises:
            Malformed: not one.
        """
        if len(raw) != _BYTES or raw[_NAMES] >= len(KINDS):
            raise Malformed(f"who waits has {_BYTES} bytes, and is of a kind", "queue")
        kind, version, expires_at, size_bytes = _NUMBERS.unpack(raw[_NAMES:])
        return Waiting(
            key=Hash32(raw[:32]),
            wallet=WalletId(raw[32:64]),
            requester=Address(raw[64:_NAMES]),
            kind=KINDS[kind],
            policy_version=version,
            expires_at=UnixSeconds(expires_at),
            size_bytes=size_bytes,
        )


_waiting = lru_cache(maxsize=4 * MAX_QUEUE)(Waiting.decode)
"""Decoding is pure, and who waits is read far more often than it changes."""


def join(waiting: Sequence[Waiting], new: Waiting) -> list[Waiting]:
    """Give the queue with one more in it, at its place; StockEmpty where none is left for it."""
    # 1. There is a place for it.
    what = "requests" if new.kind == AGENT else "withdrawals"
    alike = [request for request in waiting if request.kind == new.kind]
    if len(alike) >= MAX_QUEUE:
        raise StockEmpty(f"{MAX_QUEUE} {what}")
    size = sum(request.size_bytes for request in alike)
    if size + new.size_bytes > MAX_BYTES:
        raise StockEmpty(f"{what} of {size} bytes")
    own = [at for at, request in enumerate(waiting) if request.line == new.line]
    if len(own) >= MAX_PLACES:
        raise StockEmpty(f"{MAX_PLACES} {what} of this wallet")
    size = sum(waiting[at].size_bytes for at in own)
    if size + new.size_bytes > MAX_SHARE_BYTES:
        raise StockEmpty(f"{what} of this wallet of {size} bytes")
    # 2. Behind its own last one, it lets one of each other go first.
    at, passed = (own[-1] + 1 if own else 0), set[tuple[WalletId, str]]()
    while at < len(waiting) and waiting[at].line not in passed:
        passed.add(waiting[at].line)
        at += 1
    return [*waiting[:at], new, *waiting[at:]]


def read(raw: bytes | None) -> list[Waiting]:
    """Read the cell; nobody waits where it is empty.

    Raises:
        Malformed: not a queue.
    """
    return [] if raw is None else [*_queue(raw)]


@lru_cache(maxsize=16)
def _queue(raw: bytes) -> tuple[Waiting, ...]:
    """Read a queue; every message of a node looks at it, and most leave it as it is."""
    items = list_of(rlp.decode(raw), None, "queue")
    return tuple(_waiting(bytes_of(item, "queue")) for item in items)


def write(waiting: Sequence[Waiting]) -> bytes | None:
    """Give the cell's bytes; None, which empties it, where nobody waits."""
    return rlp.encode([request.encode() for request in waiting]) if waiting else None
