"""The server's end of the channel: whatever else is open, and when the other end is no more."""

import asyncio
import os
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
import uvloop

from keymoot.enclave.channel import EnclaveGone, EnclaveRefused
from keymoot.enclave.client import COMMAND, EnclaveClient

MANY = 1_100
"""More open files than select(2) can name."""


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_a_dead_enclave_is_gone_whatever_is_asked_and_whenever(tmp_path: Path, loop: str) -> None:
    """A node that lets anything else through stops, and all other enclaves with it."""

    async def story() -> None:
        folder = tmp_path / "enclave"
        client = await EnclaveClient.start(folder, tmp_path / "data", tmp_path / "cpu" / "fuse")
        asked = [asyncio.create_task(client.pulse()) for _ in range(4)]
        os.kill(client.pid, 9)
        # Questions of every moment around its end: before, while and after the pipe breaks.
        for pause in (0, 0, 0.001, 0.01, 0.05, 0.2):
            asked += [asyncio.create_task(client.pulse()) for _ in range(4)]
            await asyncio.sleep(pause)
        done = await asyncio.wait_for(asyncio.gather(*asked, return_exceptions=True), 240)
        # It had joined no network, so the first ones may have been answered with that.
        kinds = {type(one).__name__ for one in done}
        assert kinds <= {"EnclaveGone", "EnclaveRefused"}
        assert "EnclaveGone" in kinds
        client._channel._transport.close()
        with pytest.raises(EnclaveGone):
            await client.pulse()
        await client.close()

    (uvloop.run if loop == "uvloop" else asyncio.run)(story())


@contextmanager
def many_open_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 4 * MANY
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"this machine lets a process open {hard} files, and {wanted} are needed")
    with ExitStack() as stack:
        if soft != resource.RLIM_INFINITY and soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            stack.callback(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        for _ in range(MANY):
            stack.callback(os.close, os.open(os.devnull, os.O_RDONLY))
        yield


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_an_enclave_starts_beside_a_thousand_connections(tmp_path: Path, loop: str) -> None:
    async def story() -> None:
        folder = tmp_path / "enclave"
        client = await EnclaveClient.start(folder, tmp_path / "data", tmp_path / "cpu" / "fuse")
        # It has joined nothing, and says so: it reads, and it answers.
        for _ in range(3):
            with pytest.raises(EnclaveRefused, match="has not joined a network"):
                await client.pulse()
        await client.close()
        assert await client.ended() == 0

    with many_open_files():
        (uvloop.run if loop == "uvloop" else asyncio.run)(story())


@pytest.mark.parametrize("loop", ["uvloop", "asyncio"])
def test_an_enclave_that_does_not_start_leaves_nothing_open(tmp_path: Path, loop: str) -> None:
    """A seat whose file is damaged is tried again and again."""
    folder = tmp_path / "enclave"
    folder.mkdir()
    (folder / "keep.sealed").write_bytes(b"damaged")

    async def once() -> None:
        with pytest.raises(EnclaveRefused, match=r"keep\.sealed"):
            await EnclaveClient.start(folder, tmp_path / "data", fuse)

    async def story() -> None:
        await once()
        await asyncio.sleep(0.1)
        before = open_files()
        await once()
        # Some are closed with the loop's next turns, however long those take.
        async with asyncio.timeout(240):
            while open_files() > before:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    fuse = tmp_path / "cpu" / "fuse"
    fuse.parent.mkdir()
    fuse.write_bytes(b"f" * 32)
    fuse.chmod(0o600)
    (uvloop.run if loop == "uvloop" else asyncio.run)(story())


def test_a_person_who_starts_an_enclave_is_told_who_does() -> None:
    command = [sys.executable, *COMMAND, "--reads", "9"]
    for each in ("--folder", "--data", "--fuse"):
        command += [each, "nowhere"]
    command += ["--reads", "0"]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    assert done.returncode == 2
    assert "`keymoot up` starts enclaves" in done.stderr


@pytest.mark.parametrize("greeted", [False, True], ids=["at once", "once it has greeted"])
def test_an_enclave_whose_server_goes_with_words_unread_ends_and_says_nothing(
    tmp_path: Path, *, greeted: bool
) -> None:
    """The kernel calls that a reset, and no end: a server that is killed leaves just this."""
    (ours, theirs), (reads, asks) = socket.socketpair(), socket.socketpair()
    command = [sys.executable, *COMMAND, "--reads", str(asks.fileno())]
    for name in ("folder", "data", "fuse"):
        command += [f"--{name}", str(tmp_path / name)]
    with subprocess.Popen(
        command, stdin=theirs.fileno(), pass_fds=[asks.fileno()], stderr=subprocess.PIPE
    ) as process:
        for one in (theirs, asks):
            one.close()
        if greeted:
            ours.recv(1, socket.MSG_PEEK)
        ours.close()
        reads.close()
        assert process.communicate() == (None, b"")
    assert process.returncode == 0
