"""Requests of HTTP/1.1 out of pieces of bytes; h11 reads the same of what we take."""

from itertools import pairwise

import h11
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keymoot.daemon.errors import BadRequest
from keymoot.daemon.http_request import MAX_BODY_BYTES, MAX_HEAD_BYTES, MAX_HEADERS, RequestReader

GET = b"GET /a/b?c=d HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\nbody"
CHUNKED = b"PUT /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"


def read(raw: bytes):
    return RequestReader().give(raw)


def test_reads_a_request():
    found = read(GET)
    assert (found.method, found.path, found.query, found.body) == ("GET", "/a/b", "c=d", b"")
    assert (found.headers, found.stays) == ({"host": "x"}, True)


@given(st.lists(st.integers(0, 200), max_size=8))
def test_pieces_make_the_same_request(cuts):
    raw = CHUNKED + b"3;x=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n" + POST
    reader, found = RequestReader(), []
    edges = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    for begin, end in pairwise(edges):
        one = reader.give(raw[begin:end])
        while one is not None:
            found.append((one.method, one.body))
            one = reader.give(b"")
    assert found == [("PUT", b"abc0123456789"), ("POST", b"body")]
    assert reader.empty


def test_waits_for_the_whole_of_it():
    for end in range(len(POST)):
        assert read(POST[:end]) is None


@pytest.mark.parametrize(
    ("raw", "stays"),
    [
        (GET, True),
        (GET.replace(b"Host", b"Connection: close\r\nHost"), False),
        (GET.replace(b"Host", b"Connection: Keep-Alive, Close\r\nHost"), False),
        (b"GET / HTTP/1.0\r\n\r\n", False),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", True),
    ],
)
def test_a_connection_stays_or_ends(raw, stays):
    assert read(raw).stays is stays


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /\r\n\r\n", 400),
        (b"GET / HTTP/2.0\r\n\r\n", 400),
        (b"get / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET /\x80 HTTP/1.1\r\nHost: x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\ny: z\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
        (POST.replace(b": 4", b": +4"), 400),
        (POST.replace(b": 4", b": 4, 4"), 400),
        (POST.replace(b": 4", b": 0x4"), 400),
        (POST.replace(b"Content-Length: 4", b"Content-Length: 4\r\nContent-Length: 4"), 400),
        (POST.replace(b": 4", b": %d" % (MAX_BODY_BYTES + 1)), 413),
        (CHUNKED.replace(b"chunked", b"gzip, chunked"), 501),
        (CHUNKED.replace(b"chunked", b"identity"), 501),
        (CHUNKED.replace(b"Host: x", b"Host: x\r\nContent-Length: 1"), 400),
        (CHUNKED.replace(b"1.1", b"1.0"), 400),
        (CHUNKED + b"g\r\n", 400),
        (CHUNKED + b"2\r\nabc\r\n", 400),
        (CHUNKED + b"1" * 200, 400),
        (CHUNKED + b"0\r\nTrailer: x\r\n\r\n", 400),
        (CHUNKED + b"%x\r\n" % (MAX_BODY_BYTES + 1), 413),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * MAX_HEADERS + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: " + b"x" * MAX_HEAD_BYTES, 431),
        (POST.replace(b"Host: x", b"Host: x\r\nExpect: more"), 417),
    ],
)
def test_refuses_what_is_no_request(raw, status):
    with pytest.raises(BadRequest) as caught:
        read(raw)
    assert caught.value.status == status


def test_tells_who_waits_to_be_told_that_he_may_go_on():
    reader = RequestReader()
    head, _, body = POST.partition(b"\r\n\r\n")
    assert reader.give(head + b"\r\nExpect: 100-Continue\r\n\r\n") is None
    assert reader.continues
    assert reader.give(body).body == b"body"
    assert not reader.continues


def test_chunks_have_a_most_together():
    reader = RequestReader()
    reader.give(CHUNKED)
    piece = b"8000\r\n" + bytes(0x8000) + b"\r\n"
    for _ in range(MAX_BODY_BYTES // 0x8000):
        assert reader.give(piece) is None
    with pytest.raises(BadRequest):
        reader.give(b"1\r\n")


WORDS = [
    b"GET ", b"POST ", b"/", b"/a?b", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r", b"Host: x",
    b"Content-Length: 3", b"Content-Length: 0", b"Transfer-Encoding: chunked", b"Connection: close",
    b"abc", b"3", b"0", b":", b" ", b"\t", b"\x00", b"\xff", b"Expect: 100-continue", b"X-Y:z",
]  # fmt: skip


def as_h11(raw: bytes):
    """Give method, target and body as h11 reads them, or None."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(raw)
    try:
        event, body = connection.next_event(), b""
        if not isinstance(event, h11.Request):
            return None
        while isinstance(piece := connection.next_event(), h11.Data):
            body += bytes(piece.data)
    except h11.RemoteProtocolError:
        return None
    whole = isinstance(piece, h11.EndOfMessage)
    return (event.method.decode(), event.target.decode(), body) if whole else None


@given(st.lists(st.sampled_from(WORDS), max_size=24))
@example([GET])
@example([POST])
@example([CHUNKED, b"3\r\nabc\r\n0\r\n\r\n"])
def test_what_is_taken_h11_reads_alike(words):
    raw = b"".join(words)
    try:
        found = read(raw)
    except BadRequest:
        return
    if found is not None:
        target = found.path + (f"?{found.query}" if b"?" in raw.split(b"\r\n")[0] else "")
        assert as_h11(raw) == (found.method, target, found.body)
