"""Reads `certificate.json`."""

from typing import Any

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.certified import certificate_message
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.root import Share
from tests.threshold.readers.told import by_party, data, hold, raw, root, secret


class Reader:
    """One transcript."""

    def __init__(self, told: Any) -> None:
        parameters = told["parameters"]
        self.root = root(G2, parameters["root"])
        self.message = certificate_message(
            NetworkId(raw(parameters["network"])),
            Hash32(raw(parameters["generation"])),
            Height(parameters["height"]),
            Hash32(raw(parameters["block"])),
        )
        self.secrets = by_party(told["inputs"]["secretShares"])

    def replay(self) -> tuple[Any, Any]:
        """From shares of the key: shares of the certificate, and the certificate."""
        shares = {
            at: bls.sign(Share(at, secret(one), self.root), self.message)
            for at, one in self.secrets.items()
        }
        whole, bad = bls.combine(self.root, self.message, shares)
        assert not bad
        outputs = {
            "message": data(self.message),
            "certificate": data(G1.encode(whole)),
            "value": data(bls.value(whole)),
        }
        return {"shares": {str(at): data(G1.encode(one)) for at, one in shares.items()}}, outputs

    def share(self, told: Any) -> None:
        share = G1.decode(raw(told["share"]))
        hold(bls.check(self.root, told["from"], self.message, share), told["from"])

    def combine(self, told: Any) -> Any:
        shares = {at: G1.decode(raw(one)) for at, one in by_party(told["shares"]).items()}
        whole, bad = bls.combine(self.root, self.message, shares)
        return {"certificate": data(G1.encode(whole)), "bad": bad}

    def verify(self, told: Any) -> None:
        key = G2.decode(raw(told["verifyingKey"]))
        certificate = G1.decode(raw(told["certificate"]))
        hold(bls.verify(key, raw(told["message"]), certificate))
