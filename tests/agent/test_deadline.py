"""An exchange ends at its deadline, whatever the other side does with it."""

import http.client
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from typing import Any

import pytest

from keymoot.agent.deadline import MAX_ADDRESSES, connect, left
from keymoot.agent.errors import NetworkUnreachable, WrongAnswer
from keymoot.agent.transport import MAX_REPLY_BYTES, ConnectionLost, Transport
from keymoot.base.errors import KeymootError

SECONDS = 0.3
AT_ALL = 60.0
"""Seconds by which it has ended on any machine; what these servers say has no end."""

Speaks = Callable[[socket.socket, threading.Event], None]


@pytest.fixture
def over() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


@pytest.fixture
def served(over: threading.Event) -> Iterator[Callable[[Speaks], str]]:
    """Serve connections with whatever a test lets them say."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def begin(speaks: Speaks) -> str:
            def accept() -> None:
                with suppress(OSError):
                    while True:
                        connection, _ = server.accept()
                        threading.Thread(target=serve, args=(connection,), daemon=True).start()

            def serve(connection: socket.socket) -> None:
                with closing(connection), suppress(OSError):
                    read_request(connection)
                    speaks(connection, over)
                    hang_up(connection)

            threading.Thread(target=accept, daemon=True).start()
            return f"http://127.0.0.1:{server.getsockname()[1]}"

        yield begin
        server.shutdown(socket.SHUT_RDWR)


def read_request(connection: socket.socket) -> None:
    """Read head and body to the end: closing before that resets the connection for both."""
    with connection.makefile("rb") as file:
        file.readline()
        headers = http.client.parse_headers(file)
        file.read(int(headers.get("Content-Length", 0)))


def hang_up(connection: socket.socket) -> None:
    """Let the other side read all that was said before the connection goes."""
    connection.shutdown(socket.SHUT_WR)
    while connection.recv(65_536):
        pass


def drips(text: bytes) -> Speaks:
    """Say the same again and again, a byte at a time, for as long as anybody listens."""

    def speaks(connection: socket.socket, over: threading.Event) -> None:
        while True:
            for at in text:
                if over.wait(0.02):
                    return
                connection.sendall(bytes([at]))

    return speaks


def floods(text: bytes) -> Speaks:
    def speaks(connection: socket.socket, over: threading.Event) -> None:
        while not over.is_set():
            connection.sendall(text)

    return speaks


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"


@pytest.mark.parametrize(
    "speaks",
    [
        drips(b"HTTP/1.1 200 OK\r\nX: y\r\n"),
        drips(HEAD),
        floods(b"HTTP/1.1 100 Continue\r\n\r\n"),
        floods(b"HTTP/1.1 102 Processing\r\n\r\n"),
        lambda _, over: over.wait(),
        lambda connection, over: (connection.sendall(HEAD + b"{"), over.wait()),
    ],
    ids=["headers", "body", "continue", "processing", "silence", "half"],
)
def test_no_way_of_speaking_outlives_it(served: Callable[[Speaks], str], speaks: Speaks) -> None:
    way, begun = Transport(served(speaks)), time.monotonic()
    with pytest.raises(KeymootError):
        way.call("keymoot_ask", [], SECONDS)
    assert time.monotonic() - begun < AT_ALL


def test_a_name_with_many_silent_addresses_is_one_node(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    class Silent(socket.socket):
        def connect(self, where: Any) -> None:
            waited.append(self.gettimeout() or 0)
            raise TimeoutError("timed out")

    # Only their silence takes time.
    monkeypatch.setattr(time, "monotonic", lambda: sum(waited))
    one = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("192.0.2.1", 80))
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [one] * 40)
    monkeypatch.setattr(socket, "socket", Silent)
    with pytest.raises(NetworkUnreachable, match="timed out"):
        Transport("http://many.example").call("keymoot_ask", [], SECONDS)
    assert len(waited) == MAX_ADDRESSES
    assert sum(waited) == pytest.approx(SECONDS)


def test_an_address_that_is_silent_leaves_time_for_the_next(
    served: Callable[[Speaks], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = served(lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n"))
    port = int(url.rpartition(":")[2])
    where = [("127.0.0.1", 1), ("127.0.0.1", port)]
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in where]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    connection = http.client.HTTPConnection("two.example")
    connect(connection, time.monotonic() + 20)
    assert connection.sock.getpeername() == where[1]
    connection.close()


def test_nothing_is_left_of_what_is_past() -> None:
    assert 0 < left(time.monotonic() + 1) <= 1
    with pytest.raises(TimeoutError):
        left(time.monotonic())


def test_an_answer_that_ends_midway_is_lost(served: Callable[[Speaks], str]) -> None:
    url = served(lambda connection, _: connection.sendall(HEAD + b"{"))
    with pytest.raises(ConnectionLost, match="in the middle of its answer"):
        Transport(url).call("keymoot_ask", [], 20)


LONG = b"[" + b"[]," * MAX_REPLY_BYTES + b"[]]"


@pytest.mark.parametrize(
    "speaks",
    [
        lambda connection, _: connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n" + LONG),
        lambda connection, over: (
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(LONG)),
            over.wait(),
        ),
    ],
    ids=["what was read", "what was announced"],
)
def test_an_answer_to_a_request_is_short(served: Callable[[Speaks], str], speaks: Speaks) -> None:
    way = Transport(served(speaks))
    for ask in (lambda: way.call("keymoot_ask", [], 20), lambda: way.get("/shares/0x", 20)):
        with pytest.raises(WrongAnswer, match=f"longer than {MAX_REPLY_BYTES} bytes"):
            ask()
