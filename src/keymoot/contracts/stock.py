"""Requests and what serves once: bound at once, or in turn when the stock has filled again.

A request for an ECDSA signature is bound to a presignature, one for an Ed25519 signature to
the signers whose turn it is and their next nonce commitments. What is bound is burned,
whatever becomes of the request. A request that was bound and never answered may be bound
anew, over the same thing, when its credential asks again.

Nothing is bound under a policy that is gone, nor for a wallet that is paused or a credential
that has ended: what waited is refused then. What it reserved stays reserved. A nonce holds
one reservation, and what an earlier transaction of the same nonce held, which may be signed,
is no longer known apart from it: to give back too much would let a limit be passed.
"""

from contextlib import suppress
from dataclasses import replace
from functools import partial

from keymoot.base.errors import Defect, Malformed, Refused
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.base.units import UnixSeconds
from keymoot.contracts.cells import PublicCell
from keymoot.contracts.context import Context
from keymoot.contracts.nodes import Nodes
from keymoot.contracts.objection import Objection, objection
from keymoot.contracts.queue import Waiting, join, read, write
from keymoot.contracts.record import AGENT, BOUND, OWNER, QUEUED, Record
from keymoot.contracts.refused import refused
from keymoot.contracts.wallet import BY_ASSEMBLY, Wallet
from keymoot.contracts.wallet_cells import WalletCells
from keymoot.contracts.wallet_errors import NotBound, RequestForgotten
from keymoot.contracts.wallet_events import RequestBound, RequestDecided
from keymoot.crypto.transactions import request_key
from keymoot.moot.batch import PresignatureId
from keymoot.moot.slot import Slot, read_seats, write_slots
from keymoot.policy.refusal import REFUSED, Refusal


def await_stock(cells: WalletCells, ctx: Context, record: Record, wallet: Wallet) -> Record:
    """Bind a decided request to what serves once, or let it wait for that.

    Raises:
        StockEmpty: too many wait already, of all wallets or of this one.
    """
    if wallet.custody != BY_ASSEMBLY:
        return record
    queue = _queue_of(cells, wallet)
    waiting = read(queue.get(ctx.public_store()))
    # Whoever waits comes first.
    found = None if waiting else _take(ctx, record, wallet)
    if found is None:
        queue.set(ctx.public_store(), write(join(waiting, Waiting.of(record))))
        return replace(record, status=QUEUED)
    return _bound(cells, ctx, record, wallet, found)


def bind_waiting(cells: WalletCells, ctx: Context) -> None:
    """Refuse those who need not wait any longer, and bind the others as far as the stock goes.

    Every message of a node comes by here, and a broken one may send many: all who wait are
    held against what their owners want only when an owner has changed something.
    """
    store = ctx.public_store()
    stirred = cells.stirred.get(store)
    for queue in (cells.queue, cells.frost_queue):
        waiting = read(queue.get(store))
        # Who has expired just leaves: its record says until when it could be bound, and
        # everybody reads it so (`status_of`).
        left = [one for one in waiting if ctx.block.time <= one.expires_at]
        left = _bind_in_turn(cells, ctx, _wanted(cells, ctx, left) if stirred else left)
        if len(left) != len(waiting):
            queue.set(store, write(left))
    if stirred:
        cells.stirred.set(store, None)


def ask_again(cells: WalletCells, ctx: Context, record: Record) -> Record:
    """Bind what a request was allowed, whose answer never came, once more.

    Over the same digest, so whatever is signed is the same transaction. Budget stays as it
    was: nothing is spent twice. The new request has an entry, an expiry and an answer of its
    own, and waits for stock like any other.

    Args:
        cells: Wallets.
        ctx: Its context.
        record: The new request, not yet decided; its payload names the old one (32 bytes),
            and may name seats that were silent, to leave them out (8 bytes, see `moot.slot`).

    Raises:
        NotBound: it is no such request, or may not be answered any more.
        RequestForgotten: it was decided more than a day ago.
        StockEmpty: too many wait already.
    """
    # 1. It is this credential's, of this wallet, and was allowed.
    if len(record.payload) not in (Hash32.LENGTH, Hash32.LENGTH + 8):
        raise NotBound("to ask again, name the request: the payload is its key, 32 bytes")
    old = cells.record(ctx, Hash32(record.payload[: Hash32.LENGTH]))
    if old is None or (old.wallet, old.requester) != (record.wallet, record.requester):
        raise NotBound("this credential has no such request of this wallet")
    if old.status not in (BOUND, QUEUED):
        raise NotBound("the request was refused: ask with a new id")
    if old.status == QUEUED and ctx.block.time <= old.expires_at:
        raise NotBound("the request still waits for stock")
    # 2. It is not too long ago, and nothing has come to speak against it.
    first = _first(cells, ctx, old)
    until = UnixSeconds(first.time + REMEMBERED_SECONDS)
    if ctx.block.time > until:
        raise RequestForgotten(first.time)
    against = objection(cells, ctx, old)
    if against is not None:
        raise NotBound(against.why)
    # 3. It is bound anew; what it was bound to is burned for ever. However often it is asked,
    #    the record names the request that asked first, whose day it is.
    again = replace(
        record,
        status=BOUND,
        payload=bytes(_key(first)),
        without=record.payload[Hash32.LENGTH :],
        digest=old.digest,
        rule=old.rule,
        outcome=old.outcome,
        expires_at=min(record.expires_at, until),
    )
    return await_stock(cells, ctx, again, cells.known(ctx, record.wallet))


def _wanted(cells: WalletCells, ctx: Context, waiting: list[Waiting]) -> list[Waiting]:
    """Give those who still wait. Whose owner has changed her mind is refused, wherever it stands."""
    # One look for all that are alike.
    found: dict[tuple[object, ...], Objection | None] = {}
    left = []
    for one in waiting:
        alike = one.line, one.requester, one.policy_version
        if alike not in found:
            found[alike] = _objection(cells, ctx, one)
        against = found[alike]
        if against is None:
            left.append(one)
        else:
            _let_go(cells, ctx, one, against)
    return left


def _let_go(cells: WalletCells, ctx: Context, one: Waiting, against: Objection) -> None:
    """Refuse one that waits; it leaves the queue even where that cannot be written down."""
    with suppress(Refused, Malformed):
        ctx.attempt(lambda: _refuse(cells, ctx, one, against))


def _refuse(cells: WalletCells, ctx: Context, one: Waiting, against: Objection) -> None:
    record = _record(cells, ctx, one)
    refusal = Refusal(against.reason, REFUSED + against.why, decoded=record.outcome_json())
    no = refused(record, cells.known(ctx, one.wallet), refusal)
    cells.records.set(ctx.public_store(), one.key, no)
    wallet = Bytes32(one.wallet)
    ctx.emit(RequestDecided(wallet, one.requester, one.key, bound=False, reason=against.reason))


def _bind_in_turn(cells: WalletCells, ctx: Context, waiting: list[Waiting]) -> list[Waiting]:
    """Bind the first ones; give those for whom nothing is in stock."""
    for at, one in enumerate(waiting):
        # A credential may have ended by itself.
        against = _objection(cells, ctx, one)
        if against is None:
            try:
                if not ctx.attempt(partial(_bind_one, cells, ctx, one)):
                    return waiting[at:]
            except (Refused, Malformed):
                against = _UNEXPECTED
        if against is not None:
            _let_go(cells, ctx, one, against)
    return []


def _bind_one(cells: WalletCells, ctx: Context, one: Waiting) -> bool:
    """Bind the first in the queue; False where nothing is in stock for it."""
    record, wallet = _record(cells, ctx, one), cells.known(ctx, one.wallet)
    found = _take(ctx, record, wallet)
    if found is None:
        return False
    bound = _bound(cells, ctx, record, wallet, found)
    cells.records.set(ctx.public_store(), one.key, bound)
    return True


def _objection(cells: WalletCells, ctx: Context, one: Waiting) -> Objection | None:
    """Give what speaks against one that waits; what nobody expected does too."""
    try:
        return ctx.attempt(lambda: objection(cells, ctx, one))
    except (Refused, Malformed):
        return _UNEXPECTED


_UNEXPECTED = Objection("UNEXECUTABLE", "this request met a fault in the ledger's code: report it")
"""Against one that cannot be bound: it leaves the queue, and nobody waits behind it."""


def _record(cells: WalletCells, ctx: Context, one: Waiting) -> Record:
    record = cells.record(ctx, Hash32(one.key))
    if record is None:
        raise Defect("a request waits that has no record")
    return record


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
