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

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial

from keymoot.base.errors import Defect, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.base.units import UnixSeconds
from keymoot.committee.binding import FrostBinding, PresignatureBinding, SignatureBinding
from keymoot.committee.nonces.record import SeatBits
from keymoot.contracts.builtin.nodes import Nodes
from keymoot.contracts.builtin.wallets.asker import asker_of
from keymoot.contracts.builtin.wallets.cells import WalletCells
from keymoot.contracts.builtin.wallets.errors import NotBound, RequestTooOld
from keymoot.contracts.builtin.wallets.events import RequestBound, RequestDecided
from keymoot.contracts.builtin.wallets.objection import Objection, objection
from keymoot.contracts.builtin.wallets.queue import Waiting, join, read, write
from keymoot.contracts.builtin.wallets.record import AGENT, BOUND, OWNER, QUEUED, RequestRecord
from keymoot.contracts.builtin.wallets.refused import refused
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE, Wallet
from keymoot.contracts.framework.cells import PublicCell
from keymoot.contracts.framework.context import Context
from keymoot.crypto.scheme import ECDSA, ED25519, Scheme
from keymoot.crypto.transactions import request_key
from keymoot.policy.refusal import REFUSED, Refusal


def await_stock(
    cells: WalletCells, ctx: Context, record: RequestRecord, wallet: Wallet
) -> RequestRecord:
    """Bind a decided request to what serves once, or let it wait for that."""
    if wallet.custody != BY_COMMITTEE:
        return record
    queue = _SUPPLIES[wallet.chain.scheme].queue(cells)
    waiting = read(queue.get(ctx.public_store()))
    # Whoever waits comes first.
    taken = None if waiting else _take(cells, ctx, record, wallet)
    if taken is None:
        queue.set(ctx.public_store(), write(join(waiting, Waiting.of(record))))
        return replace(record, status=QUEUED)
    return _bound(cells, ctx, record, taken)


def bind_waiting(cells: WalletCells, ctx: Context) -> None:
    """Refuse those who need not wait any longer, and bind the others as far as the stock goes.

    Every message of a node comes by here, and a broken one may send many: all who wait are
    held against what their owners want only when an owner has changed something.
    """
    store = ctx.public_store()
    stirred = cells.stirred.get(store)
    for supply in _SUPPLIES.values():
        queue = supply.queue(cells)
        waiting = read(queue.get(store))
        # Who has expired just leaves: its record says until when it could be bound, and
        # everybody reads it so (`status_of`).
        left = [request for request in waiting if ctx.block.time <= request.expires_at]
        left = _bind_in_turn(cells, ctx, _wanted(cells, ctx, left) if stirred else left)
        if len(left) != len(waiting):
            queue.set(store, write(left))
    if stirred:
        cells.stirred.set(store, None)


def ask_again(cells: WalletCells, ctx: Context, record: RequestRecord) -> RequestRecord:
    """Bind what a request was allowed, whose answer never came, once more.

    Over the same digest, so whatever is signed is the same transaction. Budget stays as it
    was: nothing is spent twice. The new request has an entry, an expiry and an answer of its
    own, and waits for stock like any other. Its payload names the old one (32 bytes), and may
    name seats that were silent, to leave them out (8 bytes, see `committee.nonces.record`).

    Raises:
        NotBound: it is no such request, or may not be answered any more.
        RequestTooOld: it was decided more than a day ago.
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
        raise RequestTooOld(first.time)
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
    """Give those who still wait.

    Whose owner has changed her mind is refused, wherever it stands.
    """
    # One look for all that are alike.
    objections: dict[tuple[object, ...], Objection | None] = {}
    left = []
    for request in waiting:
        alike = request.line, request.requester, request.policy_version
        if alike not in objections:
            objections[alike] = _objection(cells, ctx, request)
        against = objections[alike]
        if against is None:
            left.append(request)
        else:
            _let_go(cells, ctx, request, against)
    return left


def _let_go(cells: WalletCells, ctx: Context, request: Waiting, against: Objection) -> None:
    """Refuse one that waits; it leaves the queue even where that cannot be written down."""
    with suppress(Refused, Malformed):
        ctx.attempt(lambda: _refuse(cells, ctx, request, against))


def _refuse(cells: WalletCells, ctx: Context, request: Waiting, against: Objection) -> None:
    record = _record(cells, ctx, request)
    refusal = Refusal(against.reason, REFUSED + against.why, decoded=record.outcome_json())
    no = refused(record, cells.known(ctx, request.wallet), refusal)
    cells.records.set(ctx.public_store(), request.key, no)
    wallet = request.wallet
    ctx.emit(
        RequestDecided(wallet, request.requester, request.key, bound=False, reason=against.reason)
    )


def _bind_in_turn(cells: WalletCells, ctx: Context, waiting: list[Waiting]) -> list[Waiting]:
    """Bind the first ones; give those for whom nothing is in stock."""
    for at, request in enumerate(waiting):
        # A credential may have ended by itself.
        against = _objection(cells, ctx, request)
        if against is None:
            try:
                if not ctx.attempt(partial(_bind_one, cells, ctx, request)):
                    return waiting[at:]
            except (Refused, Malformed):
                against = _UNEXPECTED
        if against is not None:
            _let_go(cells, ctx, request, against)
    return []


def _bind_one(cells: WalletCells, ctx: Context, request: Waiting) -> bool:
    """Bind the first in the queue; False where nothing is in stock for it."""
    record, wallet = _record(cells, ctx, request), cells.known(ctx, request.wallet)
    taken = _take(cells, ctx, record, wallet)
    if taken is None:
        return False
    bound = _bound(cells, ctx, record, taken)
    cells.records.set(ctx.public_store(), request.key, bound)
    return True


def _objection(cells: WalletCells, ctx: Context, request: Waiting) -> Objection | None:
    """Give what speaks against one that waits; what nobody expected does too."""
    try:
        return ctx.attempt(lambda: objection(cells, ctx, request))
    except (Refused, Malformed):
        return _UNEXPECTED


_UNEXPECTED = Objection("UNEXECUTABLE", "this request met a fault in the ledger's code: report it")
"""Against one that cannot be bound: it leaves the queue, and nobody waits behind it."""


def _record(cells: WalletCells, ctx: Context, request: Waiting) -> RequestRecord:
    record = cells.record(ctx, request.key)
    if record is None:
        raise Defect("a request waits that has no record")
    return record


def _bound(
    cells: WalletCells, ctx: Context, record: RequestRecord, material: SignatureBinding
) -> RequestRecord:
    bound_to = material.encode()
    expires_at = record.expires_at
    if record.kind == AGENT:
        asker = cells.credential_of(ctx, record.wallet, record.requester) or asker_of(
            cells, ctx, record.wallet, record.requester
        )
        if asker is not None:
            expires_at = min(expires_at, asker.expires_at)
    ctx.emit(
        RequestBound(
            record.wallet,
            record.requester,
            _key(record),
            bound_to,
            record.digest,
            material.message,
            record.reply_key,
            expires_at,
            record.kind == OWNER,
        )
    )
    return replace(record, status=BOUND, bound_to=bound_to, bound_at=ctx.block.height)


def _first(cells: WalletCells, ctx: Context, record: RequestRecord) -> RequestRecord:
    """Give the request that asked first, whose payload is what is signed."""
    if record.method != ASK_AGAIN:
        return record
    first = cells.record(ctx, Hash32(record.payload))
    if first is None:
        raise NotBound("the request that asked first is not known")
    return first


def _take(
    cells: WalletCells, ctx: Context, record: RequestRecord, wallet: Wallet
) -> SignatureBinding | None:
    return _SUPPLIES[wallet.chain.scheme].take(cells, ctx, record)


def _take_presignature(
    cells: WalletCells, ctx: Context, record: RequestRecord
) -> PresignatureBinding | None:
    del cells, record
    name = ctx.call(Nodes.take)
    return None if name is None else PresignatureBinding(name)


def _take_nonces(cells: WalletCells, ctx: Context, record: RequestRecord) -> FrostBinding | None:
    slots = ctx.call(Nodes.take_slots, _without(record))
    return None if slots is None else FrostBinding(slots, _first(cells, ctx, record).payload)


def _without(record: RequestRecord) -> frozenset[int]:
    return SeatBits(record.without).seats if record.without else frozenset()


def _key(record: RequestRecord) -> Hash32:
    return request_key(record.requester, record.request_id)


@dataclass(frozen=True, slots=True)
class _Supply:
    """Where requests of one scheme wait, and what takes what serves one.

    None when there is none.
    """

    queue: Callable[[WalletCells], PublicCell[bytes]]
    take: Callable[[WalletCells, Context, RequestRecord], SignatureBinding | None]


_SUPPLIES: Mapping[Scheme, _Supply] = {
    ECDSA: _Supply(lambda cells: cells.queue, _take_presignature),
    ED25519: _Supply(lambda cells: cells.frost_queue, _take_nonces),
}
"""In the order in which they are served."""
