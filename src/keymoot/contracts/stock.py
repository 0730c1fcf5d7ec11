"""Requests and what serves once: bound at once, or in order when the stock has filled again.

A request for an ECDSA signature is bound to a presignature, one for an Ed25519 signature to
the signers whose turn it is and their next nonce commitments. What is bound is burned,
whatever becomes of the request. A request that was bound and never answered may be bound
anew, over the same thing, when its credential asks again.
"""

from dataclasses import replace

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fields import fixed_of, list_of
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.request import ASK_AGAIN
from keymoot.base.units import UnixSeconds
from keymoot.contracts.cells import PublicCell
from keymoot.contracts.context import Context
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.record import AGENT, BOUND, OWNER, QUEUED, Record
from keymoot.contracts.wallet import BY_ASSEMBLY, Wallet
from keymoot.contracts.wallet_cells import WalletCells
from keymoot.contracts.wallet_errors import NotBound
from keymoot.contracts.wallet_events import RequestBound
from keymoot.crypto.transactions import request_key
from keymoot.moot.batch import PresignatureId
from keymoot.moot.slot import Slot, read_seats, write_slots

MAX_QUEUE = 256
"""Requests of one kind of key that wait for stock at one time."""


class StockEmpty(Refused):
    """Nothing to bind to is left, and many wait already."""

    code = "STOCK_EMPTY"

    def __init__(self) -> None:
        """Say what to do."""
        super().__init__(
            f"nothing to sign with is in stock, and {MAX_QUEUE} requests wait already: "
            "ask in a moment"
        )


def await_stock(cells: WalletCells, ctx: Context, record: Record, wallet: Wallet) -> Record:
    """Bind a decided request to what serves once, or let it wait for that.

    Raises:
        StockEmpty: too many wait already.
    """
    if wallet.custody != BY_ASSEMBLY:
        return record
    queue = _queue_of(cells, wallet)
    waiting = _read(queue, ctx)
    # Whoever waits comes first.
    found = None if waiting else _take(ctx, record, wallet)
    if found is None:
        if len(waiting) >= MAX_QUEUE:
            raise StockEmpty
        _write(queue, ctx, [*waiting, _key(record)])
        return replace(record, status=QUEUED)
    return _bound(cells, ctx, record, wallet, found)


def bind_waiting(cells: WalletCells, ctx: Context) -> None:
    """Bind those who wait, in their order, as far as the stock goes."""
    for queue in (cells.queue, cells.frost_queue):
        _bind_queue(cells, ctx, queue)


def ask_again(cells: WalletCells, ctx: Context, record: Record) -> Record:
    """Bind what a request asked, whose answer never came, once more.

    Budget stays as it was: nothing is spent twice. The new request has an entry and an
    answer of its own, and waits for stock like any other.

    Args:
        cells: Wallets.
        ctx: Its context.
        record: The new request, not yet decided; its payload names the old one (32 bytes),
            and may name seats that were silent, to leave them out (8 bytes, see `moot.slot`).

    Raises:
        NotBound: it is no such request, or may not be answered any more.
        StockEmpty: too many wait already.
    """
    # 1. It is this credential's, of this wallet, and was bound.
    if len(record.payload) not in (Hash32.LENGTH, Hash32.LENGTH + 8):
        raise NotBound("to ask again, name the request: the payload is its key, 32 bytes")
    old = cells.record(ctx, Hash32(record.payload[: Hash32.LENGTH]))
    if old is None or (old.wallet, old.requester) != (record.wallet, record.requester):
        raise NotBound("this credential has no such request of this wallet")
    if old.status != BOUND or not old.bound_to:
        raise NotBound("the request was refused, or still waits for stock")
    # 2. It may still be answered.
    if not _still_wanted(cells, ctx, old):
        raise NotBound("the request has expired, or its wallet is paused: ask with a new id")
    # 3. It is bound anew; what it was bound to is burned for ever. However often it is asked,
    #    the record names the request that asked first.
    first = old.payload if old.method == ASK_AGAIN else record.payload
    again = replace(
        record,
        payload=first[: Hash32.LENGTH],
        without=record.payload[Hash32.LENGTH :],
        digest=old.digest,
        rule=old.rule,
        outcome=old.outcome,
        expires_at=min(record.expires_at, old.expires_at),
    )
    return await_stock(cells, ctx, again, cells.known(ctx, record.wallet))


def _bind_queue(cells: WalletCells, ctx: Context, queue: PublicCell[bytes]) -> None:
    waiting = _read(queue, ctx)
    left = list(waiting)
    while left:
        record = cells.record(ctx, Hash32(left[0]))
        if record is not None and _still_wanted(cells, ctx, record):
            wallet = cells.known(ctx, record.wallet)
            found = _take(ctx, record, wallet)
            if found is None:
                break
            bound = _bound(cells, ctx, record, wallet, found)
            cells.records.set(ctx.public_store(), left[0], bound)
        left.pop(0)
    if len(left) != len(waiting):
        _write(queue, ctx, left)


def _bound(
    cells: WalletCells, ctx: Context, record: Record, wallet: Wallet, bound_to: bytes
) -> Record:
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
            bound_to,
            Bytes32(record.digest),
            _first(cells, ctx, record).payload if wallet.by_frost else b"",
            record.reply_key,
            expires_at,
            record.kind == OWNER,
        )
    )
    return replace(record, status=BOUND, bound_to=bound_to, bound_at=ctx.block.height)


def _first(cells: WalletCells, ctx: Context, record: Record) -> Record:
    """Give the request that asked first, whose payload is what is signed."""
    if record.method != ASK_AGAIN:
        return record
    first = cells.record(ctx, Hash32(record.payload))
    if first is None:
        raise NotBound("the request that asked first is not known")
    return first


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


def _take(ctx: Context, record: Record, wallet: Wallet) -> bytes | None:
    """Take what a request is bound to; None when the stock is empty."""
    if not wallet.by_frost:
        name: PresignatureId | None = ctx.call(Nodes, "take")
        return None if name is None else name.encode()
    slots: tuple[Slot, ...] | None = ctx.call(Nodes, "take_slots", _without(record))
    return None if slots is None else write_slots(slots)


def _without(record: Record) -> frozenset[int]:
    """Give the seats that the requester found silent."""
    return read_seats(record.without) if record.without else frozenset()


def _key(record: Record) -> Bytes32:
    return Bytes32(request_key(record.requester, record.request_id))


def _queue_of(cells: WalletCells, wallet: Wallet) -> PublicCell[bytes]:
    return cells.frost_queue if wallet.by_frost else cells.queue


def _read(queue: PublicCell[bytes], ctx: Context) -> list[Bytes32]:
    raw = queue.get(ctx.public_store())
    if raw is None:
        return []
    return [fixed_of(one, Bytes32, "queue") for one in list_of(rlp.decode(raw), None, "queue")]


def _write(queue: PublicCell[bytes], ctx: Context, waiting: list[Bytes32]) -> None:
    queue.set(ctx.public_store(), rlp.encode(list(waiting)) if waiting else None)
