"""Answers that are kept: found until they expire, and forgotten in that order."""

from pathlib import Path

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.engine.kept_answers import forget_shares, put_shares, shares_of
from keymoot.engine.lmdb_table import LmdbStore


def names(store: LmdbStore) -> list[bytes]:
    with store.snapshot() as table:
        return [key for key, _ in table.scan(b"", b"") if key[:1] == b"S"]


def test_answers_are_found_until_they_expire_and_leave_nothing(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    batch: dict[bytes, bytes | None] = {}
    requests = {at: Hash32(bytes([at]) * 32) for at in range(1, 9)}
    ends = {at: UnixSeconds(100 + at % 4) for at in requests}
    for at, request in requests.items():
        put_shares(batch, request, ends[at], bytes([at]))
    store.write(batch)
    with store.snapshot() as table:
        assert {at: shares_of(table, one, ends[at]) for at, one in requests.items()} == {
            at: bytes([at]) for at in requests
        }
        sweep: dict[bytes, bytes | None] = {}
        forget_shares(table, sweep, UnixSeconds(102))
    store.write(sweep)
    with store.snapshot() as table:
        left = {at for at, one in requests.items() if shares_of(table, one, ends[at])}
        assert left == {at for at in requests if 100 + at % 4 >= 102}
        forget_shares(table, sweep, UnixSeconds(1_000))
    store.write(sweep)
    assert names(store) == []
    store.close()


def test_a_sweep_looks_at_what_has_expired_only(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    batch: dict[bytes, bytes | None] = {}
    for at in range(200):
        put_shares(batch, Hash32(bytes([at]) * 32), UnixSeconds(1_000 + at), b"x")
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
        forget_shares(Counting(table), sweep, UnixSeconds(1_003))
    assert len(sweep) == 3
    assert looked == 4
    store.close()
