"""The two steps of custody: `bind` a request in its block, `release` it when that is final.

`bind` never raises over the wish itself: a refusal is an outcome, written to the
wallet's log and paid for like any other.
"""

from dataclasses import dataclass, replace

from keymoot.base.fixed import Address, Bytes32, Hash32, RequestId, Signature65, WalletId
from keymoot.base.request import ASK_AGAIN, Request
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.vault import Vault
from keymoot.contracts.builtin.wallets.asker import asker_of
from keymoot.contracts.builtin.wallets.cells import WalletCells, nonce_key
from keymoot.contracts.builtin.wallets.errors import NotBound, RequestReused
from keymoot.contracts.builtin.wallets.policies import GAS_PER_BYTE, policy_of, reading_gas
from keymoot.contracts.builtin.wallets.record import (
    AGENT,
    BOUND,
    OWNER,
    REFUSED,
    AskingInstance,
    RequestRecord,
)
from keymoot.contracts.builtin.wallets.refused import NO_DIGEST, refused
from keymoot.contracts.builtin.wallets.stock import ask_again, await_stock
from keymoot.contracts.builtin.wallets.wallet import Book, SignedNonce, Wallet
from keymoot.contracts.framework.context import Context
from keymoot.crypto.transactions import request_key
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy
from keymoot.policy.intent import Intent, NeverSigned, read_intent
from keymoot.policy.refusal import REFUSED as REFUSED_PREFIX
from keymoot.policy.refusal import Refusal
from keymoot.policy.work import MAX_COMPARISONS, comparisons

CHECK_GAS = 60_000
"""Gas for decoding a wish and holding it against a policy."""

GAS_PER_COMPARISON = 48
"""Gas for each comparison that holding a wish against a policy can take."""


@dataclass(frozen=True, slots=True)
class Released:
    record: RequestRecord
    account: Address
    signature: Signature65


def bind(
    cells: WalletCells,
    ctx: Context,
    request: Request,
    sender: Address,
    body: Hash32,
    asked_by: AskingInstance | None = None,
) -> RequestRecord:
    """Decide a request; the caller has checked credential, quota and expiry (`admit`).

    The same id with the same body gives the record that stands; with another, RequestReused.
    """
    # 1. A retry finds its answer.
    earlier = cells.record(ctx, request_key(sender, request.request_id))
    if earlier is not None:
        if earlier.body != body:
            raise RequestReused
        return earlier
    # 2. The wish is decoded and held against the policy.
    wallet = cells.known(ctx, request.wallet)
    book = cells.book(ctx, request.wallet)
    record = RequestRecord(
        wallet=request.wallet,
        index=book.log_length,
        requester=sender,
        kind=AGENT,
        request_id=request.request_id,
        body=body,
        height=ctx.block.height,
        time=ctx.block.time,
        expires_at=request.expires_at,
        status=REFUSED,
        method=request.method,
        payload=request.payload,
        digest=NO_DIGEST,
        reply_key=request.reply_key,
        policy_version=wallet.policy_version,
        rule="",
        outcome=b"",
        asked_by=asked_by,
    )
    if request.method == ASK_AGAIN:
        _check_alive(cells, ctx, request, wallet)
        record = ask_again(cells, ctx, record)
        cells.append(ctx, record, book, "")
        return record
    try:
        intent = read_intent(request.method, request.payload, wallet.account)
    except NeverSigned as error:
        return _refuse(cells, ctx, record, wallet, book, error.refusal)
    policy = _policy(cells, ctx, request, wallet)
    if isinstance(policy, Refusal):
        return _refuse(cells, ctx, record, wallet, book, policy)
    signed = cells.signed_nonce(ctx, request.wallet, *intent.slot) if intent.slot else None
    held = signed.reservations if signed else ()
    # Counted and paid before they are made; above their bound none is.
    ctx.charge(GAS_PER_COMPARISON * min(comparisons(policy, intent), MAX_COMPARISONS))
    decision = decide(policy, intent, book.usage, held, ctx.block.time)
    if decision.refusal is not None:
        return _refuse(cells, ctx, record, wallet, book, decision.refusal)
    # 3. Yes: what it spends is reserved before anything is signed.
    return _accept(cells, ctx, record, book, intent, decision)


def bind_withdrawal(
    cells: WalletCells,
    ctx: Context,
    wallet: WalletId,
    kept: Wallet,
    intent: Intent,
    request_id: RequestId,
    expires_at: UnixSeconds,
    body: Hash32,
    payload: bytes,
    reply_key: Bytes32,
    without: bytes,
) -> None:
    """Bind an owner's transaction that `check_withdrawal` has passed."""
    earlier = cells.record(ctx, request_key(kept.owner, request_id))
    if earlier is not None:
        if earlier.body != body:
            raise RequestReused
        return
    book = cells.book(ctx, wallet)
    record = RequestRecord(
        wallet=wallet,
        index=book.log_length,
        requester=kept.owner,
        kind=OWNER,
        request_id=request_id,
        body=body,
        height=ctx.block.height,
        time=ctx.block.time,
        expires_at=expires_at,
        status=BOUND,
        method=kept.method,
        payload=payload,
        digest=intent.digest,
        reply_key=reply_key,
        policy_version=kept.policy_version,
        rule="",
        outcome=canonical(intent.decoded()),
        without=without,
    )
    if intent.slot is not None:
        earlier_nonce = cells.signed_nonce(ctx, wallet, *intent.slot)
        held = earlier_nonce.reservations if earlier_nonce else ()
        signed = SignedNonce(ctx.block.time, ctx.block.height, held)
        cells.nonces.set(ctx.public_store(), nonce_key(wallet, *intent.slot), signed)
    record = await_stock(cells, ctx, record, kept)
    cells.append(ctx, record, book, "")


def releasable(cells: WalletCells, ctx: Context, key: Hash32, now: UnixSeconds) -> RequestRecord:
    """Give the record of a request that may be answered now; NotBound says why it may not.

    `now` is the later of ledger time and the node's own clock.
    """
    # 1. It was bound.
    record = cells.record(ctx, key)
    if record is None:
        raise NotBound("no request of that name is known")
    if record.status != BOUND:
        raise NotBound("the request was refused, or still waits for stock")
    # 2. It has not expired.
    if now > record.expires_at:
        raise NotBound("the request has expired: ask again with a new id")
    if record.kind == OWNER:
        return record
    # 3. The wallet is not paused, and the credential still counts, or the instance.
    if cells.known(ctx, record.wallet).paused:
        raise NotBound("the wallet is paused")
    credential = cells.credential_of(ctx, record.wallet, record.requester)
    if credential is None and asker_of(cells, ctx, record.wallet, record.requester):
        return record
    if credential is None or credential.revoked or now > credential.expires_at:
        raise NotBound("the credential was revoked or has expired")
    return record


def release(cells: WalletCells, ctx: Context, key: Hash32, now: UnixSeconds) -> Released:
    """Answer a bound request: Vault signs its digest."""
    record = releasable(cells, ctx, key, now)
    account = cells.known(ctx, record.wallet).account
    if not isinstance(account, Address):
        raise NotBound("the committee signs for this wallet, not Vault")
    signature = ctx.call(Vault.sign, Bytes32(record.wallet), record.digest)
    return Released(record, account, signature)


def _check_alive(cells: WalletCells, ctx: Context, request: Request, wallet: Wallet) -> None:
    """Raise `NotBound` if the policy has ended since it allowed what is asked again."""
    policy = _policy(cells, ctx, request, wallet)
    ends = policy.expires if isinstance(policy, Policy) else None
    if ends is not None and ctx.block.time > ends:
        raise NotBound("the policy expired since: its owner has to set a new one")


def _policy(cells: WalletCells, ctx: Context, request: Request, wallet: Wallet) -> Policy | Refusal:
    ctx.charge(CHECK_GAS)
    if wallet.paused:
        message = f"{REFUSED_PREFIX}the wallet is paused: its owner can resume it"
        return Refusal("PAUSED", message)
    document = cells.policies.get(ctx.public_store(), request.wallet)
    if document is None:
        message = f"{REFUSED_PREFIX}the wallet has no policy yet, so everything is refused"
        return Refusal("NO_POLICY", message)
    ctx.charge(GAS_PER_BYTE * len(request.payload) + reading_gas(document))
    return policy_of(document)


def _accept(
    cells: WalletCells,
    ctx: Context,
    record: RequestRecord,
    book: Book,
    intent: Intent,
    decision: Decision,
) -> RequestRecord:
    bound = replace(
        record,
        status=BOUND,
        digest=intent.digest,
        rule=decision.rule or "",
        outcome=canonical(decision.decoded),
    )
    if intent.slot is not None:
        signed = SignedNonce(ctx.block.time, ctx.block.height, decision.reservations)
        cells.nonces.set(ctx.public_store(), nonce_key(record.wallet, *intent.slot), signed)
    bound = await_stock(cells, ctx, bound, cells.known(ctx, record.wallet))
    cells.append(ctx, bound, replace(book, usage={**book.usage, **decision.usage}), "")
    return bound


def _refuse(
    cells: WalletCells,
    ctx: Context,
    record: RequestRecord,
    wallet: Wallet,
    book: Book,
    refusal: Refusal,
) -> RequestRecord:
    no = refused(record, wallet, refusal)
    cells.append(ctx, no, book, refusal.reason)
    return no
