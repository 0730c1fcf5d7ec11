"""Keymoot's own interface, /v1: wallets that sign, their policies, evidence.

    GET  /v1/instance                                who this is, and until when it counts
    GET  /v1/wallets                                 names and addresses
    GET  /v1/wallets/NAME/policy                     the policy, proved
    POST /v1/wallets/NAME/sign/transaction           {"transaction": {…}, "idempotencyKey"?}
    POST /v1/wallets/NAME/sign/typed-data            {"typedData": {…}, …}
    POST /v1/wallets/NAME/sign/message               {"message": "…", …}
    POST /v1/wallets/NAME/sign/payload               {"method": "…", "payload": "0x…", …}
    POST /v1/evidence                                {"reportData": "0x…"}

A refusal is `{"error": {"code", "message", "data"?}}`: 403 of a policy, 422 of what is no such
wish, 404 of a name that nobody has, 502 of a network that does not answer as it should.
"""

from typing import Any

from eth_account.messages import encode_defunct

from keymoot.base import hexes
from keymoot.base.errors import Fault, KeymootError, Malformed
from keymoot.base.request import MAX_METHOD_BYTES, MAX_PAYLOAD_BYTES
from keymoot.base.strict_json import Json
from keymoot.daemon import fields
from keymoot.daemon.errors import BadArgument
from keymoot.daemon.http_request import HttpRequest
from keymoot.daemon.http_response import HttpResponse
from keymoot.daemon.port import GrantedWallet, RegisteredInstance
from keymoot.daemon.quotes import agents_report
from keymoot.daemon.registrar import Registrar
from keymoot.daemon.router import Handler, Routes
from keymoot.policy.errors import PolicyRefused

MAX_KEY_CHARACTERS = 256
MAX_MESSAGE_BYTES = 65_536


class OwnApi:
    """Answers programs that know Keymoot."""

    def __init__(self, instance: RegisteredInstance, registrar: Registrar) -> None:
        self._instance, self._registrar = instance, registrar

    def routes(self) -> Routes:
        routes: dict[str, dict[str, Handler]] = {
            "/v1/instance": {"GET": told(self.instance)},
            "/v1/wallets": {"GET": told(self.wallets)},
            "/v1/evidence": {"POST": told(self.evidence)},
        }
        for wallet in self._instance.wallets:
            routes |= self._of_wallet(wallet)
        return routes

    def _of_wallet(self, wallet: str) -> dict[str, dict[str, Handler]]:
        def policy(request: HttpRequest) -> HttpResponse:
            del request
            return HttpResponse.json(self._instance.policy(wallet))

        def transaction(request: HttpRequest) -> HttpResponse:
            asked, key, signer = self._wish(request, wallet)
            made = signer.sign_transaction(_object(asked, "transaction"), idempotency_key=key)
            raw = hexes.data(bytes(made.raw_transaction))
            return HttpResponse.json({"rawTransaction": raw, "hash": hexes.data(bytes(made.hash))})

        def typed_data(request: HttpRequest) -> HttpResponse:
            asked, key, signer = self._wish(request, wallet)
            document = _object(asked, "typedData")
            return _signature(signer.sign_typed_data(full_message=document, idempotency_key=key))

        def message(request: HttpRequest) -> HttpResponse:
            asked, key, signer = self._wish(request, wallet)
            said = encode_defunct(text=fields.text(asked, "message", MAX_MESSAGE_BYTES))
            return _signature(signer.sign_message(said, idempotency_key=key))

        def payload(request: HttpRequest) -> HttpResponse:
            asked, key, signer = self._wish(request, wallet)
            method = fields.text(asked, "method", MAX_METHOD_BYTES)
            raw = fields.raw(asked, "payload", MAX_PAYLOAD_BYTES, prefix=True)
            return _signature(signer.sign_payload(method, raw, idempotency_key=key))

        at = f"/v1/wallets/{wallet}"
        return {
            f"{at}/policy": {"GET": told(policy)},
            f"{at}/sign/transaction": {"POST": told(transaction)},
            f"{at}/sign/typed-data": {"POST": told(typed_data)},
            f"{at}/sign/message": {"POST": told(message)},
            f"{at}/sign/payload": {"POST": told(payload)},
        }

    def instance(self, request: HttpRequest) -> HttpResponse:
        del request
        identity = self._instance.identity
        return HttpResponse.json(
            {
                "app": identity.app.text,
                "name": identity.name,
                "key": identity.key.hex0x,
                "measurement": identity.measurement.hex0x,
                "vendor": identity.vendor,
                "simulated": identity.simulated,
                "network": identity.network.hex0x,
                "expiresAt": self._registrar.expires_at,
                "objection": self._registrar.out,
            }
        )

    def wallets(self, request: HttpRequest) -> HttpResponse:
        del request
        names = self._instance.wallets
        told_of = [{"name": name, "address": self._instance.signer(name).address} for name in names]
        return HttpResponse.json({"wallets": told_of})

    def evidence(self, request: HttpRequest) -> HttpResponse:
        asked = fields.object_of(request)
        report = agents_report(fields.raw(asked, "reportData", 64, prefix=True))
        told_of = {"evidence": hexes.data(self._instance.evidence(report))}
        return HttpResponse.json(told_of | {"simulated": self._instance.identity.simulated})

    def _wish(
        self, request: HttpRequest, wallet: str
    ) -> tuple[dict[str, Json], str | None, GrantedWallet]:
        asked = fields.object_of(request)
        key = asked.get("idempotencyKey")
        if key is not None:
            key = fields.text(asked, "idempotencyKey", MAX_KEY_CHARACTERS)
        return asked, key, self._instance.signer(wallet)


def told(handler: Handler) -> Handler:
    """Have a handler's refusals told as JSON."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return handler(request)
        except PolicyRefused as error:
            told_of = error.to_json() | {"code": error.code, "provedAt": error.proved}
            return HttpResponse.json({"error": told_of}, 403)
        except KeymootError as error:
            status = (
                422 if isinstance(error, Malformed) else 502 if isinstance(error, Fault) else 403
            )
            return HttpResponse.json({"error": {"code": error.code, "message": str(error)}}, status)

    return answer


def _object(asked: dict[str, Json], name: str) -> dict[str, Any]:
    value = asked.get(name)
    if not isinstance(value, dict):
        raise BadArgument("an object is expected", name)
    return value


def _signature(made: Any) -> HttpResponse:
    return HttpResponse.json(
        {
            "signature": hexes.data(bytes(made.signature)),
            "hash": hexes.data(bytes(made.message_hash)),
        }
    )
