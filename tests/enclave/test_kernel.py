"""The kernel's doors to evidence, as far as any machine has them."""

import ctypes
import errno
import fcntl
import os
import struct
from pathlib import Path

import pytest

from keymoot.attest.evidence import EvidenceNotMade
from keymoot.attest.nsm import MAX_RESPONSE_BYTES
from keymoot.enclave.kernel import TsmFolder, ask_nsm, report_folder


def test_a_folder_lives_for_one_question(tmp_path: Path) -> None:
    with report_folder("one", tmp_path) as folder:
        assert folder.path == tmp_path / "one"
        assert folder.path.is_dir()
        with (
            pytest.raises(EvidenceNotMade, match="take another name"),
            report_folder("one", tmp_path),
        ):
            pass
    assert list(tmp_path.iterdir()) == []


def test_a_folder_goes_when_the_question_fails(tmp_path: Path) -> None:
    with (
        pytest.raises(EvidenceNotMade, match="gives no provider"),
        report_folder("one", tmp_path) as folder,
    ):
        folder.read("provider", 10)
    assert list(tmp_path.iterdir()) == []


def test_attributes_are_files(tmp_path: Path) -> None:
    (tmp_path / "inblob").touch()
    (tmp_path / "outblob").write_bytes(b"x" * 100)
    folder = TsmFolder(tmp_path)
    folder.write("inblob", b"asked")
    assert (tmp_path / "inblob").read_bytes() == b"asked"
    assert folder.read("outblob", 100) == b"x" * 100
    with pytest.raises(EvidenceNotMade, match="over 99 bytes"):
        folder.read("outblob", 99)


def test_a_machine_without_reports_says_so(tmp_path: Path) -> None:
    with (
        pytest.raises(EvidenceNotMade, match="no such machine"),
        report_folder("one", tmp_path / "none"),
    ):
        pass
    with pytest.raises(EvidenceNotMade, match="no such machine"):
        ask_nsm(b"", 10, tmp_path / "none")


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a device that answers the bytes of a question in reverse; of `busy`, by an error."""

    def ioctl(_descriptor: int, code: int, vectors: bytearray, _changes: bool) -> int:
        assert code == 0xC0200A00
        asked_at, asked, answer_at, room = struct.unpack("=QQQQ", vectors)
        question = ctypes.string_at(asked_at, asked)
        if question == b"busy":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY))
        answer = question[::-1]
        assert len(answer) <= room
        ctypes.memmove(answer_at, answer, len(answer))
        vectors[24:32] = len(answer).to_bytes(8, "little")
        return 0

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    device = tmp_path / "nsm"
    device.touch()
    return device


def test_the_module_is_asked_by_one_call(module: Path) -> None:
    assert ask_nsm(b"a question", MAX_RESPONSE_BYTES, module) == b"noitseuq a"
    with pytest.raises(EvidenceNotMade, match="busy: ask again"):
        ask_nsm(b"busy", MAX_RESPONSE_BYTES, module)
