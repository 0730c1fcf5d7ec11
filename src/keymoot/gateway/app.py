"""The HTTP face of a node: POST / for JSON-RPC, GET for people, probes and shares."""

import time

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, generate_latest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.storage import CannotWrite
from keymoot.gateway import jsonrpc
from keymoot.gateway.door import AtTheDoor, Door
from keymoot.gateway.errors import LIMIT_EXCEEDED, RpcError, of_anything, of_storage
from keymoot.gateway.limits import MAX_BODY_BYTES, MAX_DRAINED_BYTES, Payer, Rate, customer_of
from keymoot.gateway.logs import Filters
from keymoot.gateway.methods import method_table
from keymoot.gateway.services import Services

MAX_SHARE_WAIT_SECONDS = 30.0
"""Longest wait of `GET /shares/{request}?wait=`."""

_JSON = "application/json"


class Gateway:
    """Answers HTTP for one node."""

    def __init__(self, services: Services, report: jsonrpc.Report, door: Door) -> None:
        self._services = services
        self._door = door
        self._report = report
        self._rate = Rate(time.monotonic)
        self._methods = method_table(services, Filters(time.monotonic))
        self._registry = CollectorRegistry()
        self._calls = Counter(
            "keymoot_http_requests", "HTTP requests", ["kind"], registry=self._registry
        )

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/", self.rpc, methods=["POST"]),
                Route("/", self.front, methods=["GET"]),
                Route("/shares/{request_key}", self.share, methods=["GET"]),
                Route("/health", self.health, methods=["GET"]),
                Route("/metrics", self.metrics, methods=["GET"]),
            ],
            middleware=[
                Middleware(AtTheDoor, door=self._door),
                # Only what came in reaches this; it tells browsers so.
                Middleware(
                    CORSMiddleware,
                    allow_origins=self._door.origins,
                    allow_methods=["GET", "POST"],
                    allow_headers=["*"],
                ),
            ],
        )

    async def rpc(self, request: Request) -> Response:
        payer = Payer(self._rate, _client(request))
        if not payer.take(1):
            return _rpc_error(jsonrpc.TOO_MANY)
        body = await _body(request)
        if body is None:
            message = f"a body has at most {MAX_BODY_BYTES} bytes: send several"
            return _rpc_error(RpcError(LIMIT_EXCEEDED, message))
        self._calls.labels("rpc").inc()
        answer = await jsonrpc.answer(self._methods, body, self._report, payer)
        return Response(answer, media_type=_JSON) if answer else Response(status_code=204)

    async def share(self, request: Request) -> Response:
        """Give the answer to a request, waiting for it up to `wait` milliseconds."""
        if not self._rate.take(_client(request)):
            return JSONResponse({"error": "too many calls: wait a second"}, status_code=429)
        self._calls.labels("share").inc()
        try:
            key = Hash32.from_hex(request.path_params["request_key"])
            wait = _wait_seconds(request.query_params.get("wait", "0"))
        except Malformed as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        try:
            return JSONResponse(await self._services.shares.release(key, wait))
        except CannotWrite as error:
            return JSONResponse({"error": of_storage(error).message}, status_code=503)
        except Exception as error:  # noqa: BLE001  an answer never takes the node down
            self._report("shares", error)
            return JSONResponse({"error": of_anything(error).message}, status_code=500)

    async def front(self, request: Request) -> Response:
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
        del request
        ledger = self._services.ledger
        return JSONResponse(
            {
                "height": ledger.height(),
                "waiting": ledger.waiting_count(),
                "simulated": self._services.info.simulated,
            }
        )

    async def metrics(self, request: Request) -> Response:
        del request
        return Response(generate_latest(self._registry), media_type=CONTENT_TYPE_LATEST)


def create_app(services: Services, report: jsonrpc.Report, door: Door) -> Starlette:
    """For whom the door lets in."""
    return Gateway(services, report, door).app()


async def _body(request: Request) -> bytes | None:
    parts, received = bytearray(), 0
    async for part in request.stream():
        received += len(part)
        if received > MAX_DRAINED_BYTES:
            return None
        # The rest is read and dropped: whoever still sends would not read the answer.
        if received <= MAX_BODY_BYTES:
            parts += part
    return bytes(parts) if received <= MAX_BODY_BYTES else None


def _client(request: Request) -> str:
    return customer_of(request.client.host) if request.client is not None else ""


def _rpc_error(error: RpcError) -> Response:
    return JSONResponse({"jsonrpc": "2.0", "id": None, "error": error.to_json()})


def _wait_seconds(text: str) -> float:
    if not (text.isascii() and text.isdigit() and len(text) < 7):
        raise Malformed("wait is a number of milliseconds", "wait")
    return min(int(text) / 1000, MAX_SHARE_WAIT_SECONDS)
