"""What a block bound, as its receipts tell: requests, and questions for derived keys."""

from collections.abc import Iterable
from dataclasses import dataclass

from keymoot.base.fixed import Address, Bytes32, Hash32, WalletId
from keymoot.base.units import Height, UnixSeconds
from keymoot.contracts.keys import KeyAsked, Keys
from keymoot.contracts.wallet_events import RequestBound, RequestDecided
from keymoot.contracts.wallets import Wallets
from keymoot.moot.batch import PresignatureId
from keymoot.moot.outcome import Binding, KeyAsk
from keymoot.moot.slot import read_slots
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
    """Read what a block bound.

    Args:
        receipts: Our own, of executing it.
        height: The block's.

    Raises:
        Malformed: a contract of ours told something else than its event says.
    """
    bindings, asks, allowed = list[Binding](), list[KeyAsk](), list[Hash32]()
    for log in (log for receipt in receipts for log in receipt.logs):
        if log.address == Keys.ADDRESS and log.topics[0] == KeyAsked.topic():
            asks.append(read_ask(log, height))
        elif log.address == Wallets.ADDRESS and log.topics[0] == RequestBound.topic():
            bindings.append(read_binding(log, height))
        elif log.address == Wallets.ADDRESS and log.topics[0] == RequestDecided.topic():
            found = RequestDecided.read(log.topics, log.data)
            if found["bound"]:
                allowed.append(Hash32(found["key"]))
    return Bound(tuple(bindings), tuple(asks), tuple(allowed))


def read_binding(log: Log, height: Height) -> Binding:
    """Read the event of a bound request.

    Raises:
        Malformed: it is none.
    """
    found = RequestBound.read(log.topics, log.data)
    message, bound_to = bytes(found["message"]), bytes(found["bound_to"])
    return Binding(
        request=Hash32(found["key"]),
        wallet=WalletId(found["wallet"]),
        requester=Address(found["requester"]),
        means=read_slots(bound_to) if message else PresignatureId.decode(bound_to),
        digest=Hash32(found["digest"]),
        message=message,
        reply_key=Bytes32(found["reply_key"]),
        expires_at=UnixSeconds(found["expires_at"]),
        withdrawal=bool(found["withdrawal"]),
        height=height,
    )


def read_ask(log: Log, height: Height) -> KeyAsk:
    """Read the event of a question for a derived key.

    Raises:
        Malformed: it is none.
    """
    found = KeyAsked.read(log.topics, log.data)
    return KeyAsk(
        question=Hash32(found["question"]),
        asker=Address(found["asker"]),
        name=bytes(found["name"]),
        to=AskerKey(bytes(found["first"]), bytes(found["second"])),
        expires_at=UnixSeconds(found["expires_at"]),
        height=height,
    )
