"""What the ledger says of requests and questions, as those that answer them need it.

What a block has bound or refused stays as it is, so it is looked up once.
"""

from collections.abc import Iterable

from keymoot.base.fixed import Hash32
from keymoot.base.hexes import data
from keymoot.base.strict_json import Json
from keymoot.committee.binding import scheme_of
from keymoot.contracts.builtin.keys import Question
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestBound, RequestDecided
from keymoot.contracts.builtin.wallets.record import REFUSED, RequestRecord
from keymoot.crypto.scheme import ECDSA
from keymoot.engine.ledger import Ledger
from keymoot.node.answers.signing_material import SigningMaterial, need_of_question, need_of_record
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.release import find_question, find_record
from keymoot.threshold.committee import Committee

MAX_REMEMBERED = 4_096

_KEY = 3
"""Which topic of both events names the request."""


def is_settled(record: RequestRecord | None) -> bool:
    """Tell whether a record will not change any more: refused, or bound by the committee."""
    return record is not None and (bool(record.bound_to) or record.status == REFUSED)


def signers_json(record: RequestRecord | None) -> dict[str, Json]:
    """Name the signers of an Ed25519 signature; nothing for ECDSA's, whom anyone may be."""
    if record is None or not record.bound_to or scheme_of(record.bound_to) is ECDSA:
        return {}
    return {"signers": data(record.bound_to), "digest": record.digest.hex0x}


def bound_at_once(receipts: Iterable[Receipt]) -> frozenset[Hash32]:
    """Name the requests that a block has both decided and bound to what serves once."""
    decided, bound = set[Hash32](), set[Hash32]()
    for log in (
        log for receipt in receipts for log in receipt.logs if log.address == Wallets.ADDRESS
    ):
        if log.topics[0] == RequestDecided.topic():
            decided.add(Hash32(log.topics[_KEY]))
        elif log.topics[0] == RequestBound.topic():
            bound.add(Hash32(log.topics[_KEY]))
    return frozenset(decided & bound)


class Requests:
    """Looks requests up in the newest certified state."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._settled: dict[Hash32, RequestRecord] = {}

    def record(self, request: Hash32) -> RequestRecord | None:
        known = self._settled.get(request)
        if known is not None:
            return known
        stored = find_record(self._ledger.state(), request)
        if stored is not None and is_settled(stored):
            self._settled[request] = stored
            if len(self._settled) > MAX_REMEMBERED:
                del self._settled[next(iter(self._settled))]
        return stored

    def question(self, request: Hash32) -> Question | None:
        if self.record(request) is not None:
            return None
        return find_question(self._ledger.state(), request)

    def need(self, request: Hash32, committee: Committee) -> SigningMaterial | None:
        """Say what a request or a question needs; None where there is nothing to answer."""
        record = self.record(request)
        if record is not None:
            return need_of_record(record, committee)
        question = self.question(request)
        return None if question is None else need_of_question(question, committee)
