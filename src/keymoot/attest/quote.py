"""Intel's quotes, as bytes: header, body, and what vouches for them.

Intel, "TDX DCAP Quoting Library API", appendix A, and "SGX ECDSA QuoteLib Reference",
appendix A: versions 3 (SGX), 4 and 5 (TDX). Nothing is checked here but the form;
`tdx` does that. Every length is told before what it measures is read.
"""

from dataclasses import dataclass
from typing import Final

from keymoot.base.errors import Malformed

SGX, TDX = 0, 0x81
"""Kinds of enclave, as the header numbers them."""

_HEADER = 48
_ECDSA_P256 = 2
_BODY_KINDS = {1: ("sgx", 384), 2: ("td10", 584), 3: ("td15", 648)}
_QE_REPORT, _SIGNATURE, _KEY = 384, 64, 64
_OF_QE, _OF_CHAIN = 6, 5
MAX_AUTH_BYTES = 1_024
"""Longest data that the quoting enclave authenticates beside its key; it uses 32."""

_SGX_FIELDS: Final = {
    "attributes": (48, 8),
    "MRENCLAVE": (64, 32),
    "MRSIGNER": (128, 32),
    "CONFIGID": (192, 64),
    "ISVPRODID": (256, 2),
    "ISVSVN": (258, 2),
    "reportData": (320, 64),
}
_TD_FIELDS: Final = {
    "MRSEAM": (16, 48),
    "attributes": (120, 8),
    "XFAM": (128, 8),
    "MRTD": (136, 48),
    "MRCONFIGID": (184, 48),
    "MROWNER": (232, 48),
    "MROWNERCONFIG": (280, 48),
    "RTMR0": (328, 48),
    "RTMR1": (376, 48),
    "RTMR2": (424, 48),
    "RTMR3": (472, 48),
    "reportData": (520, 64),
}
_TD15_FIELDS: Final = {**_TD_FIELDS, "MRSERVICETD": (600, 48)}
_FIELDS: Final = {"sgx": _SGX_FIELDS, "td10": _TD_FIELDS, "td15": _TD15_FIELDS}


@dataclass(frozen=True, slots=True)
class Quote:
    """A quote that has the form of one.

    Attributes:
        version: 3, 4 or 5.
        tee: `SGX` or `TDX`.
        fields: Those of the body that are used here, by Intel's names; `attributes` and
            `reportData` stand in every one.
        chain: Certificates of the machine's key, in PEM.
    """

    version: int
    tee: int
    fields: dict[str, bytes]
    chain: bytes

    @property
    def attributes(self) -> int:
        """Attributes of the enclave, as Intel numbers the bits."""
        return int.from_bytes(self.fields["attributes"], "little")


class _Reader:
    """Takes bytes from the front; says which are missing."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, count: int, what: str) -> bytes:
        """Give the next bytes."""
        if len(self.raw) - self.at < count:
            raise Malformed(f"the quote ends within its {what}: {count} bytes were announced", what)
        self.at += count
        return self.raw[self.at - count : self.at]

    def number(self, count: int, what: str) -> int:
        """Give the next number, which is little-endian."""
        return int.from_bytes(self.take(count, what), "little")

    def end(self, what: str) -> None:
        """Raise unless nothing is left."""
        if self.at != len(self.raw):
            raise Malformed(f"{len(self.raw) - self.at} bytes follow its end: cut them off", what)


def read_quote(raw: bytes) -> Quote:
    """Read a quote, whole.

    Raises:
        Malformed: no quote, or one of a form that is not read.
    """
    reader = _Reader(raw)
    # 1. The header: version, kind of key, kind of enclave.
    header = reader.take(_HEADER, "header")
    version, kind = (int.from_bytes(header[at : at + 2], "little") for at in (0, 2))
    tee = int.from_bytes(header[4:8], "little")
    if version not in (3, 4, 5):
        raise Malformed(f"quotes of version 3, 4 and 5 are read, this is {version}", "header")
    if kind != _ECDSA_P256:
        raise Malformed(f"attestation keys are ECDSA P-256 (2), this is {kind}", "header")
    if tee != (SGX if version == 3 else TDX):
        raise Malformed(f"in version {version} no enclave of kind {tee:#x} is read", "header")
    # 2. The body, whose size follows from its kind.
    body = 1 if tee == SGX else 2
    if version == 5:
        body, size = reader.number(2, "body"), reader.number(4, "body")
        if body not in (2, 3) or _BODY_KINDS[body][1] != size:
            raise Malformed(f"a body of kind {body} and {size} bytes is not read here", "body")
    name, size = _BODY_KINDS[body]
    content = reader.take(size, "body")
    fields = {field: content[at : at + long] for field, (at, long) in _FIELDS[name].items()}
    # 3. What vouches for it: exactly as long as it says.
    vouched = _Reader(reader.take(reader.number(4, "signature"), "signature"))
    reader.end("quote")
    return Quote(version, tee, fields, _chain_of(vouched, version))


def without_filling(raw: bytes) -> bytes:
    """Give a quote without the zeros that kernels leave behind it.

    Raises:
        Malformed: no quote.
    """
    at = _HEADER + (6 if raw[:1] == b"\x05" else 0)
    body = _BODY_KINDS[1 if raw[:1] == b"\x03" else 2][1]
    if raw[:1] == b"\x05":
        body = int.from_bytes(raw[_HEADER + 2 : at], "little")
    at += body
    end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
    cut = raw[:end] if not any(raw[end:]) else raw
    read_quote(cut)
    return cut


def _chain_of(reader: _Reader, version: int) -> bytes:
    """Give the machine's certificates; the signatures before them are the verifier's affair."""
    reader.take(_SIGNATURE + _KEY, "signature")
    if version > 3:
        if (kind := reader.number(2, "certification")) != _OF_QE:
            raise Malformed(f"certification data of kind 6 was expected, got {kind}", "signature")
        inner = _Reader(reader.take(reader.number(4, "certification"), "certification"))
        reader.end("signature")
        reader = inner
    reader.take(_QE_REPORT + _SIGNATURE, "quoting enclave")
    if (length := reader.number(2, "authenticated data")) > MAX_AUTH_BYTES:
        raise Malformed(f"at most {MAX_AUTH_BYTES} bytes, got {length}", "authenticated data")
    reader.take(length, "authenticated data")
    kind, size = reader.number(2, "certificates"), reader.number(4, "certificates")
    if kind != _OF_CHAIN:
        raise Malformed(
            f"the machine's certificates are not in the quote (data of kind {kind}): have the "
            "quote service put the whole chain into it, kind 5",
            "certificates",
        )
    chain = reader.take(size, "certificates")
    reader.end("certificates")
    return chain
