"""Files of commands: written whole, and never through what somebody laid in the way."""

import os
from pathlib import Path

import pytest

from keymoot.cli.kept import read_json, replace_bytes
from keymoot.cli.output import CommandFailed


@pytest.mark.parametrize("kind", ["nothing", "file", "link", "broken", "pipe"])
@pytest.mark.parametrize("name", ["it", "it.new"])
def test_a_file_is_written_whole_whatever_lies_in_its_way(
    tmp_path: Path, kind: str, name: str
) -> None:
    folder, mine = tmp_path / "theirs", tmp_path / "mine"
    folder.mkdir()
    mine.write_text("mine")
    way = folder / name
    if kind == "pipe":
        os.mkfifo(way)
    elif kind == "file":
        way.write_text("before")
    elif kind != "nothing":
        way.symlink_to(mine if kind == "link" else tmp_path / "nowhere")
    replace_bytes(folder / "it", b"whole")
    assert (folder / "it").read_bytes() == b"whole"
    assert not (folder / "it").is_symlink()
    assert (mine.read_text(), (tmp_path / "nowhere").exists()) == ("mine", False)


def test_what_others_may_read_stays_as_the_person_has_it(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        replace_bytes(tmp_path / "it", b"whole")
    finally:
        os.umask(before)
    assert (tmp_path / "it").stat().st_mode & 0o777 == 0o640


def test_nothing_is_left_where_it_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "it").mkdir()
    with pytest.raises(OSError):
        replace_bytes(tmp_path / "it", b"whole")
    assert [path.name for path in tmp_path.iterdir()] == ["it"]


@pytest.mark.parametrize("kind", ["deep", "long", "pipe", "bytes", "number"])
def test_what_is_no_such_file_is_named(
    tmp_path: Path, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "kept.json"
    if kind == "pipe":
        os.mkfifo(path)
    else:
        odd = {"deep": b"[" * 100_000, "long": b" " * (9 << 20), "bytes": b"\xff"}
        path.write_bytes(odd.get(kind, b"1" * 5_000))
    with pytest.raises(CommandFailed):
        read_json(path, "the list")
    assert "kept.json" in capsys.readouterr().err
