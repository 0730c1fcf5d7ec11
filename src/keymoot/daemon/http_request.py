"""One request of HTTP/1.1 (RFC 9112), out of bytes as they come; no socket, no clock.

A subset on purpose: one form for each thing, and everything has a most. Whoever is on the other
side of the socket may be an agent that somebody else's text has turned.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from keymoot.daemon.errors import BadRequest

MAX_HEAD_BYTES = 16_384
MAX_HEADERS = 64
MAX_BODY_BYTES = 1_048_576
"""What ROFL's daemon reads of a JSON body, too."""

_MAX_CHUNK_LINE = 128
_END = b"\r\n\r\n"
_LINE = re.compile(rb"([A-Z]{1,16}) (/[!-~]{0,4095}) HTTP/1\.([01])")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}):[ \t]*([ -~\t]*)")
_LENGTH = re.compile(r"[0-9]{1,8}")
_CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})(?:[ \t]*;[ -~\t]*)?")
_ONCE = frozenset({"host", "content-length", "transfer-encoding", "content-type", "expect"})


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """A whole request.

    Attributes:
        method: Such as GET.
        path: From the first slash to the question mark, as it was written.
        query: What follows the question mark.
        headers: By name in lower case; fields of one name are joined with a comma.
        body: At most `MAX_BODY_BYTES`.
        stays: Whether the connection waits for another request.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    stays: bool


@dataclass(frozen=True, slots=True)
class _Head:
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    stays: bool
    length: int | None
    """Bytes of the body; None: it comes in chunks."""

    def with_body(self, body: bytes) -> HttpRequest:
        return HttpRequest(self.method, self.path, self.query, self.headers, body, self.stays)


class RequestReader:
    """Reads requests that follow each other on one connection.

    Attributes:
        continues: The other side waits to be told that it may send its body; whoever tells it
            sets this back.
    """

    def __init__(self) -> None:
        self._raw, self._head, self._chunks = bytearray(), _NO_HEAD, _Chunks()
        self.continues = False

    @property
    def empty(self) -> bool:
        """Whether nothing of a next request has come."""
        return self._head is _NO_HEAD and not self._raw

    def give(self, raw: bytes) -> HttpRequest | None:
        """Take what came, at most a few kilobytes at once; give a request once it is whole.

        What follows it is kept: give nothing to get the next one.

        Raises:
            BadRequest: and nothing more can be read on this connection.
        """
        self._raw += raw
        if self._head is _NO_HEAD:
            end = self._raw.find(_END, 0, MAX_HEAD_BYTES + len(_END))
            if end < 0:
                if len(self._raw) > MAX_HEAD_BYTES:
                    raise BadRequest(f"a head has at most {MAX_HEAD_BYTES} bytes", 431)
                return None
            head = _read_head(bytes(self._raw[:end]))
            self._head, self._chunks = head, _Chunks()
            del self._raw[: end + len(_END)]
            self.continues = "expect" in head.headers and head.length != 0
        body = self._body(self._head)
        if body is None:
            return None
        request, self._head = self._head.with_body(body), _NO_HEAD
        self.continues = False
        return request

    def _body(self, head: _Head) -> bytes | None:
        if head.length is None:
            return self._chunks.read(self._raw)
        if len(self._raw) < head.length:
            return None
        body = bytes(self._raw[: head.length])
        del self._raw[: head.length]
        return body


_NO_HEAD = _Head("", "", "", {}, stays=False, length=0)


def _read_head(raw: bytes) -> _Head:
    # 1. Request line: origin form alone, for there is no proxy here.
    first, *lines = raw.split(b"\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise BadRequest("a request begins with METHOD /path HTTP/1.1")
    path, _, query = line[2].decode("ascii").partition("?")
    # 2. Header fields, none of them folded.
    headers = _read_headers(lines)
    old = line[3] == b"0"
    if not old and "host" not in headers:
        raise BadRequest("a request of HTTP/1.1 names its host")
    # 3. How long the body is: said in one way.
    length: int | None = 0
    if "transfer-encoding" in headers:
        if old or "content-length" in headers:
            raise BadRequest("a body's length is said in one way, and chunks are of HTTP/1.1")
        if headers["transfer-encoding"].lower() != "chunked":
            raise BadRequest("a body comes whole, or in chunks", 501)
        length = None
    elif "content-length" in headers:
        if _LENGTH.fullmatch(headers["content-length"]) is None:
            raise BadRequest("Content-Length is a number of at most eight digits")
        length = int(headers["content-length"])
        if length > MAX_BODY_BYTES:
            raise BadRequest(f"a body has at most {MAX_BODY_BYTES} bytes, got {length}", 413)
    if headers.get("expect", "100-continue").lower() != "100-continue":
        raise BadRequest("of expectations 100-continue is met", 417)
    # 4. Whether more follows.
    wishes = [wish.strip() for wish in headers.get("connection", "").lower().split(",")]
    stays = "close" not in wishes and not (old and "keep-alive" not in wishes)
    return _Head(line[1].decode("ascii"), path, query, headers, stays, length)


def _read_headers(lines: list[bytes]) -> dict[str, str]:
    if len(lines) > MAX_HEADERS:
        raise BadRequest(f"a request has at most {MAX_HEADERS} header fields", 431)
    headers: dict[str, str] = {}
    for line in lines:
        field = _HEADER.fullmatch(line)
        if field is None:
            raise BadRequest("a header field is a name, a colon and printable ASCII")
        name, value = field[1].decode("ascii").lower(), field[2].decode("ascii").strip(" \t")
        if name in headers:
            if name in _ONCE:
                raise BadRequest(f"{name} stands there twice")
            value = f"{headers[name]}, {value}"
        headers[name] = value
    return headers


class _Chunks:
    """A body in chunks (RFC 9112, section 7.1); trailers are refused."""

    def __init__(self) -> None:
        self._body, self._left = bytearray(), 0
        self._ends = False
        """The next line is the empty one behind a chunk."""
        self._last = False
        """That chunk was the last one."""

    def read(self, raw: bytearray) -> bytes | None:
        """Take chunks from the front; give the body once its last one is there."""
        while True:
            taken = raw[: self._left]
            self._body += taken
            self._left -= len(taken)
            del raw[: len(taken)]
            line = None if self._left else _line(raw)
            if line is None:
                return None
            if not self._ends:
                self._begin(line)
            elif line:
                raise BadRequest("a chunk is longer than it says, or trailers follow")
            elif self._last:
                return bytes(self._body)
            self._ends = not self._ends

    def _begin(self, line: bytes) -> None:
        size = _CHUNK.fullmatch(line)
        if size is None:
            raise BadRequest("a chunk begins with its length in hex")
        self._left = int(size[1], 16)
        self._last = not self._left
        if len(self._body) + self._left > MAX_BODY_BYTES:
            raise BadRequest(f"a body has at most {MAX_BODY_BYTES} bytes", 413)


def _line(raw: bytearray) -> bytes | None:
    end = raw.find(b"\r\n", 0, _MAX_CHUNK_LINE)
    if end < 0:
        if len(raw) >= _MAX_CHUNK_LINE:
            raise BadRequest("the line before a chunk is too long")
        return None
    line = bytes(raw[:end])
    del raw[: end + 2]
    return line
