"""What a block bound, as its receipts tell: requests, and questions for derived keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee import binding
from keymoot.committee.outcome import Binding, KeyAsk, app_key_input, key_input
from keymoot.contracts.builtin.keys import AppKeyAsked, KeyAsked, Keys
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestBound, RequestDecided
from keymoot.runtime.receipt import Log, Receipt
from keymoot.threshold.derived import AskerKey


@dataclass(frozen=True, slots=True)
class Bound:
    """What one block bound.

    Attributes:
        bindings: Requests that it bound to what serves once.
        asks: Questions for derived keys.
        allowed: Requests that it allowed, by name; those among them that are bound to nothing
            are in Vault's custody, or wait for stock.
    """

    bindings: tuple[Binding, ...] = ()
    asks: tuple[KeyAsk, ...] = ()
    allowed: tuple[Hash32, ...] = ()


def bound_in(receipts: Iterable[Receipt], height: Height) -> Bound:
    """Read what a block bound from our own receipts of it."""
    bindings, asks, allowed = list[Binding](), list[KeyAsk](), list[Hash32]()
    for log in (log for receipt in receipts for log in receipt.logs):
        if log.address == Keys.ADDRESS and log.topics[0] == KeyAsked.topic():
            asks.append(read_ask(log, height))
        elif log.address == Keys.ADDRESS and log.topics[0] == AppKeyAsked.topic():
            asks.append(read_app_ask(log, height))
        elif log.address == Wallets.ADDRESS and log.topics[0] == RequestBound.topic():
            bindings.append(read_binding(log, height))
        elif log.address == Wallets.ADDRESS and log.topics[0] == RequestDecided.topic():
            request_decided = RequestDecided.read(log.topics, log.data)
            if request_decided.bound:
                allowed.append(request_decided.key)
    return Bound(tuple(bindings), tuple(asks), tuple(allowed))


def read_binding(log: Log, height: Height) -> Binding:
    request_bound = RequestBound.read(log.topics, log.data)
    return Binding(
        request=request_bound.key,
        wallet=request_bound.wallet,
        requester=request_bound.requester,
        material=binding.read_binding(request_bound.bound_to, request_bound.message),
        digest=request_bound.digest,
        reply_key=request_bound.reply_key,
        expires_at=request_bound.expires_at,
        withdrawal=request_bound.withdrawal,
        height=height,
    )


def read_ask(log: Log, height: Height) -> KeyAsk:
    key_asked = KeyAsked.read(log.topics, log.data)
    return KeyAsk(
        question=key_asked.question,
        asker=key_asked.asker,
        inputs=key_input(key_asked.asker, key_asked.name),
        to=AskerKey(key_asked.first, key_asked.second),
        expires_at=key_asked.expires_at,
        height=height,
    )


def read_app_ask(log: Log, height: Height) -> KeyAsk:
    key_asked = AppKeyAsked.read(log.topics, log.data)
    return KeyAsk(
        question=key_asked.question,
        asker=key_asked.asker,
        inputs=app_key_input(key_asked.app, key_asked.kind, key_asked.key_id),
        to=AskerKey(key_asked.first, key_asked.second),
        expires_at=key_asked.expires_at,
        height=height,
        app=key_asked.app,
    )
