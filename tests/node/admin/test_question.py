"""Why a node gives no answer: each way has a name of its own, and says what to do."""

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from keymoot.base.strict_json import Json
from keymoot.node.admin.control import FILE_NAME, MAX_LINE_BYTES, Control
from keymoot.node.admin.question import NodeGone, NodeRefused, NodeSilent, NoNode, NotYours, ask
from keymoot.node.admin.verbs import verbs_at_start


@contextmanager
def listening(folder: Path, answer: Callable[[socket.socket], None]) -> Iterator[None]:
    """Answer one question on a folder's socket as a test wants it."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / FILE_NAME))
        server.listen(1)

        def serve() -> None:
            channel, _ = server.accept()
            with channel:
                answer(channel)

        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


@contextmanager
def controlled(folder: Path, verbs) -> Iterator[Control]:
    """Run the node's own end of the socket."""
    control, loop = Control(folder, verbs), asyncio.new_event_loop()
    task = loop.create_task(control.run())
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    while not (folder / FILE_NAME).exists():
        assert not task.done()
        time.sleep(0.01)
    yield control
    loop.call_soon_threadsafe(task.cancel)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    left = asyncio.all_tasks(loop)
    if left:
        loop.run_until_complete(asyncio.wait(left))
    loop.close()


def test_a_folder_that_is_not_there_or_empty_has_no_node(tmp_path):
    for folder in (tmp_path, tmp_path / "nowhere", Path("/dev/null")):
        with pytest.raises(NoNode, match="no node of yours runs"):
            ask(folder, "turn")


def test_a_socket_that_a_killed_node_left_behind_is_no_node(tmp_path):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(tmp_path / FILE_NAME))
    with pytest.raises(NoNode):
        ask(tmp_path, "turn")


def test_a_node_that_hangs_is_called_silent_and_not_absent(tmp_path):
    done = threading.Event()
    with listening(tmp_path, lambda _: done.wait(60) and None):
        with pytest.raises(NodeSilent, match="runs and has not answered in 0 s"):
            ask(tmp_path, "turn", seconds=0.2)
        done.set()


def test_a_node_that_does_not_even_accept_is_silent(tmp_path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / FILE_NAME))
        server.listen(0)
        with socket.socket(socket.AF_UNIX) as first, socket.socket(socket.AF_UNIX) as second:
            first.connect(str(tmp_path / FILE_NAME))
            second.setblocking(False)
            second.connect_ex(str(tmp_path / FILE_NAME))
            with pytest.raises(NodeSilent):
                ask(tmp_path, "turn", seconds=0.2)


@pytest.mark.parametrize("said", [b"", b"{", b"[]\n", b"\xff\n", b"7\n"])
def test_a_node_that_breaks_off_is_called_gone(tmp_path, said):
    with (
        listening(tmp_path, lambda channel: channel.sendall(said)),
        pytest.raises(NodeGone, match="see its log"),
    ):
        ask(tmp_path, "turn")


def test_a_folder_of_another_user_is_called_that(tmp_path, monkeypatch):
    def denied(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("os.open", denied)
    with pytest.raises(NotYours, match="ask as the user who runs it"):
        ask(tmp_path, "turn")


def test_a_node_that_starts_says_so_to_every_verb(tmp_path):
    with controlled(tmp_path, verbs_at_start()):
        for verb in ("network", "standing", "turn", "join", "leave"):
            with pytest.raises(NodeRefused, match="starting its enclaves") as error:
                ask(tmp_path, verb)
            assert error.value.code == "NODE_STARTS"


def test_a_defect_is_named_without_its_words_and_the_socket_serves_on(tmp_path, capfd):
    async def breaks(_: object) -> dict[str, Json]:
        raise ValueError("a secret")

    async def full(_: object) -> dict[str, Json]:
        raise OSError(28, "No space left on device")

    async def works(_: object) -> dict[str, Json]:
        return {"long": "x" * 40_000}

    with controlled(tmp_path, {"breaks": breaks, "full": full, "works": works}):
        for verb, kind in (("breaks", "ValueError"), ("full", "OSError")):
            with pytest.raises(
                NodeRefused, match=rf"a defect of ours, builtins.{kind} at node/"
            ) as error:
                ask(tmp_path, verb)
            assert (error.value.code, "secret" in str(error.value)) == ("DEFECT", False)
        with pytest.raises(NodeGone):
            ask(tmp_path, "works", pad="y" * MAX_LINE_BYTES)
        assert len(str(ask(tmp_path, "works")["long"])) == 40_000
    assert "secret" not in "".join(capfd.readouterr())
