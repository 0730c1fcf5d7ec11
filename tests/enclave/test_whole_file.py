"""Small files on a disk that takes nothing."""

import errno
from pathlib import Path

import pytest

from keymoot.base.fixed import Measurement
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.committee.reshare.epoch_keys import KeyRotation, Role
from keymoot.enclave import simulated, whole_file
from keymoot.enclave.sealed_file import CannotRead, CannotUnseal
from keymoot.enclave.sealed_state import FILE_NAME, SealedStateFile, open_sealed_state
from keymoot.enclave.simulated import FuseRefused, SimulatedPlatform, read_fuse
from keymoot.enclave.whole_file import write_whole
from tests.engine.disks import read_only, small_disk

PLATFORM = SimulatedPlatform(Secret(b"f" * 32), Measurement(b"m" * 48))


def test_a_full_disk_leaves_the_file_as_it_was_and_nothing_beside_it(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 65_536) as disk:
        path = disk / "small.json"
        write_whole(path, b"before")
        with pytest.raises(CannotWrite, match="the disk is full"):
            write_whole(path, bytes(100_000))
        assert [one.name for one in disk.iterdir()] == ["small.json"]
        assert path.read_bytes() == b"before"
        with read_only(disk), pytest.raises(CannotWrite, match="read-only"):
            write_whole(path, b"after")
        write_whole(path, b"after")
        assert path.read_bytes() == b"after"


@pytest.mark.parametrize("call", ["open", "fsync"])
@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO])
def test_each_step_of_writing_may_fail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, number: int
) -> None:
    path = tmp_path / "small.json"
    write_whole(path, b"before")

    def fail(*_: object) -> None:
        raise OSError(number, "no")

    monkeypatch.setattr(whole_file.os, call, fail)
    with pytest.raises(CannotWrite, match=str(path)) as caught:
        write_whole(path, b"after")
    monkeypatch.undo()
    assert caught.value.number == number
    assert [one.name for one in tmp_path.iterdir()] == ["small.json"]
    assert path.read_bytes() == b"before"


def test_a_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    with pytest.raises(CannotWrite, match="put the folder back"):
        write_whole(tmp_path / "gone" / "x", b"")


def test_a_keep_that_the_disk_does_not_take_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep = SealedStateFile(tmp_path, PLATFORM)
    before = keep.now
    monkeypatch.setattr(whole_file.os, "fsync", _no_space)
    with pytest.raises(CannotWrite):
        keep.put(before.turned(KeyRotation(Role.NEXT, Role.LIVING, 0)))
    assert keep.now is before
    monkeypatch.undo()
    assert open_sealed_state(tmp_path, PLATFORM).next.expose() == before.next.expose()


def _no_space(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


@pytest.mark.parametrize("content", [b"", b"garbage", bytes(70_000)])
def test_a_damaged_keep_names_its_file_and_what_to_do(tmp_path: Path, content: bytes) -> None:
    open_sealed_state(tmp_path, PLATFORM)
    path = tmp_path / FILE_NAME
    path.write_bytes(content)
    with pytest.raises(CannotUnseal, match=f"{path} does not open.*Put back the file"):
        open_sealed_state(tmp_path, PLATFORM)


def test_a_keep_that_is_a_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).mkdir()
    with pytest.raises(CannotRead, match=str(tmp_path / FILE_NAME)):
        open_sealed_state(tmp_path, PLATFORM)


def test_a_missing_fuse_file_is_made_for_a_new_folder_only(tmp_path: Path) -> None:
    fuse, data = tmp_path / "cpu" / "fuse.key", tmp_path / "data"
    folder = data / "enclave-1"
    key = read_fuse(fuse, data, folder)
    open_sealed_state(folder, SimulatedPlatform(key, Measurement(b"m" * 48)))
    assert read_fuse(fuse, data, folder).expose() == key.expose()
    fuse.unlink()
    with pytest.raises(FuseRefused) as caught:
        read_fuse(fuse, data, folder)
    assert str(fuse) in str(caught.value)
    assert str(folder / FILE_NAME) in str(caught.value)
    assert not fuse.exists()


def test_half_a_fuse_file_is_never_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuse, data = tmp_path / "cpu" / "fuse.key", tmp_path / "data"
    monkeypatch.setattr(whole_file.os, "fsync", _no_space)
    with pytest.raises(CannotWrite, match="the disk is full"):
        read_fuse(fuse, data)
    monkeypatch.undo()
    assert list(fuse.parent.iterdir()) == []
    assert len(read_fuse(fuse, data).expose()) == simulated.FUSE_BYTES
