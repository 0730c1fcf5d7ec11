"""Who may come in: by which name the node is called, and from which web page.

A browser lets any page send requests anywhere. A page cannot forge its Origin, and a name
that was rebound to this machine stands in Host: both are refused unless the operator has
named them. Whoever calls by a bare address of this machine was not rebound.
"""

import ipaddress
import re
from collections.abc import Iterable

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from keymoot.base.errors import Malformed
from keymoot.gateway.errors import INVALID_REQUEST, RpcError

LOOPBACK = ("127.0.0.1", "localhost", "::1")

_NAME = re.compile(r"[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")
_PORT = re.compile(r"(:[0-9]{0,5})?")
_ORIGIN = re.compile(r"[a-z][a-z0-9+.-]*://[a-z0-9._\[\]:-]+")
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_MAX_NAME = 253


class Door:
    """Lets in who calls the node by its own addresses, or by names and from pages that it allows.

    Attributes:
        hosts: Names that count beside the node's own addresses, from `host_named`.
        origins: Web pages, and wallets' extensions, that may call, from `origin_named`.
    """

    def __init__(self, hosts: Iterable[str] = (), origins: Iterable[str] = ()) -> None:
        self.hosts = frozenset((*LOOPBACK, *hosts))
        self.origins = tuple(origins)

    def refusal(self, headers: Headers, server: str) -> str | None:
        """Say why a request stays out.

        None for one that comes in at this machine's address `server`.
        """
        # 1. It calls the node by a name of its own.
        named = headers.getlist("host")
        host = _host_of(named[0]) if len(named) == 1 else None
        if host is None or (host not in self.hosts and host != _plain(server)):
            shown = f'"{host}"' if host else "this name"
            return (
                f"unknown host: the node does not answer to {shown}, only to 127.0.0.1, localhost "
                "and its own addresses. If that name is yours: "
                f"keymoot up --allow-host {host or 'NAME'}"
            )
        # 2. It comes from no web page, or from one that is allowed.
        origins = headers.getlist("origin")
        if origins and (len(origins) > 1 or origins[0] not in self.origins):
            known = _ORIGIN.fullmatch(origins[0]) and len(origins[0]) <= _MAX_NAME
            shown = origins[0] if known else "ORIGIN"
            return (
                f"web pages may not use this node, and {shown} is not allowed. If it is yours, or "
                f"your wallet's extension: keymoot up --allow-origin {shown}"
            )
        return None


class AtTheDoor:
    """ASGI middleware that answers 403 to whom the door refuses."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            server = (scope.get("server") or ("", 0))[0]
            why = self._door.refusal(Headers(scope=scope), server)
            if why is not None:
                error = RpcError(INVALID_REQUEST, why)
                body = {"jsonrpc": "2.0", "id": None, "error": error.to_json()}
                await JSONResponse(body, 403)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def host_named(text: str) -> str:
    """Read a name or an address by which the node may be called: no URL, port or pattern."""
    name = _plain(text.strip().strip("[]").lower())
    if not name or len(name) > _MAX_NAME or not (_address(name) or _NAME.fullmatch(name)):
        raise Malformed(
            f'"{text[:64]}" is no host name: one name or address is expected, without scheme, '
            "port or *, such as keymoot.lan",
            "--allow-host",
        )
    return name


def origin_named(text: str) -> str:
    """Read the origin of a page or an extension, as browsers write it: no pattern."""
    origin = text.strip().lower().removesuffix("/")
    scheme = origin.partition("://")[0]
    origin = origin.removesuffix(_DEFAULT_PORTS.get(scheme, "/"))
    if len(origin) > _MAX_NAME or not _ORIGIN.fullmatch(origin):
        raise Malformed(
            f'"{text[:64]}" is no origin: one scheme and host is expected, without path or *, '
            "such as https://app.example or chrome-extension://ID",
            "--allow-origin",
        )
    return origin


def url_of(host: str, port: int) -> str:
    """Give the URL at which whoever sits at this machine reaches a socket."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  not listened on
    return f"http://[{own}]:{port}" if ":" in own else f"http://{own}:{port}"


def _host_of(header: str) -> str | None:
    text = header.strip().lower()
    if text.startswith("["):
        name, closed, port = text[1:].partition("]")
        if not closed or ":" not in name:
            return None
    else:
        name, colon, digits = text.partition(":")
        port = colon + digits
    if not _PORT.fullmatch(port) or len(name) > _MAX_NAME + 1:
        return None
    plain = _plain(name)
    return plain if _address(plain) or _NAME.fullmatch(plain) else None


def _plain(name: str) -> str:
    """Write a name without its final dot, and an address in one way."""
    name = name.removesuffix(".")
    address = _address(name)
    if address is None:
        return name
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return str(mapped or address)


def _address(name: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        # A link's addresses carry the name of the interface.
        return ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        return None
