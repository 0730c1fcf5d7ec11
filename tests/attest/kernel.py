"""Linux and AWS's module, as far as evidence goes: small, and honest unless told otherwise."""

from dataclasses import dataclass, field
from uuid import UUID

import cbor2

from tests.attest import amd, aws, intel


@dataclass
class Tsm:
    """A folder of configfs-tsm on a machine that tests made."""

    provider: str = "tdx_guest"
    table: bytes = b""
    filling: bytes = b""
    others_write: int = 0
    asked: bytes = b""
    generation: int = 3
    says: dict[str, bytes] = field(default_factory=dict)

    def write(self, attribute: str, value: bytes) -> None:
        assert attribute == "inblob"
        self.asked = bytes(value)
        self.generation += 1 + self.others_write

    def read(self, attribute: str, most: int) -> bytes:
        found = self.says.get(attribute)
        if found is None:
            found = {
                "provider": lambda: self.provider.encode() + b"\n",
                "generation": f"{self.generation}\n".encode,
                "outblob": self.report,
                "auxblob": lambda: self.table,
            }[attribute]()
        assert len(found) <= most
        return found

    def report(self) -> bytes:
        if self.provider == "tdx_guest":
            return intel.factory().quote(4, intel.td_body(self.asked)) + self.filling
        return amd.factory().report(self.asked)


def table_of(**certificates: bytes) -> bytes:
    """Give a host's table of certificates."""
    guids = {
        "vcek": "63da758d-e664-4564-adc5-f4b93be8accd",
        "vlek": "a8074bc2-a25a-483e-aae6-39c045a0b8a1",
        "ask": "4ab7b379-bbac-4fe4-a02f-05aef327c782",
    }
    at = 24 * (len(certificates) + 1)
    head = body = b""
    for name, der in certificates.items():
        head += UUID(guids[name]).bytes + at.to_bytes(4, "little") + len(der).to_bytes(4, "little")
        body += der
        at += len(der)
    return head + bytes(24) + body


def nsm(request: bytes) -> bytes:
    """Answer as the module does."""
    asked = cbor2.loads(request).get("Attestation")
    if asked is None:
        return cbor2.dumps({"Error": "InvalidOperation"})
    made = aws.factory()
    document = made.document(made.payload(**asked))
    return cbor2.dumps({"Attestation": {"document": document}})
