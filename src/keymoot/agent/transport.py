"""The way to Keymoot RPC: HTTP/1.1 with connections that stay open, safe from threads.

The standard library's client: a signature needs two small exchanges, and every
heavier client costs more than the network does. Everything that goes through here may
be sent again (signed transactions, whose second arrival changes nothing, and
queries), so a kept connection that turns out dead is replaced without a word.
"""

import http.client
import json
import ssl
import time
import weakref
from collections import deque
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any, Self
from urllib.parse import urlsplit

from keymoot.agent.deadline import TimedResponse, connect, left
from keymoot.agent.errors import (
    SET_URL,
    NetworkBusy,
    NetworkRefused,
    NetworkUnreachable,
    NotKeymoot,
    WrongAnswer,
)
from keymoot.agent.processes import Forked
from keymoot.base import hexes
from keymoot.base.errors import Fault, KeymootError, Malformed
from keymoot.base.strict_json import MAX_DEPTH, parse

MAX_ANSWER_BYTES = 16 * 1024 * 1024
"""Longest answer that is read."""

MAX_REPLY_BYTES = 1024 * 1024
"""Longest answer to a request: the shares of 64 seats and the certificate are a tenth of it."""

_SHORT = ("keymoot_ask", "keymoot_getRequest", "keymoot_network")

MAX_IDLE = 32
"""Connections that wait for the next call; more are closed after use."""

_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}
_NOT_FOUND = 404
_TOO_MANY = 429
_UNAVAILABLE = 503
_RESOURCE_UNAVAILABLE = -32002
_LIMIT_EXCEEDED = -32005
_NO_METHOD = (-32601, -32004)
"""JSON-RPC: there is no such method; EIP-1474: it is not supported."""

MAX_SAID = 100
"""Characters of a stranger's words that are repeated."""

_STALE = (
    http.client.RemoteDisconnected,
    http.client.CannotSendRequest,
    BrokenPipeError,
    ConnectionResetError,
    ConnectionAbortedError,
)


class ConnectionLost(Fault, code="CONNECTION_LOST"):
    """The question was sent, and no whole answer came: it may have been acted upon."""


class Transport(Forked):
    """JSON-RPC and plain reads from one Keymoot RPC, from any number of threads and forks.

    Raises:
        NetworkUnreachable: nothing was sent.
        ConnectionLost: something was sent, and no answer came in time.
        NetworkRefused: the answer is an error object, or the node cannot answer for now.
        NetworkBusy: too many calls in a short time.
        WrongAnswer: the answer is no JSON-RPC.
    """

    def __init__(self, url: str) -> None:
        """Take an address such as http://127.0.0.1:8645; nothing is sent yet."""
        super().__init__()
        parts = urlsplit(url)
        try:
            port = parts.port
        except ValueError as error:
            raise Malformed(f"{url} has no usable port: {SET_URL}", "url") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise Malformed(f'"{url}" is no http:// or https:// address: {SET_URL}', "url")
        self.url = url
        self._host = parts.hostname
        self._port = port
        self._path = parts.path.rstrip("/")
        self._tls = ssl.create_default_context() if parts.scheme == "https" else None
        self._idle: deque[http.client.HTTPConnection] = deque()
        # Runs before the sockets are finalized, which __del__ in a cycle of garbage need not.
        weakref.finalize(self, _close_all, self._idle)
        self._numbers = count(1)

    def begin_in_child(self) -> None:
        """Close this process's ends of the parent's connections; the parent keeps its own."""
        _close_all(self._idle)

    def __reduce__(self) -> tuple[type[Self], tuple[str]]:
        """Connections are opened anew."""
        return type(self), (self.url,)

    def call(self, method: str, params: Sequence[Any], timeout_seconds: float) -> Any:
        """Call one JSON-RPC method and give its result."""
        deadline = time.monotonic() + timeout_seconds
        number = next(self._numbers)
        longest = MAX_REPLY_BYTES if method in _SHORT else MAX_ANSWER_BYTES
        status, raw = self._post(_question(number, method, params), deadline, longest)
        answer = _object(raw, status, self.url)
        if _unknown(method, answer) or not _is_rpc(answer, number):
            stranger = self._stranger(method, answer, status, deadline)
            if stranger is not None:
                raise stranger
        return _result(answer, number)

    def _stranger(
        self, method: str, answer: dict[str, Any], status: int, deadline: float
    ) -> WrongAnswer | None:
        """Find out who does not know a method of ours; None for a Keymoot RPC that says no."""
        error = answer.get("error")
        said = error.get("message") if isinstance(error, dict) else error
        said = said if isinstance(said, str) and said.isprintable() else ""
        chain, client = (
            self._told(each, deadline) for each in ("eth_chainId", "web3_clientVersion")
        )
        if client.startswith("keymoot/"):
            if isinstance(error, dict) and method not in said:
                return None
            return WrongAnswer(
                f"{self.url} is {client}, which does not know {method}: "
                "let node and client be of one version"
            )
        if chain:
            named = f' ("{client}")' if client else ""
            return NotKeymoot(self.url, f"chain {_number(chain)}{named}")
        heard = f', saying "{said[:MAX_SAID]}"' if said else ""
        return NotKeymoot(self.url, f"a server that answers with HTTP status {status}{heard}")

    def _told(self, method: str, deadline: float) -> str:
        """Ask a server that may be anybody's; empty where it does not answer."""
        with suppress(KeymootError):
            status, raw = self._post(_question(1, method, ()), deadline, MAX_REPLY_BYTES)
            result = _object(raw, status, self.url).get("result")
            return result[:MAX_SAID] if isinstance(result, str) and result.isprintable() else ""
        return ""

    def call_all(
        self, calls: Sequence[tuple[str, Sequence[Any]]], timeout_seconds: float
    ) -> list[Any]:
        """Call several methods in one exchange; results in the order of the calls."""
        deadline = time.monotonic() + timeout_seconds
        numbers = [next(self._numbers) for _ in calls]
        body = [_question(number, *call) for number, call in zip(numbers, calls, strict=True)]
        status, raw = self._post(body, deadline, MAX_ANSWER_BYTES)
        answers = _json(raw, status, self.url)
        if isinstance(answers, dict) and isinstance(answers.get("error"), dict):
            _result(answers, 0)  # one error stands for all, as of a node that is too busy
        if not isinstance(answers, list):
            raise WrongAnswer("a batch was answered by something else than a list")
        by_number = {answer.get("id"): answer for answer in answers if isinstance(answer, dict)}
        return [_result(by_number.get(number, {}), number) for number in numbers]

    def get(self, path: str, timeout_seconds: float) -> dict[str, Any] | None:
        """Read one JSON object; None where there is none (404)."""
        deadline = time.monotonic() + timeout_seconds
        status, raw = self._exchange("GET", self._path + path, None, deadline, MAX_REPLY_BYTES)
        if status == _TOO_MANY:
            raise NetworkBusy("too many calls")
        if status == _UNAVAILABLE:
            told = _object(raw, status, self.url).get("error")
            raise NetworkRefused(_RESOURCE_UNAVAILABLE, str(told or "no reason given"))
        return None if status == _NOT_FOUND else _object(raw, status, self.url)

    def close(self) -> None:
        _close_all(self._idle)

    def _post(self, body: Any, deadline: float, longest: int) -> tuple[int, bytes]:
        raw = json.dumps(body, separators=(",", ":")).encode()
        return self._exchange("POST", self._path + "/", raw, deadline, longest)

    def _exchange(
        self, verb: str, path: str, body: bytes | None, deadline: float, longest: int
    ) -> tuple[int, bytes]:
        while True:
            try:
                connection, fresh = self._idle.pop(), False
            except IndexError:
                connection, fresh = self._connect(deadline), True
            try:
                return self._send(connection, verb, path, body, deadline, longest)
            except _STALE as error:
                connection.close()
                if fresh:
                    raise ConnectionLost(f"{self.url} closed the connection") from error
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                raise ConnectionLost(f"{self.url}: {_why(error)}") from error

    def _connect(self, deadline: float) -> http.client.HTTPConnection:
        connection: http.client.HTTPConnection
        if self._tls is None:
            connection = http.client.HTTPConnection(self._host, self._port)
        else:
            connection = http.client.HTTPSConnection(self._host, self._port, context=self._tls)
        try:
            connect(connection, deadline)
        except OSError as error:
            connection.close()
            raise NetworkUnreachable(self.url, _why(error)) from error
        return connection

    def _send(
        self,
        connection: http.client.HTTPConnection,
        verb: str,
        path: str,
        body: bytes | None,
        deadline: float,
        longest: int,
    ) -> tuple[int, bytes]:
        connection.sock.settimeout(left(deadline))
        connection.response_class = partial(TimedResponse, deadline)  # type: ignore[assignment]
        connection.request(verb, path, body=body, headers=_HEADERS)
        response = connection.getresponse()
        # A length that is said is believed in one direction only: too long is not read at all.
        raw = None if (response.length or 0) > longest else response.read(longest + 1)
        if raw is None or len(raw) > longest:
            connection.close()
            raise WrongAnswer(f"an answer is longer than {longest} bytes")
        if response.length:
            connection.close()
            raise ConnectionLost(f"{self.url} closed the connection in the middle of its answer")
        if response.will_close or len(self._idle) >= MAX_IDLE:
            connection.close()
        else:
            self._idle.append(connection)
        return response.status, raw


def _close_all(idle: deque[http.client.HTTPConnection]) -> None:
    while idle:
        idle.pop().close()


def _why(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text)


def _question(number: int, method: str, params: Sequence[Any]) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": method, "params": list(params)}


def _json(raw: bytes, status: int, url: str) -> Any:
    try:
        if raw.count(b"[") + raw.count(b"{") <= MAX_DEPTH:
            return json.loads(raw)
        return parse(raw, MAX_ANSWER_BYTES)  # counts the depth, character by character
    except (ValueError, Malformed) as error:
        raise WrongAnswer(
            f"{url} answered with HTTP status {status} and no JSON, which Keymoot RPC never does: "
            + SET_URL
        ) from error


def _object(raw: bytes, status: int, url: str) -> dict[str, Any]:
    answer = _json(raw, status, url)
    if not isinstance(answer, dict):
        raise WrongAnswer(f"{url} answered with HTTP status {status} and no JSON object")
    return answer


def _unknown(method: str, answer: dict[str, Any]) -> bool:
    """Tell whether a server does not know a method of ours, in the words of any provider."""
    error = answer.get("error")
    if not method.startswith("keymoot_") or not isinstance(error, dict):
        return False
    # Ours refuses with its own words; others name what they do not serve, or have a code for it.
    return error.get("code") in _NO_METHOD or method in str(error.get("message"))


def _is_rpc(answer: dict[str, Any], number: int) -> bool:
    """Tell whether an answer is one of JSON-RPC, to our question or as an error."""
    error = answer.get("error")
    if isinstance(error, dict) and isinstance(error.get("message"), str):
        return True
    return answer.get("id") == number and "result" in answer


def _number(chain: str) -> str:
    try:
        return str(hexes.parse_quantity(chain))
    except Malformed:
        return chain


def _result(answer: dict[str, Any], number: int) -> Any:
    error = answer.get("error")
    if isinstance(error, dict):
        code, message = error.get("code"), error.get("message")
        if code == _LIMIT_EXCEEDED:
            raise NetworkBusy(str(message))
        raise NetworkRefused(
            code if isinstance(code, int) else 0,
            str(message or "no reason given"),
            error.get("data"),
        )
    if answer.get("id") != number or "result" not in answer:
        raise WrongAnswer("an answer of JSON-RPC has the question's id and a result")
    return answer["result"]
