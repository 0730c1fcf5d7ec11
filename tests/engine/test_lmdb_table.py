"""The ledger's file, when it is not what was written, and when the disk takes no more."""

import errno
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import lmdb
import pytest

from keymoot.base.storage import CannotWrite
from keymoot.engine import lmdb_table
from keymoot.engine.lmdb_file import LedgerDamaged, check_file
from keymoot.engine.lmdb_table import CannotOpen, LmdbStore
from tests.engine.disks import fill, read_only, small_disk

PAGE = 4_096


def filled(folder: Path, count: int = 2_000) -> Path:
    store = LmdbStore(folder)
    store.write({number.to_bytes(4, "big"): os.urandom(200) for number in range(count)})
    store.write({b"long": os.urandom(50_000)})
    store.close()
    return folder / "ledger.mdb"


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    path = filled(tmp_path)
    raw = bytearray(path.read_bytes())
    # Pages 0 and 1 say where the tree begins; what is behind them is written over.
    raw[2 * PAGE :] = b"\xff" * len(raw[2 * PAGE :])
    path.write_bytes(raw)
    store = LmdbStore(tmp_path)
    with store.snapshot() as table:
        with pytest.raises(LedgerDamaged, match="damaged"):
            table.get(b"long")
        with pytest.raises(LedgerDamaged, match="damaged"):
            list(table.scan(b"", b""))
    store.close()


@pytest.mark.parametrize("pages", [1, 2, 3, 60])
def test_a_file_that_was_cut_is_never_mapped(tmp_path: Path, pages: int) -> None:
    path = filled(tmp_path)
    size = path.stat().st_size
    os.truncate(path, pages * PAGE)
    with pytest.raises(LedgerDamaged, match="whole data folder"):
        LmdbStore(tmp_path)
    shutil.rmtree(tmp_path)
    path = filled(tmp_path)
    os.truncate(path, size - 1)
    with pytest.raises(LedgerDamaged, match=f"{size - 1} bytes of {size}"):
        LmdbStore(tmp_path)


def test_what_was_cut_was_a_bus_error(tmp_path: Path) -> None:
    """What LMDB does with such a file by itself, so that the check stays needed."""
    path = filled(tmp_path)
    os.truncate(path, 3 * PAGE)
    code = (
        f"import lmdb; e=lmdb.open({str(path)!r}, subdir=False)\n"
        "with e.begin() as t: [bytes(v) for _, v in t.cursor()]"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == -7


def test_a_file_whose_last_pages_nothing_leads_to_is_whole(tmp_path: Path) -> None:
    path = filled(tmp_path)
    raw = bytearray(path.read_bytes())
    for at in (0, PAGE):
        last = at + 16 + 120
        pages = int.from_bytes(raw[last : last + 8], "little")
        raw[last : last + 8] = (pages + 5).to_bytes(8, "little")
    path.write_bytes(raw)
    store = LmdbStore(tmp_path)
    store.write({b"more": os.urandom(100_000)})
    with store.snapshot() as table:
        assert len(list(table.scan(b"", b""))) == 2_002
    store.close()
    check_file(path)


@pytest.mark.parametrize("count", range(1, 40, 3))
def test_whatever_is_written_and_deleted_the_file_is_whole(tmp_path: Path, count: int) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 26)
    for turn in range(count):
        store.write({bytes([turn, n]): os.urandom(n * 300) for n in range(count)})
        store.write({bytes([turn // 2, n]): None for n in range(count)})
        check_file(tmp_path / "ledger.mdb")
    store.close()


def _garbage(path: Path) -> None:
    path.write_bytes(os.urandom(20 * PAGE))


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _zeros(path: Path) -> None:
    path.write_bytes(bytes(20 * PAGE))


def _other_version(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[20] = raw[PAGE + 20] = 9
    path.write_bytes(raw)


def _second_page_lost(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    raw[PAGE : 2 * PAGE] = bytes(PAGE)
    path.write_bytes(raw)


def _folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def _leads_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def _pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


DAMAGES = [
    _garbage,
    _empty,
    _zeros,
    _other_version,
    _second_page_lost,
    _folder,
    _link,
    _leads_nowhere,
    _pipe,
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_is_no_ledger_is_named_and_left_alone(tmp_path: Path, damage) -> None:
    path = filled(tmp_path)
    damage(path)
    with pytest.raises(LedgerDamaged, match="put back a copy of the whole data folder"):
        LmdbStore(tmp_path)
    assert not (tmp_path / "nowhere").exists()


def test_a_file_that_is_cut_or_deleted_while_it_is_used_stops_the_node(tmp_path: Path) -> None:
    path = filled(tmp_path)
    store = LmdbStore(tmp_path)
    os.truncate(path, path.stat().st_size - PAGE)
    for use in (store.snapshot, lambda: store.write({b"a": b"b"})):
        with pytest.raises(LedgerDamaged, match="while the node ran"):
            use()
    store.close()
    other = LmdbStore(tmp_path / "other")
    (tmp_path / "other" / "ledger.mdb").unlink()
    with pytest.raises(LedgerDamaged, match="deleted"):
        other.write({b"a": b"b"})
    other.close()


def test_a_full_disk_has_a_name_and_writing_goes_on_when_it_is_not(tmp_path: Path) -> None:
    path = filled(tmp_path)
    store = LmdbStore(tmp_path)
    with store.snapshot() as table:
        before = list(table.scan(b"", b""))
    large = {b"large": os.urandom(1_000_000)}
    with largest_file(path.stat().st_size + PAGE):
        for _ in range(2):
            with pytest.raises(CannotWrite, match="free some space"):
                store.write(large)
    assert store.shortage is not None
    with store.snapshot() as table:
        assert list(table.scan(b"", b"")) == before
    store.write(large)
    assert store.shortage is None
    with store.snapshot() as table:
        assert table.get(b"large") == large[b"large"]
    store.close()


def test_a_disk_that_is_really_full(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        store = LmdbStore(disk)
        store.write({b"first": b"kept"})
        filling = fill(disk)
        with pytest.raises(CannotWrite, match="free some space"):
            store.write({b"large": os.urandom(1_500_000)})
        with store.snapshot() as table:
            assert table.get(b"first") == b"kept"
        filling.unlink()
        store.write({b"large": os.urandom(1_500_000)})
        store.close()


def test_a_disk_that_turns_read_only(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 2_000_000) as disk:
        store = LmdbStore(disk)
        store.write({b"first": b"kept"})
        store.close()
        with read_only(disk), pytest.raises(CannotOpen, match="Read-only"):
            LmdbStore(disk)
        LmdbStore(disk).close()


def test_a_full_map_has_a_name_and_the_next_start_reserves_more(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    store.write({b"first": bytes(600_000)})
    with pytest.raises(CannotWrite, match="start the node again"):
        store.write({b"second": bytes(600_000)})
    store.close()
    store = LmdbStore(tmp_path, map_bytes=1 << 20)
    store.write({b"second": bytes(500_000)})
    store.close()


class _Failing:
    """An environment whose disk answers with one error number."""

    def __init__(self, number: int) -> None:
        self._number = number

    def begin(self, *, write: bool):
        kinds = {errno.ENOSPC: lmdb.DiskError, errno.EACCES: lmdb.ReadonlyError}
        error = kinds.get(self._number, lmdb.Error)("mdb_txn_commit")
        error.code = self._number
        raise error


WORDS = {
    errno.ENOSPC: "the disk is full. To do: free some space",
    errno.EDQUOT: "quota is used up",
    errno.EROFS: "the file system is read-only. To do: mount it writable",
    errno.EACCES: "not permitted",
    errno.EIO: "it is full, or it fails",
    errno.EFBIG: "ulimit -f",
    errno.ENOTCONN: f"error {errno.ENOTCONN}",
}


@pytest.mark.parametrize("number", WORDS)
def test_whatever_the_disk_says_is_a_state_and_no_defect(tmp_path: Path, number: int) -> None:
    store = LmdbStore(tmp_path)
    real, store._env = store._env, _Failing(number)  # type: ignore[assignment]
    with pytest.raises(CannotWrite, match=WORDS[number]):
        store.write({b"a": b"b"})
    assert store.shortage is not None
    store._env = real
    store.write({b"a": b"b"})
    assert store.shortage is None
    store.close()


def test_the_lock_file_has_its_room_before_it_is_mapped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(lmdb_table.os, "posix_fallocate", full)
    with pytest.raises(CannotOpen, match="disk not full"):
        LmdbStore(tmp_path)
