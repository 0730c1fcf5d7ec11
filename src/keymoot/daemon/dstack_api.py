"""dstack's guest agent over its socket: version 0, at / and /v0, and version 1, at /v1.

Bytes are hex without a prefix. What a method refuses is a 400 with `{"error": "…"}`.
"""

import json
import os
import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, Bytes32
from keymoot.base.secret import Secret
from keymoot.base.shown import bounded
from keymoot.base.units import UnixSeconds
from keymoot.crypto import ed25519
from keymoot.crypto.kdf import derive
from keymoot.daemon import certificates, dstack_keys, fields
from keymoot.daemon.attended import AttendedInstance
from keymoot.daemon.certificates import Authority, CertificateWish
from keymoot.daemon.dstack_info import REV, VERSIONS, app_id, info_v0, info_v1
from keymoot.daemon.dstack_keys import ED25519, SECP256K1, DstackKey, SignatureChain, issued_digest
from keymoot.daemon.errors import BadArgument, NotServed
from keymoot.daemon.event_log import MAX_NAME_BYTES as MAX_EVENT_NAME
from keymoot.daemon.event_log import MAX_PAYLOAD_BYTES, EventLog
from keymoot.daemon.http_request import HttpRequest
from keymoot.daemon.http_response import HttpResponse
from keymoot.daemon.quotes import agents_report, quote_of
from keymoot.daemon.router import Handler, Routes

Method = Callable[[dict[str, Any]], dict[str, Any]]
Clock = Callable[[], UnixSeconds]

PREHASHED = "secp256k1_prehashed"
MAX_DATA_BYTES = 65_536

_SIGNING_PATH, _SIGNING_PURPOSE = "vms", "signing"
"""The one key with which `Sign` signs."""


class DstackGuest:
    """What both versions and tappd have in common: one instance, its chain and its authority."""

    def __init__(self, instance: AttendedInstance, log: EventLog, now: Clock) -> None:
        self.instance, self.log, self._now = instance, log, now
        self._chain: SignatureChain | None = None
        self._vouched_by: Address | None = None
        self._of_app: Authority | None = None
        self._own: Authority | None = None
        self._lock = threading.Lock()

    def path_key(self, path: str, algorithm: str) -> DstackKey:
        root = self.instance.derive(dstack_keys.path_root(path, algorithm))
        return dstack_keys.path_key(root, path, algorithm)

    def domain_key(self, domain: str, algorithm: str) -> DstackKey:
        root = self.instance.derive(dstack_keys.domain_root(domain, algorithm))
        return dstack_keys.domain_key(root, domain, algorithm)

    def chain(self) -> SignatureChain:
        """Give what signs derived keys; the app's key is derived once for each key of ours."""
        with self._lock:
            if self._chain is None or self._vouched_by != self.instance.identity.key:
                by = self.instance.identity.key
                root = self.instance.derive(dstack_keys.app_root())
                key = dstack_keys.path_key(root, "", SECP256K1)
                app = bytes(self.instance.identity.app)
                issued = self.instance.vouch(issued_digest(app, key.public))
                self._chain, self._vouched_by = SignatureChain(app, key, issued), by
            return self._chain

    def authority(self) -> Authority:
        """Give the app's authority; where no keys come out (any more), one of this start."""
        gives = self.instance.gives_keys()
        with self._lock:
            if not gives:
                self._own = self._own or self._authority(Secret(os.urandom(48)))
                return self._own
            if self._of_app is None:
                root = self.instance.derive(dstack_keys.authority_root())
                self._of_app = self._authority(derive(root, "daemon-authority", length=48))
            return self._of_app

    def _authority(self, seed: Secret) -> Authority:
        return Authority(certificates.p256_key(seed), self.instance.identity.app.text)

    def certified(self, asked: dict[str, Any], seed: Secret) -> dict[str, Any]:
        """Give a key made of a seed, and its certificates.

        The authority's key is here, so the ledger is not asked for it: it is asked whether the
        instance counts. Else one that was put out would go on vouching in the app's name.
        """
        self.instance.check_counts()
        key = certificates.p256_key(seed)
        begin, end = certificates.lifetime(
            _seconds(asked, "not_before"), _seconds(asked, "not_after"), self._now()
        )
        extensions = []
        if fields.flag(asked, "usage_ra_tls", default=False):
            evidence = self.instance.evidence(certificates.key_report(key))
            log = json.dumps(self.log.to_json()).encode()
            extensions += [(certificates.QUOTE, quote_of(evidence)), (certificates.EVENT_LOG, log)]
        if fields.flag(asked, "with_app_info", default=False):
            extensions.append((certificates.APP_ID, app_id(self.instance.identity)))
        names = asked.get("alt_names") or []
        wish = CertificateWish(
            subject=fields.text(asked, "subject", 256, ""),
            alt_names=tuple(fields.texts(names, "alt_names", certificates.MAX_ALT_NAMES, 253)),
            server=fields.flag(asked, "usage_server_auth", default=False),
            client=fields.flag(asked, "usage_client_auth", default=False),
            begin=UnixSeconds(begin),
            end=UnixSeconds(end),
            extensions=tuple(extensions),
        )
        return {
            "key": certificates.pem_of(key),
            "certificate_chain": self.authority().issue(key, wish),
        }

    def event_log(self) -> str:
        return json.dumps(self.log.to_json())

    def info(self, asked: dict[str, Any]) -> dict[str, Any]:
        del asked
        return info_v0(self.instance, self.log, self.authority().pem)


class DstackApi:
    """Answers dstack's clients."""

    def __init__(self, guest: DstackGuest) -> None:
        self._guest = guest

    def routes(self) -> Routes:
        old: dict[str, Method] = {
            "GetKey": self.get_key,
            "GetTlsKey": self.issue,
            "GetQuote": self.get_quote,
            "Attest": self.attest,
            "Info": self._guest.info,
            "EmitEvent": self.emit_event,
            "Sign": self.sign,
            "Verify": verify,
            "Version": version("v0"),
        }
        new: dict[str, Method] = {
            "GetKey": self.get_key_v1,
            "IssueCert": self.issue,
            "Attest": self.attest_v1,
            "AttestGpu": _no_gpu,
            "Info": self._info_v1,
            "Version": version("v1"),
        }
        return (
            methods("/", old)
            | methods("/v0/", old)
            | methods("/prpc/DstackGuest.", old)
            | methods("/v1/", new)
        )

    def get_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        path = fields.text(asked, "path", dstack_keys.MAX_NAME_BYTES, "")
        purpose = fields.text(asked, "purpose", dstack_keys.MAX_NAME_BYTES, "")
        algorithm = dstack_keys.named_algorithm(fields.text(asked, "algorithm", 32, ""))
        key = self._guest.path_key(path, algorithm)
        links = self._guest.chain().over_path(purpose, key.public)
        return {"key": key.secret.expose().hex(), "signature_chain": [link.hex() for link in links]}

    def get_key_v1(self, asked: dict[str, Any]) -> dict[str, Any]:
        domain = fields.text(asked, "domain", dstack_keys.MAX_NAME_BYTES, "")
        algorithm = fields.text(asked, "algorithm", 32, "")
        if algorithm not in (SECP256K1, ED25519):
            raise BadArgument(f"algorithms are {SECP256K1} and {ED25519}", "algorithm")
        key = self._guest.domain_key(domain, algorithm)
        links = self._guest.chain().over_domain(domain, key)
        return {
            "key": key.secret.expose().hex(),
            "public_key": key.public.hex(),
            "signature_chain": [link.hex() for link in links],
        }

    def issue(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self._guest.certified(asked, Secret(os.urandom(48)))

    def _info_v1(self, asked: dict[str, Any]) -> dict[str, Any]:
        del asked
        return info_v1(self._guest.instance)

    def get_quote(self, asked: dict[str, Any]) -> dict[str, Any]:
        report = agents_report(fields.raw(asked, "report_data", MAX_DATA_BYTES, prefix=False))
        quote = quote_of(self._guest.instance.evidence(report))
        return {
            "quote": quote.hex(),
            "event_log": self._guest.event_log(),
            "report_data": report.hex(),
            "vm_config": "",
            "attestation": quote.hex(),
        }

    def attest(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Give evidence in our own form: what `keymoot.attest.verify` reads."""
        report = agents_report(fields.raw(asked, "report_data", MAX_DATA_BYTES, prefix=False))
        return {"attestation": self._guest.instance.evidence(report).hex()}

    def attest_v1(self, asked: dict[str, Any]) -> dict[str, Any]:
        fields.flag(asked, "include_boottime_gpu_evidence", default=False)
        return {**self.attest(asked), "boottime_gpu_evidence": []}

    def emit_event(self, asked: dict[str, Any]) -> dict[str, Any]:
        name = fields.text(asked, "event", MAX_EVENT_NAME)
        payload = fields.raw(asked, "payload", MAX_PAYLOAD_BYTES, prefix=False, default="")
        if not name:
            raise BadArgument("an event has a name", "event")
        self._guest.log.add(name, payload)
        return {}

    def sign(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Sign with the key of path `vms`, which does not leave the daemon by this."""
        name = fields.text(asked, "algorithm", 32, "")
        data = fields.raw(asked, "data", MAX_DATA_BYTES, prefix=False)
        if name == PREHASHED and len(data) != 32:
            raise BadArgument("Pre-hashed signing requires a 32-byte digest", "data")
        algorithm = SECP256K1 if name == PREHASHED else dstack_keys.named_algorithm(name)
        key = self._guest.path_key(_SIGNING_PATH, algorithm)
        signature = key.sign_digest(data) if name == PREHASHED else key.sign(data)
        links = [signature, *self._guest.chain().over_path(_SIGNING_PURPOSE, key.public)]
        return {
            "signature": signature.hex(),
            "signature_chain": [link.hex() for link in links],
            "public_key": key.public.hex(),
        }


def version(name: str) -> Method:
    """Give the method that tells an interface's version."""

    def told_version(asked: dict[str, Any]) -> dict[str, Any]:
        del asked
        return {"version": VERSIONS[name], "rev": REV}

    return told_version


def verify(asked: dict[str, Any]) -> dict[str, Any]:
    """Tell whether a signature is a key's; needs no instance."""
    name = fields.text(asked, "algorithm", 32, "")
    data = fields.raw(asked, "data", MAX_DATA_BYTES, prefix=False)
    signature = fields.raw(asked, "signature", 65, prefix=False)
    public = fields.raw(asked, "public_key", 65, prefix=False)
    algorithm = SECP256K1 if name == PREHASHED else dstack_keys.named_algorithm(name)
    if len(public) not in ((32,) if algorithm == ED25519 else (33, 65)):
        raise BadArgument("a public key has 33 or 65 bytes, or 32 of Ed25519", "public_key")
    if len(signature) != 64:
        raise BadArgument("a signature has 64 bytes", "signature")
    if algorithm == ED25519:
        return {"valid": ed25519.verify(Bytes32(public), data, signature)}
    digest = data if name == PREHASHED else sha256(data).digest()
    if len(digest) != 32:
        raise BadArgument("a digest has 32 bytes", "data")
    return {"valid": dstack_keys.secp256k1_verifies(digest, signature, public)}


def methods(prefix: str, table: dict[str, Method]) -> dict[str, dict[str, Handler]]:
    """Give routes of methods: POST with a body of JSON; GET, too, where there is nothing to say."""
    routes: dict[str, dict[str, Handler]] = {}
    for name, method in table.items():
        handler = told(method)
        routes[prefix + name] = {"POST": handler}
        if name in ("Info", "Version"):
            routes[prefix + name]["GET"] = handler
    return routes


def told(method: Method) -> Handler:
    """Have a method's refusals told as dstack's guest agent tells them."""

    def answer(request: HttpRequest) -> HttpResponse:
        try:
            return HttpResponse.json(method(fields.object_of(request, empty=True)))
        except KeymootError as error:
            return HttpResponse.json({"error": bounded(str(error), 1_024)}, 400)

    return answer


def _no_gpu(asked: dict[str, Any]) -> dict[str, Any]:
    fields.raw(asked, "nonce", 32, prefix=False)
    raise NotServed("there is no GPU here that attests")


def _seconds(asked: dict[str, Any], name: str) -> int | None:
    return None if asked.get(name) is None else fields.number(asked, name, 35)
