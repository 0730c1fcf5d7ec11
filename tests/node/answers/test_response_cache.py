"""Answers that were given out: kept while they may be fetched, and no longer."""

import asyncio
from pathlib import Path
from typing import Any

from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds
from keymoot.enclave.answer import RequestAnswer
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.node.answers import response_cache as given_module
from keymoot.node.answers.response_cache import ResponseCache


def names(store: LmdbStore) -> list[bytes]:
    with store.snapshot() as table:
        return [key for key, _ in table.scan(b"", b"") if key[:1] == b"S"]


def test_answers_are_the_same_for_another_start_of_the_node(tmp_path: Path) -> None:
    store, request = LmdbStore(tmp_path, map_bytes=1 << 20), Hash32(b"r" * 32)
    given = {at: RequestAnswer(request, bytes([at]), b"s" * 64) for at in (3, 1)}

    async def story() -> None:
        until = UnixSeconds(200)
        await ResponseCache(store).keep({request: (until, given)}, UnixSeconds(100))
        assert ResponseCache(store).get(request, until) == given
        assert ResponseCache(store).get(request, UnixSeconds(201)) is None
        assert ResponseCache(store).get(Hash32(b"q" * 32), until) is None

    asyncio.run(story())
    store.close()


def test_what_has_expired_is_forgotten_now_and_then(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(given_module, "SWEEP_EVERY", 4)
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    kept = ResponseCache(store)

    async def story() -> None:
        for at in range(4):
            request = Hash32(bytes([at]) * 32)
            found = {1: RequestAnswer(request, b"sealed", b"s" * 64)}
            await kept.keep({request: (UnixSeconds(100 + at), found)}, UnixSeconds(102))

    asyncio.run(story())
    assert len(names(store)) == 2
    store.close()
