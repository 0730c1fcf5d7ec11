"""A socket is found by nobody who can't connect to it."""

import errno
import os
import socket
import stat
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from keymoot.base.unix_socket import MODE, listening_at, short_path


def connect(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as asking, short_path(path) as short:
        asking.connect(str(short))


def test_whoever_finds_it_may_connect(tmp_path: Path) -> None:
    path, done = tmp_path / "control", threading.Event()
    refused = 0

    def look() -> None:
        nonlocal refused
        while not done.is_set():
            with socket.socket(socket.AF_UNIX) as asking:
                asking.setblocking(False)
                refused += asking.connect_ex(str(path)) == errno.ECONNREFUSED

    looking = threading.Thread(target=look)
    looking.start()
    with ExitStack() as open_ones:
        for _ in range(50):
            open_ones.enter_context(listening_at(path, 64))
            # Whoever looks may have filled the queue, which nobody serves: then it listens, too.
            with socket.socket(socket.AF_UNIX) as asking:
                asking.setblocking(False)
                assert asking.connect_ex(str(path)) in (0, errno.EAGAIN)
            path.unlink()
        done.set()
        looking.join()
    assert not refused


def test_it_is_its_owners_alone_and_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "control"
    with listening_at(path, 1), listening_at(path, 1):
        assert stat.S_IMODE(path.stat().st_mode) == MODE
        connect(path)
        assert [entry.name for entry in tmp_path.iterdir()] == ["control"]


def test_a_folder_may_be_deep(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 90) / ("e" * 90)
    deep.mkdir(parents=True)
    with listening_at(deep / "control", 1):
        connect(deep / "control")


def test_where_it_cannot_be_made_nothing_is_left(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    (tmp_path / "control").mkdir()
    for path in (tmp_path / "control", tmp_path / "nowhere" / "control"):
        with pytest.raises(OSError, match="irectory"):
            listening_at(path, 1)
    assert [entry.name for entry in tmp_path.iterdir()] == ["control"]
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("kind", ["link", "file"])
def test_whoever_owns_the_folder_is_given_nothing_but_the_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Root makes a socket for an agent in the agent's own folder, and the agent is quick."""
    theirs, ours = tmp_path / "theirs", tmp_path / "ours"
    theirs.mkdir()
    ours.write_text("ours")
    ours.chmod(0o644)
    given: list[str] = []

    class Swapped(socket.socket):
        def bind(self, address: object) -> None:
            super().bind(address)
            (beside,) = theirs.iterdir()
            beside.unlink()
            if kind == "link":
                beside.symlink_to(ours)
            else:
                beside.hardlink_to(ours)

    chown = os.chown

    def noted(path: str, *owner: int, **how: bool) -> None:
        given.append(os.path.realpath(path))
        chown(path, *owner, **how)

    monkeypatch.setattr(socket, "socket", Swapped)
    monkeypatch.setattr(os, "chown", noted)
    with pytest.raises(OSError, match="another"):
        listening_at(theirs / "agent.sock", 1, (os.geteuid(), os.getegid()))
    assert stat.S_IMODE(ours.stat().st_mode) == 0o644
    assert not given
    assert not list(theirs.iterdir())


def test_it_is_given_to_the_user_who_is_named(tmp_path: Path) -> None:
    owner = (65_534, 65_534) if os.geteuid() == 0 else (os.geteuid(), os.getegid())
    with listening_at(tmp_path / "agent.sock", 1, owner):
        found = (tmp_path / "agent.sock").stat()
        assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (*owner, MODE)
