"""The HTTP client keeps connections, replaces dead ones, and says what went wrong."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest

from keymoot.agent.errors import NetworkBusy, NetworkRefused, NetworkUnreachable, WrongAnswer
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base.errors import Malformed

Reply = Callable[[bytes], bytes | None]

PATIENCE_SECONDS = 240.0
"""How long an answer may take that comes."""


class RawServer:
    """Answers each request with the bytes that a test chooses; None hangs up."""

    def __init__(self, reply: Reply) -> None:
        self.reply = reply
        self.accepted = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            self.accepted += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with closing(connection), connection.makefile("rb") as file:
            while request := file.readline():
                length = 0
                while (line := file.readline()) not in (b"\r\n", b""):
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                answer = self.reply(file.read(length) or request)
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        """Stop to listen."""
        self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


def _http(body: bytes, status: str = "200 OK", extra: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{extra}\r\n".encode() + body


def _result(request: bytes) -> bytes:
    asked = json.loads(request)
    return _http(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": "0x1"}).encode())


@pytest.fixture
def server() -> Iterator[RawServer]:
    """Serve raw answers."""
    made = RawServer(_result)
    yield made
    made.close()


def test_keeps_its_connection(server: RawServer) -> None:
    transport = Transport(server.url)
    assert [transport.call("eth_chainId", [], PATIENCE_SECONDS) for _ in range(4)] == ["0x1"] * 4
    assert server.accepted == 1


def test_replaces_a_kept_connection_that_died(server: RawServer) -> None:
    transport = Transport(server.url)
    assert transport.call("eth_chainId", [], PATIENCE_SECONDS) == "0x1"
    answers: list[Reply] = [lambda _: None, _result]

    def next_answer(request: bytes) -> bytes | None:
        return answers.pop(0)(request)

    server.reply = next_answer
    assert transport.call("eth_chainId", [], PATIENCE_SECONDS) == "0x1"
    assert server.accepted == 2


def test_a_new_connection_that_dies_is_lost(server: RawServer) -> None:
    server.reply = lambda _: None
    with pytest.raises(ConnectionLost):
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)
    assert server.accepted == 1


def test_honours_connection_close(server: RawServer) -> None:
    server.reply = lambda request: _result(request).replace(
        b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"
    )
    transport = Transport(server.url)
    transport.call("eth_chainId", [], PATIENCE_SECONDS)
    transport.call("eth_chainId", [], PATIENCE_SECONDS)
    assert server.accepted == 2


def test_gives_up_in_time(server: RawServer) -> None:
    hang = threading.Event()

    def never(_: bytes) -> None:
        hang.wait(PATIENCE_SECONDS)

    # On a connection that is there: opening one takes longer, now and then.
    transport = Transport(server.url)
    transport.call("eth_chainId", [], PATIENCE_SECONDS)
    server.reply = never
    with pytest.raises(ConnectionLost, match="timed out"):
        transport.call("eth_chainId", [], 0.1)
    hang.set()


def test_nobody_there_is_unreachable() -> None:
    with pytest.raises(NetworkUnreachable, match="keymoot up"):
        Transport("http://127.0.0.1:9").call("eth_chainId", [], 1)


def test_an_error_object_is_raised_with_its_fields(server: RawServer) -> None:
    error = {"code": 4100, "message": "no", "data": {"reason": "NO_RULE"}}
    server.reply = lambda request: _http(
        json.dumps({"jsonrpc": "2.0", "id": json.loads(request)["id"], "error": error}).encode()
    )
    with pytest.raises(NetworkRefused) as caught:
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)
    assert (caught.value.rpc_code, str(caught.value)) == (4100, "no")
    assert caught.value.data == {"reason": "NO_RULE"}


@pytest.mark.parametrize(
    "body",
    [b"<html>", b"[]", b"5", b"{}", b'{"id":0,"result":1}', b"[" * 100_000, b"\xff", b""],
)
def test_what_is_no_answer_is_wrong(server: RawServer, body: bytes) -> None:
    server.reply = lambda _: _http(body)
    with pytest.raises(WrongAnswer):
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)


def test_what_is_no_http_is_lost(server: RawServer) -> None:
    server.reply = lambda _: b"220 mail.example ESMTP\r\n"
    with pytest.raises(ConnectionLost):
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)


def test_says_that_the_network_is_busy(server: RawServer) -> None:
    server.reply = lambda _: _http(b"{}", "429 Too Many Requests")
    with pytest.raises(NetworkBusy):
        Transport(server.url).get("/shares/0x12", PATIENCE_SECONDS)
    error = {"code": -32005, "message": "too many calls: wait a second"}
    server.reply = lambda request: _http(
        json.dumps({"jsonrpc": "2.0", "id": json.loads(request)["id"], "error": error}).encode()
    )
    with pytest.raises(NetworkBusy, match="too many"):
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)


def test_a_batch_is_answered_in_the_order_of_its_calls(server: RawServer) -> None:
    def reversed_batch(request: bytes) -> bytes:
        asked = json.loads(request)
        answers = [{"jsonrpc": "2.0", "id": each["id"], "result": each["method"]} for each in asked]
        return _http(json.dumps(answers[::-1]).encode())

    server.reply = reversed_batch
    assert Transport(server.url).call_all([("a", []), ("b", [1]), ("c", [])], PATIENCE_SECONDS) == [
        "a",
        "b",
        "c",
    ]


def test_one_error_that_answers_a_whole_batch_is_said_as_it_is(server: RawServer) -> None:
    error = {"code": -32005, "message": "too many calls"}
    whole = {"jsonrpc": "2.0", "id": None, "error": error}
    server.reply = lambda _: _http(json.dumps(whole).encode())
    with pytest.raises(NetworkBusy, match="too many calls"):
        Transport(server.url).call_all([("a", []), ("b", [])], PATIENCE_SECONDS)
    for other in ({}, {"error": "x"}, {"result": [1]}, "x", None, 1):
        server.reply = lambda _, other=other: _http(json.dumps(other).encode())
        with pytest.raises(WrongAnswer, match="something else than a list"):
            Transport(server.url).call_all([("a", []), ("b", [])], PATIENCE_SECONDS)


def test_what_is_missing_in_a_batch_is_wrong(server: RawServer) -> None:
    server.reply = lambda _: _http(b"[]")
    with pytest.raises(WrongAnswer):
        Transport(server.url).call_all([("a", [])], PATIENCE_SECONDS)


def test_reads_an_object_or_nothing(server: RawServer) -> None:
    server.reply = lambda _: _http(b'{"status":"bound"}')
    assert Transport(server.url).get("/shares/0x12", PATIENCE_SECONDS) == {"status": "bound"}
    server.reply = lambda _: _http(b"{}", "404 Not Found")
    assert Transport(server.url).get("/shares/0x12", PATIENCE_SECONDS) is None


@pytest.mark.parametrize("url", ["", "127.0.0.1:8645", "ftp://x", "http://", "http://x:port"])
def test_refuses_what_is_no_address(url: str) -> None:
    with pytest.raises(Malformed):
        Transport(url)


def test_closes_what_waits(server: RawServer) -> None:
    transport = Transport(server.url)
    transport.call("eth_chainId", [], PATIENCE_SECONDS)
    transport.close()
    transport.call("eth_chainId", [], PATIENCE_SECONDS)
    assert server.accepted == 2


def test_refuses_an_answer_without_end(server: RawServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keymoot.agent.transport.MAX_ANSWER_BYTES", 10)
    with pytest.raises(WrongAnswer, match="longer than 10"):
        Transport(server.url).call("eth_chainId", [], PATIENCE_SECONDS)


def test_a_node_that_cannot_answer_for_now_says_why(server: RawServer) -> None:
    told = b'{"error": "the node takes nothing new for now"}'
    server.reply = lambda _: _http(told, "503 Service Unavailable")
    with pytest.raises(NetworkRefused, match="takes nothing new") as caught:
        Transport(server.url).get("/shares/0x12", PATIENCE_SECONDS)
    assert caught.value.rpc_code == -32002
    server.reply = lambda _: _http(b"<html>", "503 Service Unavailable")
    with pytest.raises(WrongAnswer, match="no JSON"):
        Transport(server.url).get("/shares/0x12", PATIENCE_SECONDS)
