"""An AMD of our own: reports, and keys of chips and clouds, under roots that only tests trust."""

from dataclasses import dataclass
from functools import cache
from hashlib import sha256

from cryptography.hazmat.primitives.asymmetric import ec, rsa

from keymoot.attest.certificates import TrustedRoot
from keymoot.attest.snp import GENOA, MILAN, TURIN, Amd, Issuer, Line, SnpEvidence
from keymoot.base.fixed import Bytes32
from tests.attest.authority import SINCE, UNTIL, certificate, raw_signature, revoked

LINES = {one.name: one for one in (MILAN, GENOA, TURIN)}
MODEL = {"Milan": (0x19, 0x01), "Genoa": (0x19, 0x11), "Turin": (0x1A, 0x02)}
CODE = b"\x5c" * 48
POLICY = 0x30000
LEAF, SIGNER = 7, 11
"""Serial numbers of keys of chips and clouds, and of AMD's signing keys."""

OID = "1.3.6.1.4.1.3704.1"


def der_number(value: int) -> bytes:
    return bytes([2, 1, value]) if value < 128 else bytes([2, 2, 0, value])


@dataclass(frozen=True)
class Factory:
    """Keys and certificates of one line, from which reports are made."""

    line: Line
    issuers: dict[str, tuple[Issuer, rsa.RSAPrivateKey]]
    key: ec.EllipticCurvePrivateKey
    chip: bytes
    root_key: rsa.RSAPrivateKey

    def revoked(self, *serials: int, since: int = SINCE, until: int = UNTIL) -> bytes:
        """Give the root's list of keys that it has taken back."""
        return revoked(f"ARK-{self.line.name}", self.root_key, list(serials), until, since)

    def believed(self) -> Amd:
        return Amd([one for one, _ in self.issuers.values()])

    @property
    def tcb(self) -> bytes:
        """Eight bytes: one version for each part that the line has."""
        svns = {"fmc": 1, "bootloader": 4, "tee": 2, "snp": 23, "microcode": 200}
        made = bytearray(8)
        for name, at in self.line.parts.items():
            made[at] = svns[name]
        return bytes(made)

    def leaf(self, kind: str = "VCEK", *, chip: bytes | None = None, **svns: int) -> bytes:
        """Give the certificate of the signing key; `svns` are other versions than the report's."""
        _, issuer_key = self.issuers[kind]
        numbers = {"bootloader": 1, "tee": 2, "snp": 3, "microcode": 8, "fmc": 9}
        extensions = [
            (f"{OID}.3.{numbers[name]}", der_number(svns.get(name, self.tcb[at])))
            for name, at in self.line.parts.items()
        ]
        if kind == "VCEK":
            named = self.chip if chip is None else chip
            extensions.append((f"{OID}.4", named))
        return certificate(
            f"SEV-{kind}",
            self.key,
            f"SEV-{kind}-{self.line.name}",
            issuer_key,
            authority=False,
            extensions=extensions,
            serial=LEAF,
        )

    def report(
        self,
        report_data: bytes = bytes(64),
        *,
        version: int = 3,
        policy: int = POLICY,
        kind: str = "VCEK",
        changes: dict[int, bytes] | None = None,
        hidden: bool = False,
    ) -> bytes:
        """Sign a report; `changes` are bytes to put elsewhere before it is signed."""
        made = bytearray(1_184)
        made[0:4] = version.to_bytes(4, "little")
        made[8:16] = policy.to_bytes(8, "little")
        made[0x34] = 1
        made[0x48] = (kind == "VLEK") << 2
        made[0x50:0x90], made[0x90:0xC0] = report_data, CODE
        made[0x160:0x180] = b"\xff" * 32
        made[0x180:0x188] = self.tcb
        if version > 2:
            made[0x188:0x18A] = bytes(MODEL[self.line.name])
        if kind == "VCEK" and not hidden:
            made[0x1A0:0x1E0] = self.chip.ljust(64, b"\0")
        for at, value in (changes or {}).items():
            made[at : at + len(value)] = value
        signed = bytes(made[:0x2A0])
        made[0x2A0:0x330] = raw_signature(self.key, signed, "little", 72)
        return bytes(made)

    def evidence(self, report_data: bytes = bytes(64), kind: str = "VCEK", **changes) -> bytes:
        report = self.report(report_data, kind=kind, **changes)
        return SnpEvidence(report, self.leaf(kind)).encode()


@cache
def factory(name: str = "Milan", bits: int = 2_048) -> Factory:
    """Make the keys of a line, once a process; AMD's have 4,096 bits."""
    known = LINES[name]
    root_key, chip_key, cloud_key = (rsa.generate_private_key(65537, bits) for _ in range(3))
    root = certificate(f"ARK-{name}", root_key, f"ARK-{name}", root_key)
    trusted = TrustedRoot(f"a test's ARK-{name}", Bytes32(sha256(root).digest()))
    line = Line(name, trusted, known.family, known.models, known.parts, known.chip_bytes)
    issuers = {}
    for kind, key in (("VCEK", chip_key), ("VLEK", cloud_key)):
        made = certificate(
            f"SEV-{kind}-{name}", key, f"ARK-{name}", root_key, path_length=0, serial=SIGNER
        )
        issuers[kind] = (Issuer(line, (made, root)), key)
    return Factory(
        line,
        issuers,
        ec.generate_private_key(ec.SECP384R1()),
        bytes(range(1, 1 + line.chip_bytes)),
        root_key,
    )


def other(name: str = "Milan") -> Factory:
    """Give another vendor, whom nobody trusts."""
    return factory.__wrapped__(name)
