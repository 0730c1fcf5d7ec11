"""ROFL's REST API, as `rofl-appd` serves it on /run/rofl-appd.sock.

What its handlers refuse is told in plain text; a body that does not fit is a 422, as Rocket has it.
"""

from collections.abc import Callable
from hashlib import sha256

from keymoot.base.errors import KeymootError
from keymoot.base.shown import bounded
from keymoot.daemon import fields
from keymoot.daemon.errors import BadArgument
from keymoot.daemon.http_request import HttpRequest
from keymoot.daemon.http_response import HttpResponse
from keymoot.daemon.instance_metadata import InstanceMetadata
from keymoot.daemon.port import KeyKind, RegisteredInstance
from keymoot.daemon.rofl_queries import answer_query
from keymoot.daemon.rofl_transactions import read_submission, result_of
from keymoot.daemon.router import Handler, Routes, failed

MAX_KEY_ID_BYTES = 4_096

_KEYS = b"keymoot/daemon/rofl/v1\0"
_MAX_METHOD_BYTES = 128
_MAX_TEXT_BYTES = 1_024


class RoflApi:
    """Answers ROFL's clients for one instance."""

    def __init__(self, instance: RegisteredInstance, metadata: InstanceMetadata) -> None:
        self._instance, self._metadata = instance, metadata

    def routes(self) -> Routes:
        return {
            "/rofl/v1/app/id": {"GET": told(self.app_id)},
            "/rofl/v1/keys/generate": {"POST": told(self.generate)},
            "/rofl/v1/tx/sign-submit": {"POST": told(self.sign_submit)},
            "/rofl/v1/query": {"POST": told(self.query, 500, "Query failed: ")},
            "/rofl/v1/metadata": {
                "GET": told(self.metadata, 500),
                "POST": told(self.replace_metadata),
                "PUT": told(self.merge_metadata),
                "DELETE": told(self.drop_metadata),
            },
        }

    def app_id(self, request: HttpRequest) -> HttpResponse:
        del request
        return HttpResponse.text(self._instance.identity.app.text)

    def generate(self, request: HttpRequest) -> HttpResponse:
        """Give a key as hex digits, which the caller then has for ever."""
        asked = fields.object_of(request)
        key_id = fields.text(asked, "key_id", MAX_KEY_ID_BYTES)
        kind = _kind(fields.text(asked, "kind", 16))
        key = self._instance.derive(ledger_name(key_id), kind)
        return HttpResponse.json({"key": key.expose().hex()})

    def sign_submit(self, request: HttpRequest) -> HttpResponse:
        call = read_submission(fields.object_of(request))
        outcome = self._instance.submit(call)
        return HttpResponse.json({"data": result_of(outcome).hex()})

    def query(self, request: HttpRequest) -> HttpResponse:
        asked = fields.object_of(request)
        method = fields.text(asked, "method", _MAX_METHOD_BYTES)
        arguments = fields.raw(asked, "args", 65_536, prefix=False)
        return HttpResponse.json({"data": answer_query(self._instance, method, arguments).hex()})

    def metadata(self, request: HttpRequest) -> HttpResponse:
        del request
        return HttpResponse.json(dict(self._metadata.all()))

    def replace_metadata(self, request: HttpRequest) -> HttpResponse:
        self._metadata.replace(_pairs(request))
        return HttpResponse(200)

    def merge_metadata(self, request: HttpRequest) -> HttpResponse:
        self._metadata.merge(_pairs(request))
        return HttpResponse(200)

    def drop_metadata(self, request: HttpRequest) -> HttpResponse:
        names = fields.texts(fields.body_of(request), "keys", 1_024, 1_024)
        self._metadata.drop(names)
        return HttpResponse(200)


def told(
    handler: Callable[[HttpRequest], HttpResponse], status: int = 400, before: str = ""
) -> Handler:
    """Have a handler's refusals told as ROFL's daemon tells them."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return handler(request)
        except BadArgument as error:
            return failed(request, 422, str(error))
        except KeymootError as error:
            return HttpResponse.text(bounded(f"{before}{error}", _MAX_TEXT_BYTES), status)

    return answer


def ledger_name(key_id: str) -> bytes:
    """Give the name under which the ledger derives a key: a hash, for the ledger is public."""
    return sha256(_KEYS + key_id.encode()).digest()


def _kind(name: str) -> KeyKind:
    try:
        return KeyKind(name)
    except ValueError:
        kinds = ", ".join(kind.value for kind in KeyKind)
        raise BadArgument(f"kinds of keys are {kinds}", "kind") from None


def _pairs(request: HttpRequest) -> dict[str, str]:
    """Read metadata; its sizes are `InstanceMetadata`'s business, and told in other words."""
    told = fields.object_of(request)
    for name, value in told.items():
        if not isinstance(value, str):
            raise BadArgument("metadata are texts by name", name)
    return {name: str(value) for name, value in told.items()}
