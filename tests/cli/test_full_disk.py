"""What the disk did not take was not done, and a command says so."""

import subprocess
from pathlib import Path

import pytest

from keymoot.cli import address_book
from tests.cli.terminal import COMMAND


def test_a_result_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "pw").write_text("password")
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "key", "new", "owner.json", "--password-file", "pw"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
    assert done.returncode == 1
    assert "error: the output: No space left on device" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_book_that_cannot_be_written_is_a_warning_and_not_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "keymoot").write_text("in the way")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr(address_book, "entries", list)
    address_book.add(address_book.Entry("x", "0x1", "0x2", "0x3", "0x4"))
    assert "name the wallet by its id instead" in capsys.readouterr().err
