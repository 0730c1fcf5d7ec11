"""The node's disk takes nothing for a while."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from keymoot.base.storage import CannotWrite
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.gateway.errors import RESOURCE_UNAVAILABLE, of_anything, of_submission
from keymoot.node.storage import StorageWatch
from tests.engine.test_writer import Disk


def engine_that_stands() -> Any:
    """Give an engine that has nothing to write."""
    return SimpleNamespace(
        tail=SimpleNamespace(certified=7),
        chain=SimpleNamespace(tip=SimpleNamespace(height=7)),
    )


def test_who_asks_is_told_a_state_and_no_defect() -> None:
    error = CannotWrite("the ledger's file ledger.mdb", 28)
    told = [of_anything(error), *(of_submission(error, request=one) for one in (True, False))]
    for one in told:
        assert one.code == RESOURCE_UNAVAILABLE
        assert one.data == {"reason": "STORAGE"}
        assert "the disk is full" in one.message
        assert "ask again later" in one.message


def test_an_idle_node_finds_out_by_itself_that_there_is_space(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    disk = Disk(store)
    engine = engine_that_stands()
    watch = StorageWatch(store, engine)
    watch.poll()
    assert disk.knocks == 0
    disk.full = True
    with pytest.raises(CannotWrite):
        store.write({b"a": b"b"})
    with capture_logs() as log:
        watch.poll()
        watch.poll()
    assert [(one["event"], one["log_level"]) for one in log] == [("storage.takes_nothing", "error")]
    assert "free some space" in log[0]["reason"]
    # A certified block is tried by the engine: a small write says nothing of a large one.
    disk.full = False
    engine.tail.certified = 8
    watch.poll()
    assert store.shortage is not None
    engine.tail.certified = 7
    with capture_logs() as log:
        watch.poll()
    assert [one["event"] for one in log] == ["storage.takes_again"]
    assert store.shortage is None
    with store.snapshot() as table:
        assert list(table.scan(b"", b"")) == []
    store.close()


def test_a_disk_that_refused_once_is_in_the_log_though_it_takes_the_first_knock(
    tmp_path: Path,
) -> None:
    """A large block finds no room where a small one does."""
    store = LmdbStore(tmp_path)
    disk = Disk(store)
    engine = engine_that_stands()
    watch = StorageWatch(store, engine)
    disk.full = True
    with pytest.raises(CannotWrite):
        store.write({b"a": b"b"})
    disk.full = False
    with capture_logs() as log:
        watch.poll()
    assert [one["event"] for one in log] == ["storage.takes_nothing", "storage.takes_again"]
    store.close()
