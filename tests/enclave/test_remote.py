"""An enclave's reads over a socket: honest answers, and everything else."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager

import pytest

from keymoot.base import rlp
from keymoot.base.units import Height
from keymoot.enclave.remote import BrokenRead, Remote
from keymoot.store.questions import MAX_ENTRY_ANSWER_BYTES, MAX_PATH_ANSWER_BYTES

Answer = Callable[[bytes], bytes | None]


def framed(item: rlp.Item) -> bytes:
    payload = rlp.encode(item)
    return len(payload).to_bytes(4, "big") + payload


@contextmanager
def host(answer: Answer) -> Iterator[Remote]:
    """Answer questions by a function, which gives None to end the channel."""
    near, far = socket.socketpair()

    def run() -> None:
        with closing(far):
            while head := far.recv(4, socket.MSG_WAITALL):
                given = answer(far.recv(int.from_bytes(head, "big"), socket.MSG_WAITALL))
                if given is None:
                    return
                far.sendall(given)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield Remote(near)
    finally:
        near.close()
        thread.join()


def test_each_question_has_its_answer() -> None:
    asked = []

    def answer(raw: bytes) -> bytes:
        fields = rlp.decode(raw)
        asked.append(fields)
        return framed([[b"\7"], [], [b"long" * 40_000], [b"one", b"two"]][len(asked) - 1])

    with host(answer) as remote:
        assert remote.newest() == 7
        table = remote.table(Height(5))
        assert table.get(b"key") is None
        assert table.get(b"blob") == b"long" * 40_000
        assert table.path(b"a", b"\1\2\3", 1) == [b"one", b"two"]
    assert asked == [[], [b"\5", b"key"], [b"\5", b"blob"], [b"\5", b"a", b"\1\2\3", b"\1"]]


def test_a_host_may_send_its_answer_in_small_parts() -> None:
    near, far = socket.socketpair()
    with closing(near), closing(far):

        def drip() -> None:
            far.recv(100)
            for byte in framed([b"entry"]):
                far.sendall(bytes((byte,)))

        thread = threading.Thread(target=drip)
        thread.start()
        assert Remote(near).table(Height(1)).get(b"key") == b"entry"
        thread.join()


LIES: dict[str, bytes | None] = {
    "the channel ends": None,
    "no list": b"\0\0\0\1\1",
    "no RLP": b"\0\0\0\3\xf8\xff\xff",
    "nothing": b"\0\0\0\0",
    "two entries": framed([b"one", b"two"]),
    "an empty entry": framed([b""]),
    "a list in the list": framed([[b"one"]]),
    "more than an answer": framed([b"one"]) + b"\0",
    "two answers": framed([b"one"]) * 2,
    "too long": (MAX_ENTRY_ANSWER_BYTES + 1).to_bytes(4, "big") + b"x",
    "far too long": b"\xff\xff\xff\xff" + b"x" * 100,
}


@pytest.mark.parametrize("name", LIES)
def test_a_wrong_answer_ends_all_reads(name: str) -> None:
    asked = 0

    def answer(_: bytes) -> bytes | None:
        nonlocal asked
        asked += 1
        return LIES[name]

    with host(answer) as remote:
        with pytest.raises(BrokenRead) as first:
            remote.table(Height(1)).get(b"key")
        with pytest.raises(BrokenRead) as again:
            remote.newest()
        assert again.value is first.value
    assert asked == 1


def test_no_more_nodes_than_a_path_has() -> None:
    with host(lambda _: framed([b"1", b"2", b"3", b"4"])) as remote, pytest.raises(BrokenRead):
        remote.table(Height(1)).path(b"a", b"\1\2\3", 1)
    long = (MAX_PATH_ANSWER_BYTES + 1).to_bytes(4, "big")
    with host(lambda _: long) as remote, pytest.raises(BrokenRead, match="bytes"):
        remote.table(Height(1)).path(b"a", bytes(64), 0)


@pytest.mark.parametrize("item", [[b"\0"], [b"\1" * 9], [b"\1", b"\1"], b"\1"])
def test_a_height_is_a_number(item: rlp.Item) -> None:
    with host(lambda _: framed(item)) as remote, pytest.raises(BrokenRead):
        remote.newest()


def test_an_error_shows_nothing_of_what_was_read() -> None:
    with host(lambda _: framed([b"secret", b"secret"])) as remote:
        with pytest.raises(BrokenRead) as raised:
            remote.table(Height(1)).get(b"hidden")
        assert "secret" not in str(raised.value)
        assert "hidden" not in str(raised.value)
