"""Shares that were given out: kept for a day, sealed as they are.

An answer is the same however often it is fetched, also by an agent that crashed and comes
back after its request has expired. Enclaves that start anew have burned what made it, so the
node keeps the sealed bytes, which only the requester can open.
"""

from contextlib import suppress

from keymoot.base import rlp
from keymoot.base.fields import list_of, uint, uint_of
from keymoot.base.fixed import Hash32
from keymoot.base.request import REMEMBERED_SECONDS
from keymoot.base.storage import CannotWrite
from keymoot.base.units import UnixSeconds
from keymoot.contracts.record import Record
from keymoot.enclave.answer import Answer
from keymoot.enclave.messages import answers_item, read_answers
from keymoot.engine import archive
from keymoot.engine.ledger import Ledger
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.moot.batch import PresignatureId
from keymoot.moot.slot import read_slots
from keymoot.node.requests import Requests
from keymoot.store.table import Batch
from keymoot.threshold.committee import Committee

Given = list[tuple[int, Answer]]
"""Answers with their seats."""

MAX_IN_MEMORY = 4_096
SWEEP_EVERY = 1_024
"""After how many requests expired answers are let go of."""


class GivenShares:
    """Keeps answers in the node's store, beside the ledger's state."""

    def __init__(self, ledger: Ledger, store: LmdbStore, requests: Requests) -> None:
        """Keep in `store`, for the requests of `ledger`."""
        self._ledger = ledger
        self._store = store
        self._requests = requests
        self._recent: dict[Hash32, Given] = {}
        self._unwritten: Batch = {}
        self._count = 0

    def get(self, request: Hash32) -> Given | None:
        """Give what was given out for a request, or None."""
        recent = self._recent.get(request)
        if recent is not None:
            return recent
        raw = archive.shares_of(self._ledger.engine.snapshot, request)
        return None if raw is None else _decode(raw)

    def keep(self, found: dict[Hash32, Given], committee: Committee) -> None:
        """Write down, synced, the answers that are enough for a signature.

        Raises:
            CannotWrite: the disk does not take them: they may not leave, and are tried again.
        """
        batch: Batch = dict(self._unwritten)
        written: dict[Hash32, Given] = {}
        for request, answers in found.items():
            good = [(seat, one) for seat, one in answers if not one.code]
            record = self._requests.record(request)
            if record is None or not _enough(record, good, committee):
                continue
            until = UnixSeconds(max(record.expires_at, record.time + REMEMBERED_SECONDS))
            archive.put_shares(batch, request, until, _encode(good))
            written[request] = good
        # Whose enclaves start anew cannot give them again: they wait here for the disk.
        if len(batch) <= 2 * MAX_IN_MEMORY:
            self._unwritten = batch
        if batch:
            self._store.write(batch)
        self._unwritten = {}
        self._recent |= written
        while len(self._recent) > MAX_IN_MEMORY:
            del self._recent[next(iter(self._recent))]
        self._count += len(found)
        if self._count >= SWEEP_EVERY:
            self._count = 0
            now = UnixSeconds(self._ledger.now())
            expired: Batch = {}
            archive.forget_shares(self._ledger.engine.snapshot, expired, now)
            # What has expired may stay until the disk takes something again.
            with suppress(CannotWrite):
                self._store.write(expired)


def _enough(record: Record, good: Given, committee: Committee) -> bool:
    """Tell whether answers make a signature: FROST's are of all signers that were named."""
    seats = {seat for seat, _ in good}
    if len(record.bound_to) > PresignatureId.LENGTH:
        # Whoever answers and is no signer stands for none of them.
        return seats >= {slot.seat for slot in read_slots(record.bound_to)}
    return len(seats) > committee.ecdsa_degree


def _encode(answers: Given) -> bytes:
    return rlp.encode(
        [[uint(seat) for seat, _ in answers], answers_item([one for _, one in answers])]
    )


def _decode(raw: bytes) -> Given:
    seats, answers = list_of(rlp.decode(raw), 2, "given")
    found = [uint_of(seat, "seat", 2) for seat in list_of(seats, None, "seats")]
    return list(zip(found, read_answers(answers), strict=True))
