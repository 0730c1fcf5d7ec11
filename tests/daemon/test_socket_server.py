"""HTTP on a UNIX socket: who may ask, how much at once, and what is left behind."""

import os
import shutil
import socket
import stat
import subprocess
import threading
from contextlib import closing, suppress
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from keymoot.daemon import socket_server
from keymoot.daemon.errors import AlreadyServed, NotCreatable
from keymoot.daemon.http_response import HttpResponse
from keymoot.daemon.run import Sockets
from keymoot.daemon.socket_server import MAX_CONNECTIONS, SocketServer, listening, peer_of

PATIENCE_SECONDS = 240


class Unix(HTTPConnection):
    """http.client over a UNIX socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE_SECONDS)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE_SECONDS)
        self.sock.connect(str(self.path))


def get(path, target="/rofl/v1/app/id"):
    with closing(Unix(path)) as connection:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()


def raw(path, content):
    """Send bytes, and give all that comes until the other side closes."""
    with socket.socket(socket.AF_UNIX) as way:
        way.settimeout(PATIENCE_SECONDS)
        way.connect(str(path))
        found = b""
        # Whoever is hung up on may learn it by an error.
        with suppress(BrokenPipeError):
            way.sendall(content)
        with suppress(ConnectionResetError):
            while piece := way.recv(65_536):
                found += piece
        return found


def test_both_sockets_answer_everything_and_only_their_user_may_ask(asking, served):
    beside = served.with_name("dstack.sock")
    for path in (served, beside):
        found = path.stat()
        assert stat.S_ISSOCK(found.st_mode)
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, os.geteuid())
        assert get(path)[0] == 200
        assert get(path, "/Version")[0] == 200
    assert sorted(one.name for one in served.parent.iterdir()) == ["dstack.sock", "rofl.sock"]


def test_a_connection_carries_many_requests(served):
    with closing(Unix(served)) as connection:
        for body in (b'{"path": "a"}', b"", b"x" * 70_000):
            connection.request("POST", "/GetKey", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            assert answer.getheader("Cache-Control") == "no-store"
            assert answer.status == (400 if body[:1] == b"x" else 200)
            answer.read()
        assert connection.sock is not None


def test_two_requests_at_once_are_answered_in_turn(served):
    one = b"GET /rofl/v1/app/id HTTP/1.1\r\nHost: x\r\n"
    told = raw(served, one + b"\r\n" + one + b"Connection: close\r\n\r\n")
    assert told.count(b"HTTP/1.1 200 OK") == 2


def test_who_waits_to_be_told_is_told(served):
    with socket.socket(socket.AF_UNIX) as way:
        way.settimeout(PATIENCE_SECONDS)
        way.connect(str(served))
        head = b"POST /Version HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        way.sendall(head)
        assert way.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        way.sendall(b"{}")
        assert way.recv(4_096).startswith(b"HTTP/1.1 200")


def test_nonsense_is_refused_and_the_connection_ends(served):
    assert raw(served, b"\x16\x03\x01\x00\r\n\r\n").startswith(b"HTTP/1.1 400 ")
    big = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999\r\n\r\n"
    assert raw(served, big).startswith(b"HTTP/1.1 413 ")


def test_who_is_slow_is_not_waited_for(served, monkeypatch):
    monkeypatch.setattr(socket_server, "HEAD_SECONDS", 0.05)
    assert raw(served, b"GET / HT").startswith(b"HTTP/1.1 408 ")
    monkeypatch.setattr(socket_server, "IDLE_SECONDS", 0.05)
    assert raw(served, b"") == b""


def test_the_kernel_says_who_asks():
    first, second = socket.socketpair(socket.AF_UNIX)
    with first, second:
        assert peer_of(first) == os.geteuid()


def test_another_user_is_hung_up_on(served, monkeypatch):
    monkeypatch.setattr(socket_server, "peer_of", lambda connection: os.geteuid() + 1)
    assert raw(served, b"GET /rofl/v1/app/id HTTP/1.1\r\nHost: x\r\n\r\n") == b""


ANYONES_PYTHON = shutil.which("python3", path="/usr/bin:/bin")
"""One that other users may run, too."""


@pytest.mark.skipif(os.geteuid() != 0 or not ANYONES_PYTHON, reason="only root becomes another")
def test_root_is_another_user_where_the_agent_is_one(asking):
    """The agent's user may ask; root, who could, is hung up on all the same."""
    with TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # which others may enter, as /run
        path = Path(folder) / "s"
        server = SocketServer(lambda request: HttpResponse(200), 65_534, asking.said.append)
        server.open(path)
        found = path.stat()
        assert (stat.S_IMODE(found.st_mode), found.st_uid) == (0o600, 65_534)
        try:
            _asked_by_three(path)
        finally:
            server.close()


def _asked_by_three(path):
    ask = "import socket,sys;w=socket.socket(socket.AF_UNIX);w.connect(sys.argv[1]);"
    ask += "w.sendall(b'GET / HTTP/1.0\\r\\n\\r\\n');print(len(w.recv(100)))"

    def lengths(**who):
        done = subprocess.run(
            [ANYONES_PYTHON, "-c", ask, str(path)], capture_output=True, text=True, cwd="/", **who
        )
        return int(done.stdout or 0)

    assert lengths(user=65_534, group=65_534, extra_groups=()) > 0
    assert lengths() == 0
    assert lengths(user=65_533, group=65_533, extra_groups=()) == 0


def test_there_is_a_most_of_connections(tmp_path):
    waiting, go = threading.Semaphore(0), threading.Event()

    def answer(request):
        waiting.release()
        go.wait(PATIENCE_SECONDS)
        return HttpResponse(200)

    server = SocketServer(answer, os.geteuid(), lambda error: None)
    path = tmp_path / "s"
    server.open(path)
    held = []
    try:
        for _ in range(MAX_CONNECTIONS):
            way = socket.socket(socket.AF_UNIX)
            way.settimeout(PATIENCE_SECONDS)
            way.connect(str(path))
            way.sendall(b"GET / HTTP/1.0\r\n\r\n")
            held.append(way)
            assert waiting.acquire(timeout=PATIENCE_SECONDS)
        assert raw(path, b"").startswith(b"HTTP/1.1 503 ")
        go.set()
        for way in held:
            assert way.recv(100).startswith(b"HTTP/1.1 200")
    finally:
        go.set()
        for way in held:
            way.close()
        server.close()


def test_a_defect_is_a_500_without_words_and_is_told_of(asking, served, monkeypatch):
    def broken(name, kind=None):
        raise RuntimeError("the secret is 0x1234")

    monkeypatch.setattr(asking.instance, "derive", broken)
    with closing(Unix(served)) as connection:
        connection.request("POST", "/GetKey", b"{}")
        answer = connection.getresponse()
        assert (answer.status, b"0x1234" in answer.read()) == (500, False)
    (said,) = asking.said
    assert "RuntimeError" in said
    assert "0x1234" not in said
    assert get(served)[0] == 200


def test_what_a_killed_daemon_left_is_replaced_and_a_living_one_is_not(asking, tmp_path):
    path = tmp_path / "s"
    left = listening(path, os.geteuid())
    with pytest.raises(AlreadyServed, match="something answers"):
        listening(path, os.geteuid())
    left.close()
    assert path.exists()
    listening(path, os.geteuid()).close()


def test_a_file_in_the_place_stays(tmp_path):
    path = tmp_path / "s"
    path.write_text("mine")
    with pytest.raises(NotCreatable, match="is no socket"):
        listening(path, os.geteuid())
    assert path.read_text() == "mine"


@pytest.mark.parametrize("name", ["missing/s", "x" * 120])
def test_where_none_can_be_made_it_says_what_to_do(tmp_path, name):
    with pytest.raises(NotCreatable, match=r"--socket|at most"):
        listening(tmp_path / name, os.geteuid())
    assert list(tmp_path.iterdir()) == []


def test_sockets_are_gone_after_and_anothers_are_not(asking, tmp_path):
    sockets = Sockets.at(tmp_path / "r.sock")
    with asking.daemon.serving(sockets):
        sockets.rofl.unlink()
        sockets.rofl.write_text("another's")
    assert [one.name for one in tmp_path.iterdir()] == ["r.sock"]


def test_where_the_second_socket_cannot_be_made_the_first_is_taken_away(asking, tmp_path):
    (tmp_path / "dstack.sock").write_text("in the way")
    with pytest.raises(NotCreatable), asking.daemon.serving(Sockets.at(tmp_path / "r.sock")):
        raise AssertionError
    assert [one.name for one in tmp_path.iterdir()] == ["dstack.sock"]


def test_where_no_thread_is_free_one_connection_is_lost_and_no_other(served, monkeypatch):
    """An agent may use up all processes of its machine, and let go of them again."""
    start, refused = threading.Thread.start, []

    def none_free(thread):
        if thread.name == "connection" and len(refused) < 2 * MAX_CONNECTIONS:
            refused.append(thread)
            raise RuntimeError("can't start new thread")
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", none_free)
    for _ in range(2 * MAX_CONNECTIONS):
        with suppress(OSError):
            raw(served, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert get(served)[0] == 200
