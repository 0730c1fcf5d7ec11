"""Attestation documents of AWS Nitro Enclaves become claims.

AWS, "Nitro Enclaves attestation process", and RFC 9052: COSE_Sign1 over CBOR, signed by a key whose
certificate lives three hours and leads to AWS's root, all in the document. So there is no
collateral but the root. The hypervisor vouches; it does not say on which machine.

    evidence = rlp([b"keymoot-nitro-evidence/v1", document])

The measurement is PCR0, over the whole image; all sixteen PCRs stand among the registers. The
report data are `user_data`, of 64 bytes; without any they count as zeros. In debug mode AWS gives
zeros for PCR0. A document has a time, by the clock of AWS's hypervisor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Final

import cbor2
from cryptography import x509

from keymoot.attest.certificates import (
    MAX_CERTIFICATE_BYTES,
    MAX_CHAIN,
    TrustedRoot,
    check_chain,
    p384_key,
    p384_signed,
    read_certificate,
)
from keymoot.attest.claims import Claims
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES, EvidenceRefused, ReportData
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.forms import ALWAYS, AtMost
from keymoot.base.record import Record
from keymoot.base.units import UnixSeconds

AWS_ROOT: Final = TrustedRoot(
    "AWS Nitro Enclaves root G1",
    Bytes32.from_hex("0x641a0321a3e244efe456463195d606317ed7cdcc3c1756e09893f3c68f79bb5b"),
)

VENDOR = "nitro"
TAG = b"keymoot-nitro-evidence/v1"

MAX_DOCUMENT_BYTES = 16_000
"""Longest document that is read; AWS's have 4,600, and its own bound is 16 KB."""

MAX_DEPTH = 4
"""Deepest nesting of CBOR that is followed; a document has two levels."""

MAX_USER_BYTES = 1_024
"""Longest of the three fields that the enclave fills: AWS bounds the key by this, the others by
512."""

MAX_MODULE_CHARACTERS = 128
PCRS = 32
_HEADER = bytes.fromhex("a1013822")
"""The protected header, {1: -35}: ECDSA on P-384 with SHA-384."""

_SIGNATURE_BYTES, _HALF = 96, 48
_BYTES, _TEXT, _TAG, _SIMPLE = 2, 3, 6, 7
_NULL_AND_FLAGS = (20, 21, 22)
_LONGEST = 27
"""How CBOR says that a length of eight bytes follows: no shorter code says more."""

_FIELDS = ("module_id", "digest", "timestamp", "pcrs", "certificate", "cabundle")
_OPTIONAL = ("public_key", "user_data", "nonce")


@dataclass(frozen=True, slots=True)
class NitroEvidence(Record):
    """A document, as `/dev/nsm` gives it."""

    MAX_BYTES: ClassVar[int | None] = MAX_EVIDENCE_BYTES

    tag: ClassVar[Annotated[bytes, ALWAYS]] = TAG
    document: Annotated[bytes, AtMost(MAX_DOCUMENT_BYTES)]


class DocumentRefused(EvidenceRefused, code="DOCUMENT_REFUSED"):
    """The document is not signed by the key that it brings, or says what counts for nothing."""


@dataclass(frozen=True, slots=True)
class Aws:
    """AWS, believed.

    Attributes:
        root: Where trust begins.
    """

    root: TrustedRoot = AWS_ROOT
    vendors: ClassVar[tuple[str, ...]] = (VENDOR,)
    tag: ClassVar[bytes] = TAG

    def verify(self, evidence: bytes, now: UnixSeconds) -> Claims:
        """Give the claims of a document; debug mode is among them.

        Args:
            evidence: A `NitroEvidence`.
            now: Time of the block being executed.

        Raises:
            Malformed: no document in the one form that is read.
            CollateralStale: its certificates have ended: they live for hours.
            EvidenceRefused: AWS does not vouch for it.
        """
        # 1. It is COSE_Sign1, in the one form that AWS writes.
        payload, signature = read_envelope(NitroEvidence.decode(evidence).document)
        fields = _read_payload(payload)
        # 2. Its certificates lead to the root.
        chain = [fields.certificate, *reversed(fields.bundle)]
        until = check_chain(chain, self.root, now, "cabundle")
        # 3. The certified key signed it.
        _check_signature(payload, signature, read_certificate(fields.certificate, "certificate"))
        # 4. What it says.
        code = fields.pcrs[0]
        return Claims.verified(
            vendor=VENDOR,
            measurement=Measurement(code),
            report_data=ReportData(fields.user_data or bytes(ReportData.LENGTH)),
            debug=not any(code),
            registers={
                **{f"PCR{at}": value for at, value in fields.pcrs.items()},
                "nonce": fields.nonce,
                "public_key": fields.public_key,
            },
            made_at=UnixSeconds(fields.milliseconds // 1_000),
            valid_until=until,
        )


def read_envelope(document: bytes) -> tuple[bytes, bytes]:
    """Give payload and signature of a document.

    Raises:
        Malformed: not COSE_Sign1, or not in the shortest form.
    """
    items = _cbor(document, "document")
    if not isinstance(items, list) or len(items) != 4:
        raise Malformed("COSE_Sign1 is a list of four", "document")
    protected, unprotected, payload, signature = items
    if protected != _HEADER or unprotected != {}:
        raise Malformed("the header says ES384, and nothing else", "document")
    if not isinstance(payload, bytes) or not isinstance(signature, bytes):
        raise Malformed("payload and signature are bytes", "document")
    if len(signature) != _SIGNATURE_BYTES:
        raise Malformed(f"a signature has {_SIGNATURE_BYTES} bytes", "document")
    # The signature covers the payload alone: what is around it has one form.
    if cbor2.dumps([protected, {}, payload, signature]) != document:
        raise Malformed("the document has a shorter form, or bytes after its end", "document")
    return payload, signature


@dataclass(frozen=True, slots=True)
class _Document:
    milliseconds: int
    pcrs: Mapping[int, bytes]
    certificate: bytes
    bundle: Sequence[bytes]
    user_data: bytes
    nonce: bytes
    public_key: bytes


def _read_payload(payload: bytes) -> _Document:
    fields = _cbor(payload, "payload")
    if not isinstance(fields, dict):
        raise Malformed("a document is a map", "payload")
    for name in fields:
        if name not in (*_FIELDS, *_OPTIONAL):
            raise Malformed("a document has fields that AWS names, and no others", "payload")
    module, milliseconds = fields.get("module_id"), fields.get("timestamp")
    if not isinstance(module, str) or not 0 < len(module) <= MAX_MODULE_CHARACTERS:
        raise Malformed("the enclave's name is a text", "payload.module_id")
    if fields.get("digest") != "SHA384":
        raise Malformed("PCRs are made by SHA384", "payload.digest")
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int):
        raise Malformed("milliseconds were expected", "payload.timestamp")
    if not 0 < milliseconds < 1 << 63:
        raise Malformed("there is no such time", "payload.timestamp")
    pcrs = _pcrs_of(fields.get("pcrs"))
    bundle = fields.get("cabundle")
    if not isinstance(bundle, list) or not 1 <= len(bundle) < MAX_CHAIN:
        raise Malformed(f"1 to {MAX_CHAIN - 1} certificates were expected", "payload.cabundle")
    user, nonce, key = (_optional(fields, name) for name in ("user_data", "nonce", "public_key"))
    return _Document(
        milliseconds,
        pcrs,
        _octets(fields.get("certificate"), "payload.certificate", MAX_CERTIFICATE_BYTES),
        [_octets(certificate, "payload.cabundle", MAX_CERTIFICATE_BYTES) for certificate in bundle],
        # What is no binding of ours is told apart by its length, and binds nothing.
        user if len(user) == ReportData.LENGTH else b"",
        nonce,
        key,
    )


def _pcrs_of(value: object) -> Mapping[int, bytes]:
    if not isinstance(value, dict) or not 1 <= len(value) <= PCRS:
        raise Malformed(f"1 to {PCRS} PCRs were expected", "payload.pcrs")
    registers: dict[int, bytes] = {}
    for at, register in value.items():
        if isinstance(at, bool) or not isinstance(at, int) or not 0 <= at < PCRS:
            raise Malformed(f"PCRs are numbered 0 to {PCRS - 1}", "payload.pcrs")
        registers[at] = _octets(register, "payload.pcrs", 64)
    if len(registers.get(0, b"")) != Measurement.LENGTH:
        raise Malformed(f"PCR0 has {Measurement.LENGTH} bytes", "payload.pcrs")
    return registers


def _optional(fields: Mapping[str, Any], name: str) -> bytes:
    value = fields.get(name)
    return b"" if value is None else _octets(value, f"payload.{name}", MAX_USER_BYTES)


def _octets(value: object, path: str, most: int) -> bytes:
    if not isinstance(value, bytes) or len(value) > most:
        raise Malformed(f"at most {most} bytes were expected", path)
    return value


def _cbor(raw: bytes, path: str) -> Any:
    """Decode CBOR of maps, lists, texts, bytes, integers and null; no key twice."""
    _check_kinds(raw, path)
    try:
        return cbor2.loads(
            raw, max_depth=MAX_DEPTH, allow_indefinite=False, allow_duplicate_keys=False
        )
    except Exception as error:
        raise Malformed("this is not CBOR as documents have it", path) from error


def _check_kinds(raw: bytes, path: str) -> None:
    """Walk over the heads of all items (RFC 8949, section 3), before the library makes values.

    It would make dates, fractions and patterns of what a tag calls so.
    """
    at = 0
    while at < len(raw):
        major, info = raw[at] >> 5, raw[at] & 0x1F
        if major == _TAG or (major == _SIMPLE and info not in _NULL_AND_FLAGS) or info > _LONGEST:
            raise Malformed("documents have no tags, fractions or open lengths", path)
        wide = 1 << (info - 24) if info >= 24 else 0
        at += 1 + wide
        if major in (_BYTES, _TEXT):
            at += int.from_bytes(raw[at - wide : at], "big") if wide else info


def _check_signature(payload: bytes, signature: bytes, leaf: x509.Certificate) -> None:
    key = p384_key(leaf)
    if key is None:
        raise DocumentRefused("keys of documents are on P-384, this is another")
    # RFC 9052, section 4.4: what is signed has the payload in it, and no outer data.
    signed = cbor2.dumps(["Signature1", _HEADER, b"", payload])
    r, s = (int.from_bytes(signature[at : at + _HALF], "big") for at in (0, _HALF))
    if not p384_signed(key, signed, r, s):
        raise DocumentRefused("the key of its certificate did not sign the document")
