"""Attestation reports of AMD SEV-SNP become claims.

AMD, "SEV Secure Nested Paging Firmware ABI Specification", 56860, revision 1.58, section 7.3,
versions 2 to 5; "VCEK Certificate and KDS Interface Specification", 57230. The report is signed
by a key of the chip (VCEK) or of the cloud that owns it (VLEK); its certificate says for which
firmware, comes with the report, and leads over AMD's signing key to AMD's root of that line.

    evidence = rlp([b"keymoot-snp-evidence/v1", report, certificate])

The measurement is the report's own: SHA-384 over what the guest started with. What the host adds
at the start (HOST_DATA) and the guest's owner (ID keys) stand among the registers.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, ClassVar, Final

from cryptography import x509

from keymoot.attest.certificates import (
    MAX_CERTIFICATE_BYTES,
    ChainRefused,
    TrustedRoot,
    check_chain,
    p384_key,
    p384_signed,
    read_certificate,
)
from keymoot.attest.claims import UNRATED, Claims, Tcb
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES, EvidenceRefused, ReportData
from keymoot.attest.revocation import MAX_REVOCATIONS_BYTES, RevocationList, read_revocations
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.forms import ALWAYS, LATER, AtMost, Exactly
from keymoot.base.record import Record
from keymoot.base.units import UnixSeconds

VENDOR = "snp"
TAG = b"keymoot-snp-evidence/v1"
REPORT_BYTES = 1_184
MAX_CHAIN_BYTES = 32_768
"""Longest of what AMD publishes for a line: two certificates and a list."""

_SIGNED, _NUMBER, _SIGNATURE_END = 0x2A0, 72, 0x2A0 + 2 * 72
_ECDSA_P384_SHA384 = 1
_ASSIGNED_VMPLS = 4
_ALWAYS_SET, _MIGRATE, _DEBUG = 1 << 17, 1 << 18, 1 << 19
_NO_AGENT = b"\xff" * 32
_CHIP_KEY, _CLOUD_KEY = 0, 1
_KEY_BITS = 0x1F
"""Of the flags: author key, masked chip key, and which key signs; the rest is reserved."""

_MASKED_CHIP = 0b10

_FIELDS: Final[Mapping[str, tuple[int, int]]] = {
    "GUEST_SVN": (0x04, 4),
    "POLICY": (0x08, 8),
    "FAMILY_ID": (0x10, 16),
    "IMAGE_ID": (0x20, 16),
    "VMPL": (0x30, 4),
    "PLATFORM_INFO": (0x40, 8),
    "HOST_DATA": (0xC0, 32),
    "ID_KEY_DIGEST": (0xE0, 48),
    "AUTHOR_KEY_DIGEST": (0x110, 48),
    "REPORT_ID": (0x140, 32),
}
"""Registers, by AMD's names: where each begins, and its bytes."""

_OLD_LAYOUT: Final[Mapping[str, int]] = {"bootloader": 0, "tee": 1, "snp": 6, "microcode": 7}
_TURIN_LAYOUT: Final[Mapping[str, int]] = {
    "fmc": 0,
    "bootloader": 1,
    "tee": 2,
    "snp": 3,
    "microcode": 7,
}

_AMD = "1.3.6.1.4.1.3704.1"
_SVN_AT: Final[Mapping[str, str]] = {
    "bootloader": f"{_AMD}.3.1",
    "tee": f"{_AMD}.3.2",
    "snp": f"{_AMD}.3.3",
    "microcode": f"{_AMD}.3.8",
    "fmc": f"{_AMD}.3.9",
}
_HARDWARE_ID = f"{_AMD}.4"
_CHIP_BYTES, _SHORT_CHIP_BYTES = 64, 8


@dataclass(frozen=True, slots=True)
class Line:
    """A line of AMD's processors.

    Attributes:
        name: As AMD calls it.
        root: AMD's root for it (ARK).
        family: Of the processor; reports tell it from version 3 on.
        models: Those of the family that are of this line.
        parts: Where each part's version stands in a TCB version.
        chip_bytes: How long the chip's name is, at the front of 64.
    """

    name: str
    root: TrustedRoot
    family: int
    models: range
    parts: Mapping[str, int]
    chip_bytes: int


def _root(line: str, fingerprint: str) -> TrustedRoot:
    return TrustedRoot(f"ARK-{line}", Bytes32.from_hex(fingerprint))


MILAN: Final = Line(
    "Milan",
    _root("Milan", "0x69d063b45344d26a2e94e1f4210de49ef555308287d4c174445c95639a540bcd"),
    0x19,
    range(0x10),
    _OLD_LAYOUT,
    _CHIP_BYTES,
)
GENOA: Final = Line(
    "Genoa",
    _root("Genoa", "0x4c6598d19c18719c5dfd4a7d335f674e5bfe1d8f800cea2cf270c10d103db2f1"),
    0x19,
    range(0x10, 0xB0),
    _OLD_LAYOUT,
    _CHIP_BYTES,
)
TURIN: Final = Line(
    "Turin",
    _root("Turin", "0x1f084161a44bb6d93778a904877d4819cafa5d05ef4193b2ded9dd9c73dd3f6a"),
    0x1A,
    range(0x20),
    _TURIN_LAYOUT,
    _SHORT_CHIP_BYTES,
)


LINES: Final = (MILAN, GENOA, TURIN)


@dataclass(frozen=True, slots=True)
class AmdChain(Record):
    """What AMD publishes for one line, and one kind of key: its signing key, and the root.

    Attributes:
        signer: DER.
        root: DER.
        revoked: The root's list of keys that it has taken back, as DER; may be empty.
    """

    MAX_BYTES: ClassVar[int | None] = MAX_CHAIN_BYTES

    signer: Annotated[bytes, AtMost(MAX_CERTIFICATE_BYTES)]
    root: Annotated[bytes, AtMost(MAX_CERTIFICATE_BYTES)]
    revoked: Annotated[bytes, AtMost(MAX_REVOCATIONS_BYTES), LATER] = b""

    def issuer(self, now: UnixSeconds, lines: Sequence[Line] = LINES) -> "Issuer":
        """Give who vouches, once it is found to be AMD's.

        Raises:
            Malformed: one is no certificate.
            ChainRefused: they do not lead to the root of a line that is known, or that did not
                sign the list.
            CollateralStale: one is out of its dates.
        """
        chain = (self.signer, self.root)
        digest = sha256(self.root).digest()
        for line in lines:
            if digest == line.root.fingerprint:
                check_chain(chain, line.root, now)
                revocations = self.revocations
                if revocations is not None:
                    revocations.validity.check(now)
                return Issuer(line, chain, revocations)
        raise ChainRefused(
            f"the root is none of AMD's ({', '.join([line.name for line in lines])}): it has the "
            f"SHA-256 {digest.hex()}"
        )

    @property
    def revocations(self) -> RevocationList | None:
        """The list, which the root signed; Malformed, ChainRefused as `read_revocations`."""
        if not self.revoked:
            return None
        return read_revocations(self.revoked, self.root, "AMD's list of revoked keys")

    def is_older(self, other: "AmdChain") -> bool:
        """Tell whether its list was made before another's; none was made before any."""
        mine, theirs = self.revocations, other.revocations
        if theirs is None:
            return False
        return mine is None or mine.validity.since < theirs.validity.since

    @property
    def name(self) -> bytes:
        """The signing key's own name, by which certificates of chips call it; DER."""
        return read_certificate(self.signer, "signer").subject.public_bytes()


def signer_of(evidence: bytes) -> bytes:
    """Give who signed the certificate in evidence, by the name that it says; DER.

    Raises:
        Malformed: no evidence of AMD's form, or no certificate.
    """
    leaf = read_certificate(SnpEvidence.decode(evidence).certificate, "certificate")
    return leaf.issuer.public_bytes()


@dataclass(frozen=True, slots=True)
class SnpEvidence(Record):
    """A report, and the certificate of the key that signed it."""

    MAX_BYTES: ClassVar[int | None] = MAX_EVIDENCE_BYTES

    tag: ClassVar[Annotated[bytes, ALWAYS]] = TAG
    report: Annotated[bytes, Exactly(REPORT_BYTES)]
    certificate: Annotated[bytes, AtMost(MAX_CERTIFICATE_BYTES)]


class ReportRefused(EvidenceRefused, code="REPORT_REFUSED"):
    """The report, or the key that signed it, is not one that is believed."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who vouches for the keys of one line's chips, or of clouds that own such chips.

    Attributes:
        line: Of processors.
        chain: AMD's signing key (ASK, or ASVK for clouds) and its root, as DER.
        revocations: Keys that the root has taken back; None where no list is at hand.
    """

    line: Line
    chain: tuple[bytes, bytes]
    revocations: RevocationList | None = None


@dataclass(frozen=True, slots=True)
class Amd:
    """AMD, believed.

    Attributes:
        issuers: One for each line, and each kind of key, that is admitted.
    """

    issuers: Sequence[Issuer]
    vendors: ClassVar[tuple[str, ...]] = (VENDOR,)
    tag: ClassVar[bytes] = TAG

    def verify(self, evidence: bytes, now: UnixSeconds) -> Claims:
        """Give the claims of a report; debug mode and migration are among them.

        Args:
            evidence: An `SnpEvidence`.
            now: Time of the block being executed.

        Raises:
            Malformed: no report of a version that is read, or no certificate.
            EvidenceRefused: AMD does not vouch for it.
        """
        given = SnpEvidence.decode(evidence)
        report, leaf = given.report, read_certificate(given.certificate, "certificate")
        # 1. It is a report of a form that is read, asked for by the guest itself.
        version, signs = _form_of(report)
        # 2. The key's certificate leads to AMD's root of its line, and no key was taken back.
        issuer = self._issuer_of(leaf)
        until = check_chain([given.certificate, *issuer.chain], issuer.line.root, now)
        if issuer.revocations is not None:
            issuer.revocations.check((given.certificate, issuer.chain[0]), now)
            until = min(until, UnixSeconds(issuer.revocations.validity.until - 1))
        # 3. That key signed the report.
        _check_signature(report, leaf)
        # 4. The certificate is for this kind of chip, this chip, and this firmware.
        line = issuer.line
        _check_line(report, version, line)
        parts = _check_firmware(report, leaf, line)
        chip = _chip_of(report, leaf, line) if signs == _CHIP_KEY else None
        # 5. What it says.
        policy = _number(report, "POLICY")
        return Claims.verified(
            vendor=VENDOR,
            measurement=Measurement(report[0x90:0xC0]),
            report_data=ReportData(report[0x50:0x90]),
            debug=bool(policy & _DEBUG),
            migratable=bool(policy & _MIGRATE) or report[0x160:0x180] != _NO_AGENT,
            registers={name: report[at : at + size] for name, (at, size) in _FIELDS.items()},
            tcb=Tcb(UNRATED, (), parts),
            chip=chip,
            valid_until=until,
        )

    def _issuer_of(self, leaf: x509.Certificate) -> Issuer:
        for issuer in self.issuers:
            if read_certificate(issuer.chain[0], "issuer").subject == leaf.issuer:
                return issuer
        names = ", ".join(issuer.line.name for issuer in self.issuers)
        raise ReportRefused(
            f"the key's certificate is of no line that is admitted: admitted is {names or 'none'}"
        )


def _number(report: bytes, name: str) -> int:
    at, size = _FIELDS[name]
    return int.from_bytes(report[at : at + size], "little")


def _form_of(report: bytes) -> tuple[int, int]:
    """Check what every report has in common; give its version, and which key signed it."""
    version, algorithm = (int.from_bytes(report[at : at + 4], "little") for at in (0, 0x34))
    if not 2 <= version <= 5:
        raise Malformed(f"reports of version 2 to 5 are read, this is {version}", "report")
    if algorithm != _ECDSA_P384_SHA384:
        raise Malformed(f"reports are signed by ECDSA P-384 (1), this by {algorithm}", "report")
    if any(report[_SIGNATURE_END:]):
        raise Malformed("bytes after the signature are zero", "report")
    if not _number(report, "POLICY") & _ALWAYS_SET:
        raise Malformed("bit 17 of the policy is always set", "report")
    flags = int.from_bytes(report[0x48:0x4C], "little")
    signs = flags >> 2 & 7
    if flags & _MASKED_CHIP or signs not in (_CHIP_KEY, _CLOUD_KEY):
        raise ReportRefused("no key signed the report: have the host unmask the chip's key")
    if flags & ~_KEY_BITS:
        raise Malformed("reserved flags of the key are zero", "report")
    if _number(report, "VMPL") >= _ASSIGNED_VMPLS:
        raise ReportRefused("the host asked for the report, not the guest")
    return version, signs


def _check_signature(report: bytes, leaf: x509.Certificate) -> None:
    key = p384_key(leaf)
    if key is None:
        raise ReportRefused("keys of chips are on P-384, this is another")
    r, s = (
        int.from_bytes(report[at : at + _NUMBER], "little") for at in (_SIGNED, _SIGNED + _NUMBER)
    )
    if not p384_signed(key, report[:_SIGNED], r, s):
        raise ReportRefused(
            "the key of this certificate did not sign the report: fetch the certificate of this "
            "chip, for the report's firmware"
        )


def _extensions(leaf: x509.Certificate) -> Mapping[str, bytes]:
    return {
        extension.oid.dotted_string: extension.value.value
        for extension in leaf.extensions
        if isinstance(extension.value, x509.UnrecognizedExtension)
    }


def _check_line(report: bytes, version: int, line: Line) -> None:
    if version > 2 and (report[0x188] != line.family or report[0x189] not in line.models):
        raise ReportRefused(
            f"the report is of a processor {report[0x188]:#x} {report[0x189]:#x}, its key of "
            f"the line {line.name}"
        )


def _check_firmware(report: bytes, leaf: x509.Certificate, line: Line) -> Mapping[str, int]:
    """Give the versions that the key is for: those that the report tells, in every part."""
    told, extensions = report[0x180:0x188], _extensions(leaf)
    if any(told[at] for at in range(8) if at not in line.parts.values()):
        raise Malformed("reserved bytes of the TCB version are zero", "report")
    parts = {name: told[at] for name, at in line.parts.items()}
    for name, svn in parts.items():
        extension = extensions.get(_SVN_AT[name])
        if extension != _der_number(svn):
            raise ReportRefused(
                f"the key is for another version of {name} than the report's {svn}: fetch the "
                "certificate for the report's firmware"
            )
    return parts


def _der_number(value: int) -> bytes:
    """Write a byte as DER's INTEGER, which has a sign."""
    body = bytes([value]) if value < 0x80 else bytes([0, value])
    return bytes([2, len(body)]) + body


def _chip_of(report: bytes, leaf: x509.Certificate, line: Line) -> bytes:
    """Give the chip's name, which the key's certificate says; the report may hide it."""
    told, named = report[0x1A0:0x1E0], _extensions(leaf).get(_HARDWARE_ID, b"")
    # Newer certificates have it as an OCTET STRING, older ones bare.
    named = named.removeprefix(bytes([4, line.chip_bytes]))
    if len(named) != line.chip_bytes:
        raise ReportRefused("the key's certificate does not name a chip")
    chip = named.ljust(_CHIP_BYTES, b"\x00")
    if told != chip and any(told):
        raise ReportRefused(
            "the key is another chip's: fetch the certificate for the report's chip id"
        )
    return chip
