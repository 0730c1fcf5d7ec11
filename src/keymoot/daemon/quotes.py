"""Evidence that an agent asks for: over any bytes, but for what would register an instance.

Whoever may choose all 64 bytes could have his own keys vouched for as the app's, and be an
instance outside of this daemon. So registrations end in a way of their own (`attest.evidence`),
and that is the one thing that is not put into evidence for anybody else.
"""

import hashlib
from collections.abc import Callable
from typing import Any, Final

from keymoot.attest.dcap_evidence import TAG as DCAP_TAG
from keymoot.attest.dcap_evidence import DcapEvidence
from keymoot.attest.evidence import INSTANCE_ENDING, ReportData
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.daemon.errors import BadArgument, ReservedReportData

MAX_CONTENT_BYTES = 65_536
"""What is hashed into report data."""

APP_DATA = "app-data"
RAW = "raw"


def _keccak(bits: int) -> Callable[[bytes], Any]:
    import sha3  # noqa: PLC0415

    made: Callable[[bytes], Any] = getattr(sha3, f"keccak_{bits}")
    return made


_HASHES: Final[dict[str, Callable[[bytes], Any]]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "sha3-256": hashlib.sha3_256,
    "sha3-384": hashlib.sha3_384,
    "sha3-512": hashlib.sha3_512,
    "keccak256": _keccak(256),
    "keccak384": _keccak(384),
    "keccak512": _keccak(512),
}


def agents_report(raw: bytes) -> ReportData:
    """Give report data of an agent's bytes, filled with zeros.

    Raises:
        BadArgument: there are over 64.
        ReservedReportData: they could register an instance.
    """
    if len(raw) > ReportData.LENGTH:
        raise BadArgument("Report data is too long: it has at most 64 bytes", "report_data")
    report = ReportData(raw.ljust(ReportData.LENGTH, b"\0"))
    if report.endswith(INSTANCE_ENDING):
        raise ReservedReportData
    return report


def hashed_report(content: bytes, algorithm: str, prefix: str) -> ReportData:
    """Give report data as tappd makes them: a hash of prefix, colon and content; or raw."""
    if algorithm == RAW:
        return agents_report(content)
    made = _HASHES.get(algorithm)
    if made is None:
        raise BadArgument(f"hash algorithms are {', '.join(_HASHES)}, {RAW}", "hash_algorithm")
    return agents_report(made(f"{prefix or APP_DATA}:".encode() + content).digest())


def quote_of(evidence: bytes) -> bytes:
    """Give what the vendor's own tools read: Intel's quote, without our wrapping."""
    try:
        fields = rlp.decode(evidence)
        if isinstance(fields, list) and fields and fields[0] == DCAP_TAG:
            return DcapEvidence.decode(evidence).quote
    except Malformed:
        pass
    return evidence
