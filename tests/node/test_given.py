"""Answers that were given out: kept while they may be fetched, and no longer."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.enclave.answer import Answer
from keymoot.engine import archive
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.moot.slot import Slot, write_slots
from keymoot.node.given import GivenShares
from keymoot.threshold.committee import Committee
from keymoot.threshold.frost import Commitment


def names(store: LmdbStore) -> list[bytes]:
    with store.snapshot() as table:
        return [key for key, _ in table.scan(b"", b"") if key[:1] in (b"S", b"E")]


def test_answers_are_found_until_they_expire_and_leave_nothing(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    batch: dict[bytes, bytes | None] = {}
    requests = {at: Hash32(bytes([at]) * 32) for at in range(1, 9)}
    for at, request in requests.items():
        archive.put_shares(batch, request, UnixSeconds(100 + at % 4), bytes([at]))
    store.write(batch)
    with store.snapshot() as table:
        assert {at: archive.shares_of(table, one) for at, one in requests.items()} == {
            at: bytes([at]) for at in requests
        }
        sweep: dict[bytes, bytes | None] = {}
        archive.forget_shares(table, sweep, UnixSeconds(102))
    store.write(sweep)
    with store.snapshot() as table:
        left = {at for at, one in requests.items() if archive.shares_of(table, one)}
        assert left == {at for at in requests if 100 + at % 4 >= 102}
        archive.forget_shares(table, sweep, UnixSeconds(1_000))
    store.write(sweep)
    assert names(store) == []
    store.close()


def test_a_sweep_looks_at_what_has_expired_only(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    batch: dict[bytes, bytes | None] = {}
    for at in range(200):
        archive.put_shares(batch, Hash32(bytes([at]) * 32), UnixSeconds(1_000 + at), b"x")
    store.write(batch)
    looked = 0

    class Counting:
        def __init__(self, table):
            self.table = table

        def scan(self, start, prefix):
            nonlocal looked
            for one in self.table.scan(start, prefix):
                looked += 1
                yield one

    with store.snapshot() as table:
        sweep: dict[bytes, bytes | None] = {}
        archive.forget_shares(Counting(table), sweep, UnixSeconds(1_003))
    assert len(sweep) == 6
    assert looked == 4
    store.close()


def test_without_the_answer_of_a_named_signer_nothing_is_kept(tmp_path: Path) -> None:
    # Seats 1, 2 and 3 sign. Seat 4, whom nobody named, answers all the same.
    request, commitment = Hash32(b"r" * 32), Commitment(b"h" * 32, b"b" * 32)
    slots = write_slots([Slot(at, 0, commitment) for at in (1, 2, 3)])
    record = SimpleNamespace(bound_to=slots, time=UnixSeconds(50), expires_at=UnixSeconds(100))
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    with store.snapshot() as table:
        ledger: Any = SimpleNamespace(engine=SimpleNamespace(snapshot=table), now=lambda: 0)
        requests: Any = SimpleNamespace(record=lambda _: record)
        kept = GivenShares(ledger, store, requests)
        good = {at: (at, Answer(request, b"sealed", b"s" * 64)) for at in (1, 2, 3, 4)}
        kept.keep({request: [good[1], good[2], good[4]]}, Committee.of(4))
        assert kept.get(request) is None
        kept.keep({request: [good[at] for at in (1, 2, 3)]}, Committee.of(4))
        assert kept.get(request) == [good[at] for at in (1, 2, 3)]
    # For a day from when it was decided, though the request itself has expired long before.
    for hours, left in ((24, True), (25, False)):
        with store.snapshot() as table:
            sweep: dict[bytes, bytes | None] = {}
            archive.forget_shares(table, sweep, UnixSeconds(50 + hours * 3_600))
        store.write(sweep)
        assert bool(names(store)) is left
    store.close()
