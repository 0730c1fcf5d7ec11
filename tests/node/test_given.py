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
        put_given(batch, request, UnixSeconds(100 + at % 4), {1: Answer(request, bytes([at]), b"")})
    store.write(batch)
    with store.snapshot() as table:
        assert {at: archive.shares_of(table, one) for at, one in requests.items()} == {
            at: bytes([at]) for at in requests
        }
        sweep: dict[bytes, bytes | None] = {}
        forget_expired(table, sweep, UnixSeconds(102))
    store.write(sweep)
    with store.snapshot() as table:
        left = {at for at, one in requests.items() if archive.shares_of(table, one)}
        assert left == {at for at in requests if 100 + at % 4 >= 102}
        forget_expired(table, sweep, UnixSeconds(1_000))
    store.write(sweep)
    assert names(store) == []
    store.close()


def test_a_sweep_looks_at_what_has_expired_only(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    batch: dict[bytes, bytes | None] = {}
    for at in range(200):
        put_given(batch, Hash32(bytes([at]) * 32), UnixSeconds(1_000 + at), {})
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
        forget_expired(Counting(table), sweep, UnixSeconds(1_003))
    assert len(sweep) == 6
    assert looked == 4
    store.close()


def test_answers_are_the_same_for_another_start_of_the_node(tmp_path: Path) -> None:
    store, request = LmdbStore(tmp_path, map_bytes=1 << 20), Hash32(b"r" * 32)
    given = {at: Answer(request, bytes([at]), b"s" * 64) for at in (3, 1)}

    async def story() -> None:
        await GivenAnswers(store).keep({request: (UnixSeconds(200), given)}, UnixSeconds(100))
        assert GivenAnswers(store).get(request) == given
        assert GivenAnswers(store).get(Hash32(b"q" * 32)) is None

    asyncio.run(story())
    store.close()


def test_what_has_expired_is_forgotten_now_and_then(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(given, "SWEEP_EVERY", 4)
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    kept = GivenAnswers(store)

    async def story() -> None:
        for at in range(4):
            request = Hash32(bytes([at]) * 32)
            found = {1: Answer(request, b"sealed", b"s" * 64)}
            await kept.keep({request: (UnixSeconds(100 + at), found)}, UnixSeconds(102))

    asyncio.run(story())
    assert len(names(store)) == 4
    store.close()
