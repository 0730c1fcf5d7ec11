"""The node's disk takes nothing for a while."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from structlog.testing import capture_logs

from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.base.units import UnixSeconds
from keymoot.enclave.answer import Answer
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.gateway.errors import RESOURCE_UNAVAILABLE, of_anything, of_submission
from keymoot.node.given import GivenShares
from keymoot.node.storage import StorageWatch
from keymoot.threshold.committee import Committee
from tests.engine.test_full_disk import Disk

REQUEST = Hash32(b"r" * 32)


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
    engine: Any = SimpleNamespace(held=None)
    watch = StorageWatch(store, engine)
    watch.look()
    assert disk.knocks == 0
    disk.full = True
    with pytest.raises(CannotWrite):
        store.write({b"a": b"b"})
    with capture_logs() as log:
        watch.look()
        watch.look()
    assert [(one["event"], one["log_level"]) for one in log] == [("storage.takes_nothing", "error")]
    assert "free some space" in log[0]["reason"]
    # A block that is held is tried by the engine: a small write says nothing of a large one.
    disk.full = False
    engine.held = {}
    watch.look()
    assert store.shortage is not None
    engine.held = None
    with capture_logs() as log:
        watch.look()
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
    engine: Any = SimpleNamespace(held=None)
    watch = StorageWatch(store, engine)
    disk.full = True
    with pytest.raises(CannotWrite):
        store.write({b"a": b"b"})
    disk.full = False
    with capture_logs() as log:
        watch.look()
    assert [one["event"] for one in log] == ["storage.takes_nothing", "storage.takes_again"]
    store.close()


def test_answers_that_the_disk_does_not_take_do_not_leave_and_are_kept_later(
    tmp_path: Path,
) -> None:
    store = LmdbStore(tmp_path)
    disk = Disk(store)
    record = SimpleNamespace(bound_to=b"p" * 8, expires_at=UnixSeconds(100), time=UnixSeconds(1))
    ledger: Any = SimpleNamespace(engine=SimpleNamespace(snapshot=None), now=lambda: 0)
    requests: Any = SimpleNamespace(record=lambda _: record)
    given = GivenShares(ledger, store, requests)
    answers = [(seat, Answer(REQUEST, b"sealed", b"signature")) for seat in (1, 2, 3)]
    disk.full = True
    with store.snapshot() as ledger.engine.snapshot, pytest.raises(CannotWrite):
        given.keep({REQUEST: answers}, Committee.of(4))
    with store.snapshot() as ledger.engine.snapshot:
        assert given.get(REQUEST) is None
    disk.full = False
    # Its enclaves have started anew since, and cannot give them again.
    nothing = [(seat, Answer(REQUEST, b"", b"", "NOT_HELD", "no")) for seat in (1, 2, 3)]
    given.keep({REQUEST: nothing}, Committee.of(4))
    with store.snapshot() as ledger.engine.snapshot:
        assert given.get(REQUEST) == answers
    store.close()
