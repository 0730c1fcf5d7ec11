"""A quote of Intel's, TDX or SGX, as evidence: for whoever makes it, or hands it on.

evidence = rlp([b"keymoot-dcap-evidence/v1", quote])
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

from keymoot.attest.evidence import MAX_EVIDENCE_BYTES
from keymoot.base.forms import ALWAYS, AtMost
from keymoot.base.record import Record

TAG = b"keymoot-dcap-evidence/v1"

MAX_QUOTE_BYTES = 16_000
"""Longest quote that is read; those of today have 5,000."""


@dataclass(frozen=True, slots=True)
class DcapEvidence(Record):
    """A quote, as evidence."""

    MAX_BYTES: ClassVar[int | None] = MAX_EVIDENCE_BYTES

    tag: ClassVar[Annotated[bytes, ALWAYS]] = TAG
    quote: Annotated[bytes, AtMost(MAX_QUOTE_BYTES)]
