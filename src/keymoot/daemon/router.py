"""Which handler answers a request, and in which words nobody does."""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from keymoot.daemon.http_request import HttpRequest
from keymoot.daemon.http_response import HTML, HttpResponse, reason

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]
Routes: TypeAlias = Mapping[str, Mapping[str, Handler]]
"""Handlers by path and method."""


class Router:
    def __init__(self, *tables: Routes) -> None:
        """Join tables of routes; no path stands in two."""
        self._routes: dict[str, Mapping[str, Handler]] = {}
        for table in tables:
            for path, methods in table.items():
                if path in self._routes:
                    raise ValueError(f"{path} is served twice")
                self._routes[path] = methods

    @property
    def paths(self) -> Mapping[str, Mapping[str, Handler]]:
        return self._routes

    def answer(self, request: HttpRequest) -> HttpResponse:
        # Clients of ROFL leave out a last slash, or write it.
        path = request.path.rstrip("/") or "/"
        methods = self._routes.get(path, {})
        handler = methods.get(request.method)
        if handler is None:
            return not_found(request, method_wrong=bool(methods))
        return handler(request)


def not_found(request: HttpRequest, *, method_wrong: bool = False) -> HttpResponse:
    """Say that nobody answers, in the form that the client takes: as Rocket's catchers do."""
    # dstack's clients tell by this body that the interface is there, and the method is not.
    name = request.path.rsplit("/", 1)[-1].rsplit(".", 1)[-1]
    if not method_wrong and _of_dstack(request.path):
        return HttpResponse.json({"error": f"Service not found: {name}"}, 404)
    return failed(request, 404)


def failed(request: HttpRequest, status: int, why: str = "") -> HttpResponse:
    """Give an error's page: JSON where the client takes it, else HTML."""
    words = reason(status)
    if "application/json" in request.headers.get("accept", ""):
        told = {"code": status, "reason": words, "description": why or words}
        return HttpResponse.json({"error": told}, status)
    page = f"<!DOCTYPE html><title>{status} {words}</title><h1>{status}: {words}</h1>\n"
    return HttpResponse(status, page.encode(), HTML)


def _of_dstack(path: str) -> bool:
    if path.startswith("/rofl/"):
        return False
    last = path.rsplit("/", 1)[-1]
    return path.startswith(("/v0/", "/prpc/")) or last[:1].isupper()
