"""A bundle on the disk: all of it, for its user alone, and nothing else is given away."""

import os
import stat
from pathlib import Path

import pytest

from keymoot.daemon.unpacked import unpacked
from keymoot.image.bundle import Bundle, File
from keymoot.image.manifest import Described

BUNDLE = Bundle.make(
    Described("agent", "1", ("./run",)),
    {"run": File(b"run", executable=True), "deep/er/data": File(b"data")},
)


def test_it_stands_there_as_long_as_it_is_needed() -> None:
    with unpacked(BUNDLE) as folder:
        assert (folder / "deep/er/data").read_bytes() == b"data"
        assert stat.S_IMODE((folder / "run").stat().st_mode) == 0o700
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert not folder.exists()


def test_the_agents_user_gets_the_folder_last_and_no_link_is_followed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once he can go into it he may put a link where a file was, to a file of ours."""
    ours, given = tmp_path / "ours", list[tuple[str, bool]]()
    ours.write_text("ours")

    def chown(path: Path, _user: int, _group: int, *, follow_symlinks: bool = True) -> None:
        given.append((Path(path).name, follow_symlinks))
        if (Path(path) / "run").exists():
            (Path(path) / "run").unlink()
            (Path(path) / "run").symlink_to(ours)
        assert os.path.realpath(path) != str(ours)

    monkeypatch.setattr(os, "chown", chown)
    with unpacked(BUNDLE, 1_000, 1_000) as folder:
        assert {name for name, _ in given} == {folder.name, "run", "deep", "er", "data"}
        assert given[-1] == (folder.name, False)
        assert not any(follows for _, follows in given)
