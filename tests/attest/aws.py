"""An AWS of our own: documents under a root that only tests trust."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec

from keymoot.attest.certificates import TrustedRoot
from keymoot.attest.nitro import Aws, NitroEvidence
from keymoot.base.fixed import Bytes32
from tests.attest.authority import NOW, certificate, raw_signature

CODE = b"\x71" * 48
HEADER = bytes.fromhex("a1013822")


@dataclass(frozen=True)
class Factory:
    """Keys and certificates, from which documents are made; the leaf is signed by the fourth."""

    key: ec.EllipticCurvePrivateKey
    leaf: bytes
    bundle: tuple[bytes, ...]

    def believed(self) -> Aws:
        return Aws(TrustedRoot("a test's root", Bytes32(sha256(self.bundle[0]).digest())))

    def payload(self, report_data: bytes | None = None, **changes) -> dict:
        """Give the fields; one that is changed to `...` is left out."""
        pcrs = {at: bytes(48) for at in range(16)} | {0: CODE, 4: b"\x04" * 48}
        made = {
            "module_id": "i-0123456789abcdef0-enc0123456789abcdef0",
            "digest": "SHA384",
            "timestamp": NOW * 1_000 + 5,
            "pcrs": pcrs,
            "certificate": self.leaf,
            "cabundle": list(self.bundle),
            "public_key": None,
            "user_data": report_data,
            "nonce": None,
        }
        return {name: value for name, value in (made | changes).items() if value is not ...}

    def document(self, payload: object, *, header: bytes = HEADER, unprotected=None) -> bytes:
        raw = payload if isinstance(payload, bytes) else cbor2.dumps(payload)
        signed = cbor2.dumps(["Signature1", header, b"", raw])
        return cbor2.dumps([header, unprotected or {}, raw, raw_signature(self.key, signed)])

    def evidence(self, report_data: bytes | None = None, **changes) -> bytes:
        return NitroEvidence(self.document(self.payload(report_data, **changes))).encode()


@cache
def factory() -> Factory:
    """Make the keys, once a process."""
    names = ("root", "region", "zone", "instance", "enclave")
    keys = [ec.generate_private_key(ec.SECP384R1()) for _ in names]
    ders = []
    for at, name in enumerate(names):
        above = max(at - 1, 0)
        authority = name != "enclave"
        ders.append(certificate(name, keys[at], names[above], keys[above], authority=authority))
    return Factory(keys[-1], ders[-1], tuple(ders[:-1]))


def other() -> Factory:
    """Give another vendor, whom nobody trusts."""
    return factory.__wrapped__()
