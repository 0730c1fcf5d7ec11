"""Requests and presignatures: bound at once, or in order when the stock has filled again.

What is bound is burned, whatever becomes of the request. A request that was bound and never
answered may be bound anew, over the same digest, when its credential asks again.
"""

from dataclasses import replace

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.units import UnixSeconds
from keymoot.contracts.context import Context
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.record import AGENT, BOUND, OWNER, QUEUED, Record
from keymoot.contracts.wallet import BY_ASSEMBLY, Wallet
from keymoot.contracts.wallet_cells import WalletCells
from keymoot.contracts.wallet_errors import NotBound
from keymoot.contracts.wallet_events import RequestBound
from keymoot.crypto.transactions import request_key
from keymoot.moot.batch import PresignatureId

MAX_QUEUE = 256
"""Requests that wait for stock at one time."""


class StockEmpty(Refused):
    """No presignature is left, and many wait already."""

    code = "STOCK_EMPTY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            f"no presignature is in stock, and {MAX_QUEUE} requests wait already: ask in a moment"
        )


def await_presignature(cells: WalletCells, ctx: Context, record: Record, wallet: Wallet) -> Record:
    """Bind a decided request to a presignature, or let it wait for one.

    Raises:
        StockEmpty: too many wait already.
    """
    if wallet.custody != BY_ASSEMBLY:
        return record
    waiting = _queue(cells, ctx)
    # Whoever waits comes first.
    name = None if waiting else _take(ctx)
    if name is None:
        if len(waiting) >= MAX_QUEUE:
            raise StockEmpty
        _put_queue(cells, ctx, [*waiting, _key(record)])
        return replace(record, status=QUEUED)
    return _bound(cells, ctx, record, name)


def bind_waiting(cells: WalletCells, ctx: Context) -> None:
    """Bind those who wait, in their order, as far as the stock goes."""
    waiting = _queue(cells, ctx)
    if not waiting:
        return
    left = list(waiting)
    while left:
        record = cells.record(ctx, Hash32(left[0]))
        if record is not None and _still_wanted(cells, ctx, record):
            name = _take(ctx)
            if name is None:
                break
            bound = _bound(cells, ctx, record, name)
            cells.records.set(ctx.public_store(), left[0], bound)
        left.pop(0)
    if len(left) != len(waiting):
        _put_queue(cells, ctx, left)


def ask_again(cells: WalletCells, ctx: Context, record: Record) -> Record:
    """Bind the digest of a request whose answer never came to another presignature.

    Budget stays as it was: nothing is spent twice. The new request has an entry and an
    answer of its own, and waits for stock like any other.

    Args:
        cells: Wallets.
        ctx: Its context.
        record: The new request, not yet decided; its payload names the old one.

    Raises:
        NotBound: it is no such request, or may not be answered any more.
        StockEmpty: too many wait already.
    """
    # 1. It is this credential's, of this wallet, and was bound to a presignature.
    if len(record.payload) != Hash32.LENGTH:
        raise NotBound("to ask again, name the request: the payload is its key, 32 bytes")
    old = cells.record(ctx, Hash32(record.payload))
    if old is None or (old.wallet, old.requester) != (record.wallet, record.requester):
        raise NotBound("this credential has no such request of this wallet")
    if old.status != BOUND or not old.presignature:
        raise NotBound("the request was refused, or still waits for stock")
    # 2. It may still be answered.
    if not _still_wanted(cells, ctx, old):
        raise NotBound("the request has expired, or its wallet is paused: ask with a new id")
    # 3. A new presignature; the old one is burned for ever.
    again = replace(
        record,
        digest=old.digest,
        rule=old.rule,
        outcome=old.outcome,
        expires_at=min(record.expires_at, old.expires_at),
    )
    return await_presignature(cells, ctx, again, cells.known(ctx, record.wallet))


def _bound(cells: WalletCells, ctx: Context, record: Record, name: PresignatureId) -> Record:
    expires_at = record.expires_at
    if record.kind == AGENT:
        credential = cells.credential_of(ctx, record.wallet, record.requester)
        if credential is not None:
            expires_at = min(expires_at, credential.expires_at)
    ctx.emit(
        RequestBound(
            Bytes32(record.wallet),
            record.requester,
            _key(record),
            name.encode(),
            Bytes32(record.digest),
            record.reply_key,
            expires_at,
            record.kind == OWNER,
        )
    )
    return replace(record, status=BOUND, presignature=name.encode(), bound_at=ctx.block.height)


def _still_wanted(cells: WalletCells, ctx: Context, record: Record) -> bool:
    now = UnixSeconds(ctx.block.time)
    if now > record.expires_at:
        return False
    if record.kind == OWNER:
        return True
    credential = cells.credential_of(ctx, record.wallet, record.requester)
    return (
        not cells.known(ctx, record.wallet).paused
        and credential is not None
        and not credential.revoked
        and now <= credential.expires_at
    )


def _take(ctx: Context) -> PresignatureId | None:
    name: PresignatureId | None = ctx.call(Nodes, "take")
    return name


def _key(record: Record) -> Bytes32:
    return Bytes32(request_key(record.requester, record.request_id))


def _queue(cells: WalletCells, ctx: Context) -> list[Bytes32]:
    raw = cells.queue.get(ctx.public_store())
    if raw is None:
        return []
    return [fixed_of(one, Bytes32, "queue") for one in list_of(rlp.decode(raw), None, "queue")]


def _put_queue(cells: WalletCells, ctx: Context, waiting: list[Bytes32]) -> None:
    content = rlp.encode(list(waiting)) if waiting else None
    cells.queue.set(ctx.public_store(), content)
