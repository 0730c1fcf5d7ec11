"""What whoever runs a node has asked for is kept, and nothing else is taken for it."""

from pathlib import Path

import pytest

from keymoot.node.membership.wanted import FILE_NAME, ChangesDamaged, WantedSeats


def test_what_is_wanted_comes_back(tmp_path: Path) -> None:
    assert WantedSeats.load(tmp_path).joining == set()
    WantedSeats.load(tmp_path).keep({5, 7}, {2})
    found = WantedSeats.load(tmp_path)
    assert (found.joining, found.leaving) == ({5, 7}, {2})
    found.keep(set(), set())
    again = WantedSeats.load(tmp_path)
    assert (again.joining, again.leaving) == (set(), set())


def test_it_is_nobody_elses_to_read(tmp_path: Path) -> None:
    WantedSeats.load(tmp_path).keep({5}, set())
    assert (tmp_path / FILE_NAME).stat().st_mode & 0o777 == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [FILE_NAME]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"joining":[5]}',
        b'{"joining":5,"leaving":[]}',
        b'{"joining":[0],"leaving":[]}',
        b'{"joining":[65],"leaving":[]}',
        b'{"joining":[true],"leaving":[]}',
        b'{"joining":["5"],"leaving":[]}',
        b'{"joining":[5,5],"leaving":[]}',
        b'{"joining":[],"leaving":[],"more":1}',
        b'{"joining":[],"leaving":[]}' + b" " * 5_000,
    ],
)
def test_a_damaged_file_is_a_clear_error_and_stays(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FILE_NAME).write_bytes(content)
    with pytest.raises(ChangesDamaged, match="delete it"):
        WantedSeats.load(tmp_path)
    assert (tmp_path / FILE_NAME).read_bytes() == content
