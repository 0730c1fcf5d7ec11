"""Queries beside blocks: they stand still while anything else is answered, and end in time."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from keymoot.base import rlp
from keymoot.base.units import Height
from keymoot.enclave import frames, messages, process, query_thread
from keymoot.enclave.queries import QueryStopped, Watch
from keymoot.enclave.query_thread import MAX_WAITING, QueriesWait, QueryThread
from keymoot.runtime.asked import QueryResult

PATIENCE_SECONDS = 60


class Spinning:
    """A query that runs until it is told to end."""

    def __init__(self, watch_calls: int | None = None) -> None:
        self.steps, self.left = 0, watch_calls
        self.ended = threading.Event()
        self.stopped = False
        self.enough = False

    def __call__(self, watch: Watch) -> None:
        try:
            while not self.enough:
                watch()
                self.steps += 1
        except QueryStopped:
            self.stopped = True
        self.ended.set()

    def moves(self) -> bool:
        """Tell whether it gets on within a while."""
        before, end = self.steps, time.monotonic() + PATIENCE_SECONDS
        while self.steps == before and time.monotonic() < end:
            time.sleep(0.001)
        return self.steps > before


def test_a_query_stands_still_while_something_else_is_answered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(query_thread, "QUERY_SECONDS", PATIENCE_SECONDS)
    aside, spinning = QueryThread(), Spinning()
    aside.put(spinning)
    assert spinning.moves()
    with aside.makes_way():
        # The step that it has begun it ends, late or soon; then it waits, however long this takes.
        before = spinning.steps
        time.sleep(0.2)
        assert spinning.steps <= before + 1
    assert spinning.moves()
    spinning.enough = True
    assert spinning.ended.wait(PATIENCE_SECONDS)


def test_a_query_ends_in_time_even_while_it_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(query_thread, "QUERY_SECONDS", 0.2)
    aside, spinning = QueryThread(), Spinning()
    with aside.makes_way():
        aside.put(spinning)
        assert spinning.ended.wait(PATIENCE_SECONDS)
    assert spinning.stopped
    free = Spinning()
    aside.put(free)
    assert free.ended.wait(PATIENCE_SECONDS)
    assert free.stopped
    assert free.steps


def test_queries_that_wait_are_few() -> None:
    aside, first = QueryThread(), Spinning()
    aside.put(first)
    assert first.moves()
    waiting = [Spinning() for _ in range(MAX_WAITING)]
    for one in waiting:
        aside.put(one)
    with pytest.raises(QueriesWait, match="ask again later"):
        aside.put(Spinning())
    for one in (first, *waiting):
        one.enough = True
        assert one.ended.wait(PATIENCE_SECONDS)


class Host:
    """The server's end of an enclave's door, which runs in a thread here."""

    def __init__(self, enclave: object) -> None:
        self.ours, theirs = socket.socketpair()
        self.ours.settimeout(PATIENCE_SECONDS)
        self.theirs = theirs
        arguments = (theirs, enclave, threading.Lock())
        self.thread = threading.Thread(target=process.serve, args=arguments, daemon=True)
        self.thread.start()

    def send(self, number: int, word: str) -> None:
        self.ours.sendall(messages.frame(number, word, b""))

    def read(self) -> tuple[int, str, rlp.Decoded]:
        length = int.from_bytes(self.ours.recv(4, socket.MSG_WAITALL), "big")
        return messages.parse(self.ours.recv(length, socket.MSG_WAITALL))


class Slow:
    """An enclave whose queries take until they are let go; all else is answered at once."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.fails = False

    def handle(self, word: str, body: rlp.Decoded) -> rlp.Item:
        return b"at once"

    def poll(self) -> None: ...

    def query(self, body: rlp.Decoded) -> process.Answering:
        def answer(watch: Watch | None) -> rlp.Item:
            assert self.go.wait(PATIENCE_SECONDS)
            if self.fails:
                raise RuntimeError("the secret is 45")
            return QueryResult(Height(3), b"later").item()

        return answer


@pytest.fixture
def slow() -> Iterator[tuple[Host, Slow]]:
    enclave = Slow()
    host = Host(enclave)
    yield host, enclave
    enclave.go.set()
    host.ours.close()
    host.thread.join(PATIENCE_SECONDS)
    host.theirs.close()


def test_the_door_answers_while_a_query_runs(slow: tuple[Host, Slow]) -> None:
    host, enclave = slow
    host.send(1, frames.QUERY)
    for number in (2, 3):
        host.send(number, frames.EXECUTE)
        assert host.read() == (number, messages.OK, b"at once")
    enclave.go.set()
    number, word, body = host.read()
    assert (number, word, QueryResult.of_item(body).output) == (1, messages.OK, b"later")


def test_one_too_many_is_refused_at_once(slow: tuple[Host, Slow]) -> None:
    host, enclave = slow
    host.send(1, frames.QUERY)
    for number in range(2, MAX_WAITING + 4):
        host.send(number, frames.QUERY)
    number, word, _ = host.read()
    # The first may have begun already, or not.
    assert word == "BUSY"
    assert number >= MAX_WAITING + 1
    enclave.go.set()
    rest = [host.read() for _ in range(MAX_WAITING + 2)]
    assert sum(one[1] == messages.OK for one in rest) >= MAX_WAITING


def test_what_nobody_foresaw_ends_the_query_and_tells_nothing(slow: tuple[Host, Slow]) -> None:
    host, enclave = slow
    enclave.fails = True
    enclave.go.set()
    host.send(1, frames.QUERY)
    number, word, body = host.read()
    assert (number, word) == (1, "QUERY_FAILED")
    assert b"45" not in rlp.encode(body)
    host.send(2, frames.QUERY)
    assert host.read()[0] == 2
