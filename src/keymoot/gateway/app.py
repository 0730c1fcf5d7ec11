"""The HTTP face of a node: POST / for JSON-RPC, GET for people, probes and shares."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.gateway import jsonrpc
from keymoot.gateway.errors import LIMIT_EXCEEDED, RpcError, of_anything
from keymoot.gateway.limits import MAX_BODY_BYTES, Rate
from keymoot.gateway.logs import Filters
from keymoot.gateway.methods import method_table
from keymoot.gateway.services import Services

MAX_SHARE_WAIT_SECONDS = 30.0
"""Longest wait of `GET /shares/{request}?wait=`."""

_JSON = "application/json"
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class Gateway:
    """Answers HTTP for one node."""

    def __init__(self, services: Services, report: jsonrpc.Report) -> None:
        """Answer from `services`; `report` is told of errors that were not foreseen."""
        self._services = services
        self._report = report
        self._rate = Rate(time.monotonic)
        self._methods = method_table(services, Filters(time.monotonic))
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "keymoot_http_requests", "HTTP requests", ["kind"], registry=self._registry
        )

    def app(self) -> Starlette:
        """Give the ASGI application."""
        return Starlette(
            routes=[
                Route("/", self.rpc, methods=["POST"]),
                Route("/", self.front, methods=["GET"]),
                Route("/shares/{request_key}", self.share, methods=["GET"]),
                Route("/health", self.health, methods=["GET"]),
                Route("/metrics", self.metrics, methods=["GET"]),
            ]
        )

    async def rpc(self, request: Request) -> Response:
        """Answer JSON-RPC."""
        refused = self._foreign(request)
        if refused is not None:
            return refused
        body = await _body(request)
        if body is None:
            error = RpcError(LIMIT_EXCEEDED, f"a body has at most {MAX_BODY_BYTES} bytes")
            return _rpc_error(error)
        if not self._rate.take(_client(request), jsonrpc.calls_in(body)):
            return _rpc_error(RpcError(LIMIT_EXCEEDED, "too many calls: wait a second"))
        self._calls.labels("rpc").inc()
        found = await jsonrpc.answer(self._methods, body, self._report)
        return Response(found, media_type=_JSON) if found else Response(status_code=204)

    async def share(self, request: Request) -> Response:
        """Give the answer to a request, waiting for it up to `wait` milliseconds."""
        refused = self._foreign(request)
        if refused is not None:
            return refused
        if not self._rate.take(_client(request)):
            return JSONResponse({"error": "too many calls: wait a second"}, status_code=429)
        self._calls.labels("share").inc()
        try:
            key = Hash32.from_hex(request.path_params["request_key"])
            wait = _wait_seconds(request.query_params.get("wait", "0"))
            checked = request.query_params.get("checked") == "1"
        except Malformed as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        try:
            return JSONResponse(await self._services.shares.release(key, wait, checked=checked))
        except Exception as error:  # noqa: BLE001  an answer never takes the node down
            self._report("shares", error)
            return JSONResponse({"error": of_anything(error).message}, status_code=500)

    async def front(self, request: Request) -> Response:
        """Tell a person what this is."""
        del request
        ledger, info = self._services.ledger, self._services.info
        warning = "SIMULATED enclave, unaudited: test funds only.\n" if info.simulated else ""
        return PlainTextResponse(
            f"Keymoot RPC {info.version}\n{warning}\n"
            f"network   {ledger.network.hex0x}\n"
            f"chain id  {ledger.genesis.chain_id}\n"
            f"height    {ledger.height()}\n\n"
            "This is the key network's own ledger, not the chain on which your agent acts.\n"
            "POST JSON-RPC to this address (eth_*, keymoot_network, …).\n"
        )

    async def health(self, request: Request) -> Response:
        """Tell a probe that the node answers, and where it stands."""
        del request
        ledger = self._services.ledger
        return JSONResponse(
            {
                "height": ledger.height(),
                "provableHeight": ledger.provable_height(),
                "waiting": len(ledger.engine.mempool),
                "simulated": self._services.info.simulated,
            }
        )

    async def metrics(self, request: Request) -> Response:
        """Give Prometheus its numbers."""
        del request
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)

    def _foreign(self, request: Request) -> Response | None:
        """Refuse what a web page made a browser send: other origins, other host names.

        A page cannot forge its Origin, and a name that was rebound to 127.0.0.1 stands
        in Host.
        """
        host = request.headers.get("host", "")
        name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
        server = request.scope.get("server") or ("", 0)
        if name not in (*_LOOPBACK, server[0]):
            return PlainTextResponse(f"unknown host {name[:128]}: use 127.0.0.1\n", 403)
        if "origin" in request.headers:
            return PlainTextResponse("web pages may not use this node\n", 403)
        return None


def create_app(services: Services, report: jsonrpc.Report) -> Starlette:
    """Give the ASGI application of a node."""
    return Gateway(services, report).app()


async def _body(request: Request) -> bytes | None:
    parts = bytearray()
    async for part in request.stream():
        parts += part
        if len(parts) > MAX_BODY_BYTES:
            return None
    return bytes(parts)


def _client(request: Request) -> str:
    return request.client.host if request.client is not None else ""


def _rpc_error(error: RpcError) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error.to_json()})


def _wait_seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Malformed("wait is a number of milliseconds", "wait")
    return min(int(text) / 1000, MAX_SHARE_WAIT_SECONDS)
