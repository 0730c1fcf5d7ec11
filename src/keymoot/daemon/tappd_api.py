"""tappd, the guest agent before dstack's: /prpc/Tappd.METHOD on the same socket."""

import os
from typing import Any

from keymoot.base.secret import Secret
from keymoot.crypto.kdf import derive
from keymoot.daemon import dstack_keys, fields
from keymoot.daemon.dstack_api import DstackApi, DstackGuest, methods, version
from keymoot.daemon.quotes import APP_DATA, MAX_CONTENT_BYTES, RAW, hashed_report, quote_of
from keymoot.daemon.router import Routes

_P256 = "p256"


class TappdApi:
    """Answers tappd's clients."""

    def __init__(self, guest: DstackGuest) -> None:
        self._guest, self._dstack = guest, DstackApi(guest)

    def routes(self) -> Routes:
        return methods(
            "/prpc/Tappd.",
            {
                "DeriveKey": self.derive_key,
                "DeriveK256Key": self.derive_k256_key,
                "TdxQuote": self.tdx_quote,
                "RawQuote": self.raw_quote,
                "Info": self._guest.info,
                "Version": version("v0"),
            },
        )

    def derive_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        """Give a key of P-256 by its path, or a new one, and its certificates."""
        path = fields.text(asked, "path", dstack_keys.MAX_NAME_BYTES, "")
        if fields.flag(asked, "random_seed", default=False):
            seed = Secret(os.urandom(48))
        else:
            root = self._guest.instance.derive(dstack_keys.path_root(path, _P256))
            seed = derive(root, "daemon-p256", path.encode(), length=48)
        return self._guest.certified(asked, seed)

    def derive_k256_key(self, asked: dict[str, Any]) -> dict[str, Any]:
        key = self._dstack.get_key(asked)
        return {"k256_key": key["key"], "k256_signature_chain": key["signature_chain"]}

    def tdx_quote(self, asked: dict[str, Any]) -> dict[str, Any]:
        content = fields.raw(asked, "report_data", MAX_CONTENT_BYTES, prefix=False)
        algorithm = fields.text(asked, "hash_algorithm", 32, "") or "sha512"
        prefix = fields.text(asked, "prefix", 256, "")
        report = hashed_report(content, algorithm, prefix)
        return {
            "quote": quote_of(self._guest.instance.evidence(report)).hex(),
            "event_log": self._guest.event_log(),
            "hash_algorithm": algorithm,
            "prefix": "" if algorithm == RAW else f"{prefix or APP_DATA}:",
        }

    def raw_quote(self, asked: dict[str, Any]) -> dict[str, Any]:
        return self.tdx_quote({"report_data": asked.get("report_data"), "hash_algorithm": RAW})
