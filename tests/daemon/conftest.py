"""A daemon over an instance in memory, and what speaks to it without a socket."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.daemon.http_request import HttpRequest
from keymoot.daemon.http_response import HttpResponse
from keymoot.daemon.run import Daemon, Sockets
from tests.daemon.instance import MemoryInstance


class Asking:
    """Asks a daemon's router."""

    def __init__(self, instance: MemoryInstance) -> None:
        self.instance, self.said = instance, []
        self.daemon = Daemon(instance, self.said.append)

    def __call__(self, method, path, body=None, raw=None, headers=None) -> HttpResponse:
        content = raw if raw is not None else b"" if body is None else json.dumps(body).encode()
        path, _, query = path.partition("?")
        request = HttpRequest(method, path, query, headers or {}, content, stays=True)
        return self.daemon.router.answer(request)

    def json(self, method, path, body=None, status=200):
        answer = self(method, path, body)
        assert answer.status == status, answer.body
        return json.loads(answer.body) if answer.body else None


@pytest.fixture
def asking() -> Asking:
    return Asking(MemoryInstance())


@pytest.fixture
def served(asking: Asking, tmp_path: Path) -> Iterator[Path]:
    """Serve the daemon; give the path of ROFL's socket, beside which dstack's is."""
    sockets = Sockets.at(tmp_path / "rofl.sock")
    with asking.daemon.serving(sockets):
        yield sockets.rofl
