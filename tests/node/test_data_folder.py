"""The data folder that `up` is given, before anything is made in it."""

from pathlib import Path

import pytest

from keymoot.node.server import InUse, hold_folder


def test_a_file_in_the_place_of_the_folder_is_called_that(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    said = r"file cannot be used \(it is a file\): choose another with --data"
    with pytest.raises(InUse, match=said), hold_folder(tmp_path / "file"):
        pass
    assert (tmp_path / "file").read_text() == "x"


def test_a_folder_is_held_by_one_node(tmp_path: Path) -> None:
    with hold_folder(tmp_path / "data"), pytest.raises(InUse), hold_folder(tmp_path / "data"):
        pass
    with hold_folder(tmp_path / "data"):
        pass
