"""What an agent sends to its daemon: HTTP, JSON of each call, CBOR of ROFL's clients."""

import json

import cbor2
import h11

from keymoot.daemon.cbor import decode, encode
from keymoot.daemon.errors import BadRequest
from keymoot.daemon.http_request import HttpRequest, RequestReader
from tests.daemon.conftest import Asking
from tests.daemon.instance import MemoryInstance
from tests.fuzz.target import Target

HEAD = b"POST /rofl/v1/keys/generate?a HTTP/1.1\r\nHost: x\r\n"
REQUESTS = [
    b"GET /Info HTTP/1.1\r\nHost: x\r\n\r\n",
    HEAD + b"Content-Length: 4\r\nConnection: close\r\n\r\nbody",
    HEAD + b"Transfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0\r\n\r\n",
    HEAD + b"Expect: 100-continue\r\nContent-Length: 1\r\n\r\n0",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
]


def as_h11(raw: bytes) -> tuple[str, bytes] | None:
    """Give method and body of the first request as h11 reads it; None: it reads none."""
    connection, body = h11.Connection(h11.SERVER), b""
    connection.receive_data(raw)
    try:
        event = connection.next_event()
        if not isinstance(event, h11.Request):
            return None
        while isinstance(piece := connection.next_event(), h11.Data):
            body += bytes(piece.data)
    except h11.RemoteProtocolError:
        return None
    return (event.method.decode(), body) if isinstance(piece, h11.EndOfMessage) else None


def check_http(raw: bytes) -> None:
    """What is taken h11 takes too, however it comes; a byte at a time it is the same."""
    try:
        found = RequestReader().give(raw)
    except BadRequest:
        found = None
    if found is not None:
        assert as_h11(raw) == (found.method, found.body)
    reader, first = RequestReader(), None
    try:
        for at in range(len(raw)):
            first = first or reader.give(raw[at : at + 1])
    except BadRequest:
        pass
    assert first == found
    if found is None:
        raise BadRequest("no request")


def check_cbor(raw: bytes) -> None:
    """There is one form, and cbor2 reads the same of it."""
    found = decode(raw)
    assert encode(found) == raw
    assert cbor2.loads(raw) == found


ASKING = Asking(MemoryInstance())
CALLS = [
    (method, path) for path, methods in ASKING.daemon.router.paths.items() for method in methods
]
ETH = {"kind": "eth", "data": {"gas_limit": 1, "to": "0a" * 20, "value": "1", "data": "ff"}}
STD = {"call": {"method": "evm.Call", "body": {"address": b"a" * 20, "value": b"", "data": b""}}}
BODIES = [
    {"key_id": "a", "kind": "ed25519"},
    {"tx": ETH, "encrypt": True},
    {"tx": {"kind": "std", "data": encode(STD | {"ai": {"fee": {"gas": 1}}}).hex()}},
    {"method": "rofl.App", "args": "a0"},
    {"path": "a", "purpose": "b", "algorithm": "k256"},
    {"domain": "a", "algorithm": "ed25519"},
    {"report_data": "00", "hash_algorithm": "sha512", "prefix": "a"},
    {"event": "a", "payload": "00"},
    {"subject": "a", "alt_names": ["b"], "usage_ra_tls": True, "not_before": 1, "not_after": 9},
    {"algorithm": "ed25519", "data": "00", "signature": "00" * 64, "public_key": "00" * 32},
    {"message": "a", "idempotencyKey": "b"},
    {"transaction": {"to": "0x" + "0a" * 20, "value": 1}},
    {"reportData": "0x00"},
]


def check_call(raw: bytes) -> None:
    """Each call, whatever its body, is answered; the first byte says which."""
    method, path = CALLS[raw[0] % len(CALLS)] if raw else CALLS[0]
    request = HttpRequest(method, path, "", {}, raw[1:], stays=True)
    answer = ASKING.daemon.router.answer(request)
    assert answer.status in (200, 400, 403, 404, 422, 500)
    answer.encode(stays=True)


def call_seeds() -> list[bytes]:
    bodies = [json.dumps(one).encode() for one in BODIES]
    return [bytes([at]) + bodies[at % len(bodies)] for at in range(len(CALLS))]


TARGETS = [
    Target("HTTP of agents", "h11", check_http, lambda: REQUESTS, 10),
    Target("CBOR", "cbor2", check_cbor, lambda: [encode(STD), b"\x19\x01\x00"], 10),
    Target("calls of agents", "no other errors", check_call, call_seeds, 6),
]
