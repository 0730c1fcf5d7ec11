"""Nodes before one fake network: each honest, or hostile in a way of its own."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import zip_longest
from typing import Any

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from tests.agent.fake_network import FakeNetwork, a_node
from tests.agent.http_server import served
from tests.proof.world import World

Json = Any

DROP_SECONDS = 0.02


class Front:
    """One node's RPC.

    Attributes:
        way: How it behaves; a name of WAYS.
        moods: The ways of its next exchanges, one after the other; None: always the same.
        exchanges: What it was asked, in order: a method's name, or `shares`.
    """

    def __init__(self, network: FakeNetwork, way: str = "honest") -> None:
        self.network, self.way = network, way
        self.moods: Iterator[str] | None = None
        self.exchanges: list[str] = []
        self.url, self.over = "", threading.Event()
        self.old = network.world.committee_bundle().to_json()

    def answer(self, method: str, params: list[Any]) -> Json:
        """Give the whole answer to one call, `result` or `error`."""
        self.exchanges.append(method)
        if self.moods is not None:
            self.way = next(self.moods)
        found = (WAYS | OWNERS_WAYS | QUERY_WAYS)[self.way](self, method, params)
        if found is None:
            try:
                found = self.truth(method, params)
            except Malformed as error:
                found = {"error": {"code": -32602, "message": str(error)}}
        return found

    def truth(self, method: str, params: list[Any]) -> Json:
        """Say what the network says."""
        with self.network.lock:
            if method == "shares":
                return {"result": self.network.share(Hash32.from_hex(params[0]))}
            return self.network.rpc(method, params)


Way = Callable[[Front, str, list[Any]], Json]

_ANSWERING = ("keymoot_ask", "shares")


def _says(answer: Json) -> Way:
    """Answer requests with this, without the network."""
    return lambda _, method, __: answer if method in _ANSWERING else None


def _refuses(reason: str, code: int = 4100) -> Way:
    error = {"code": code, "message": "a lie of the node", "data": {"reason": reason}}

    def way(_: Front, method: str, __: list[Any]) -> Json:
        if method == "keymoot_ask":
            return {"error": error}
        return {"result": {"status": "waiting"}} if method == "shares" else None

    return way


def _changes(change: Callable[[Json], Json]) -> Way:
    """Have the network act, and change what it says."""

    def way(front: Front, method: str, params: list[Any]) -> Json:
        if method not in _ANSWERING:
            return None
        told = front.truth(method, params)
        return {"result": change(told["result"])} if "result" in told else told

    return way


def _shares(change: Callable[[list[Json]], list[Json]]) -> Way:
    def changed(told: Json) -> Json:
        return {**told, "answers": change(told["answers"])} if "answers" in told else told

    return _changes(changed)


def _spoilt(text: str) -> str:
    return text[:-2] + ("00" if text[-2:] != "00" else "11")


def _proofs(lie: Callable[[Front], Json]) -> Way:
    """Lie of the members, and hide answers: so that the members are asked for."""

    def way(front: Front, method: str, _: list[Any]) -> Json:
        return {"result": lie(front)} if method in ("keymoot_committee", "keymoot_cells") else None

    return way


def _claims(told: Json) -> Way:
    """Refuse as one that has the name already, and say this of it."""

    def way(front: Front, method: str, params: list[Any]) -> Json:
        if method == "keymoot_getRequest":
            return {"result": told}
        return _refuses("REQUEST_REUSED")(front, method, params)

    return way


_THIEF = World("thief")
_THIEF.run(range(9))

WAYS: dict[str, Way] = {
    "honest": lambda *_: None,
    # How bytes come.
    "dead": lambda *_: None,
    "hangs": lambda *_: None,
    "closes": lambda *_: None,
    "stops midway": lambda *_: None,
    "drips": lambda *_: None,
    "is a web page": lambda *_: None,
    "is no HTTP": lambda *_: None,
    # What is withheld.
    "withholds": _changes(lambda told: {"status": "bound"}),
    "swallows": _says({"result": {"status": "bound"}}),
    "waits": _says({"result": {"status": "waiting"}}),
    "is full": _refuses("POOL_FULL"),
    "answered long ago": _refuses("ALREADY_ANSWERED"),
    "gives no shares": _shares(lambda _: []),
    # What is a lie.
    "says lost": _changes(
        lambda told: {**told, "answers": [], "lost": True, "custody": "assembly"}
    ),
    "says expired": _says({"result": {"status": "expired"}}),
    "says refused": _says({"result": {"status": "refused"}}),
    "says stopped": _changes(
        lambda told: {
            **told,
            "refusal": {"code": 4100, "message": "a lie", "data": {"reason": "NOT_BOUND"}},
        }
    ),
    "refuses": _refuses("NO_SUCH_CREDENTIAL"),
    "refuses rudely": _refuses("", -32000),
    "says forgotten": _refuses("REQUEST_FORGOTTEN"),
    "says no stock": _refuses("STOCK_EMPTY"),
    "says another network": _refuses("WRONG_NETWORK"),
    "says reused": _claims({"known": True, "method": "x", "asked": "0x" + "11" * 32}),
    "says known": _claims({"known": True}),
    "perhaps": _says({"result": {"status": "perhaps"}}),
    "talks nonsense": lambda *_: {"result": [[{}], None, {"status": []}]},
    "strange types": _says({"result": {"status": ["bound"], "answers": 7, "custody": {}}}),
    "deep": lambda *_: {"result": json.loads("[" * 60 + "]" * 60)},
    "spoils seals": _shares(
        lambda answers: [{**one, "sealed": _spoilt(one["sealed"])} for one in answers]
    ),
    "spoils signatures": _shares(
        lambda answers: [{**one, "signature": _spoilt(one["signature"])} for one in answers]
    ),
    "names a stranger": _shares(
        lambda answers: [{**one, "node": a_node().hex0x} for one in answers]
    ),
    "swaps seats": _shares(
        lambda answers: [
            {**one, "sealed": other["sealed"]}
            for one, other in zip(answers, answers[1:] + answers[:1], strict=True)
        ]
    ),
    "gives the first share": _shares(lambda answers: answers[:1]),
    "gives the last share": _shares(lambda answers: answers[-1:]),
    "says lost but for one": _changes(
        lambda told: {**told, "answers": told.get("answers", [])[1:2], "lost": True}
    ),
    "repeats one share": _shares(lambda answers: answers[:1] * 4),
    "releases nothing": _says({"result": {"status": "released", "node": a_node().hex0x}}),
    "shows another network": _proofs(lambda _: _THIEF.committee_bundle().to_json()),
    "shows an old state": _proofs(lambda front: front.old),
    "hides the members": lambda front, method, _: (
        front.over.wait() and None if method == "keymoot_committee" else None
    ),
    "proves nothing": _proofs(lambda _: {"shown": 1}),
}

_SENDING = "eth_sendRawTransactionSync"
_FIGURES = ("eth_getTransactionCount", "eth_estimateGas")


def _sends(answer: Json, *, acts: bool) -> Way:
    """Answer transactions with this, whether or not they are handed on."""

    def way(front: Front, method: str, params: list[Any]) -> Json:
        if method == "eth_getTransactionReceipt":
            return {"result": answer.get("result")}
        if method != _SENDING:
            return None
        if acts:
            front.truth(method, params)
        return answer

    return way


def _receipt(status: str) -> Json:
    return {"result": {"transactionHash": "0x" + "07" * 32, "blockNumber": "0x2", "status": status}}


def _shows(*methods: str) -> Way:
    """Show what was true when the first of these was asked."""
    kept: dict[str, Json] = {}

    def way(front: Front, method: str, params: list[Any]) -> Json:
        if method not in methods:
            return None
        at = f"{id(front)} {method}" + ("" if method == "eth_call" else f" {params}")
        if at not in kept:
            kept[at] = front.truth(method, params)
        return kept[at]

    return way


def _views(answer: Json) -> Way:
    return lambda _, method, __: answer if method == "eth_call" else None


QUERY_WAYS: dict[str, Way] = {
    "answers no view": _views({"error": {"code": -32002, "message": "a lie: no enclave answers"}}),
    "reverts views": _views({"error": {"code": 3, "message": "a lie", "data": "0x"}}),
    "makes up an answer": _views({"result": "0x" + "11" * 320}),
    "answers the first question": _shows("eth_call"),
}

_THIEFS_NAME = {
    "network": _THIEF.network.hex0x,
    "genesis": "0x" + _THIEF.genesis.encode().hex(),
    "chainId": "0x5afd",
}

OWNERS_WAYS: dict[str, Way] = {
    "swallows transactions": _sends({"error": {"code": 4, "message": "it waits"}}, acts=False),
    "sends them, and hides it": _sends({"error": {"code": 4, "message": "it waits"}}, acts=True),
    "forges receipts": _sends(_receipt("0x1"), acts=False),
    "says that they failed": _sends(_receipt("0x0"), acts=True),
    "refuses transactions": _sends({"error": {"code": -32000, "message": "a lie"}}, acts=False),
    "tells wrong figures": lambda _, method, __: (
        {"result": "0x3b9aca00"} if method in _FIGURES else None
    ),
    "shows what was": _shows("keymoot_wallet", "keymoot_cells", "keymoot_committee"),
    "is another network": lambda _, method, __: (
        {"result": _THIEFS_NAME} if method == "keymoot_network" else None
    ),
}

RAW = tuple(WAYS)[1:8]


def _handler(front: Front) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            calls = body if isinstance(body, list) else [body]
            told = [
                {"jsonrpc": "2.0", "id": one["id"], **front.answer(one["method"], one["params"])}
                for one in calls
            ]
            self._write(told if isinstance(body, list) else told[0])

        def do_GET(self) -> None:
            key = self.path.removeprefix("/shares/").partition("?")[0]
            told = front.answer("shares", [key])
            self._write(told.get("result"))

        def _write(self, answer: Json) -> None:
            raw, way = json.dumps(answer).encode(), front.way
            head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(raw)}\r\n\r\n".encode()
            self.close_connection = way in RAW
            if way == "hangs":
                front.over.wait()
            elif way == "drips":
                for at in head + raw:
                    if front.over.wait(DROP_SECONDS):
                        break
                    try:
                        self.wfile.write(bytes([at]))
                    except OSError:
                        break
            elif way == "stops midway":
                self.wfile.write(head + raw[: len(raw) // 2])
            elif way == "is a web page":
                self.wfile.write(b"HTTP/1.1 502 Bad\r\nContent-Length: 6\r\n\r\n<html>")
            elif way == "is no HTTP":
                self.wfile.write(b"220 mail.example ESMTP\r\n")
            elif way != "closes":
                self.wfile.write(head + raw)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


class _Unruffled(ThreadingHTTPServer):
    """Says nothing when clients hang up on a node that keeps them waiting."""

    def handle_error(self, *_: object) -> None:
        pass


@contextmanager
def _served(front: Front) -> Iterator[Front]:
    with served(_handler(front), _Unruffled) as front.url:
        try:
            yield front
        finally:
            front.over.set()


def _closed_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


@contextmanager
def fronts(
    network: FakeNetwork, *ways: str, kinds: Sequence[type[Front]] = ()
) -> Iterator[list[Front]]:
    """Serve nodes that behave in these ways, in this order; `kinds` are the first ones' classes."""
    with ExitStack() as stack:
        made = []
        for kind, way in zip_longest(kinds, ways, fillvalue=Front):
            assert isinstance(way, str)
            assert isinstance(kind, type)
            front = kind(network, way)
            if way == "dead":
                front.url = _closed_port()
            else:
                stack.enter_context(_served(front))
            made.append(front)
        yield made


def urls_of(made: list[Front]) -> str:
    """Give their addresses as KEYMOOT_URL has them."""
    return ",".join(one.url for one in made)


def now() -> float:
    """Give the time in seconds, for a duration."""
    return time.monotonic()
