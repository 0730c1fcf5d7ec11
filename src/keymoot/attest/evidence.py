"""What an enclave proves of itself: evidence before the check, claims after it.

Each vendor has a module; a network's genesis says which vendors it admits. All bind
the same thing in 64 bytes of report data: the enclave's keys, the network, a nonce.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha512
from typing import ClassVar

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Fixed, Measurement, NetworkId

_BINDING = b"keymoot/report-data/v1"

MAX_EVIDENCE_BYTES = 16_384
"""Longest evidence that is read; TDX quotes with their certificates have about 5,000."""


class ReportData(Fixed):
    """The 64 bytes that an enclave puts into its evidence."""

    LENGTH = 64
    __slots__ = ()


class EvidenceRefused(Refused):
    """The evidence is read, and does not show what is needed."""

    code: ClassVar[str] = "EVIDENCE_REFUSED"


@dataclass(frozen=True, slots=True)
class Claims:
    """What verified evidence says; only the vendors' verify functions build one.

    Attributes:
        vendor: `simulated`; later `tdx`, `snp` and others.
        measurement: What the enclave started with.
        report_data: What it binds; see `bind`.
        debug: Its memory can be read from outside: never admitted with secrets.
        simulated: Nothing but a file's permissions protects it.
    """

    vendor: str
    measurement: Measurement
    report_data: ReportData
    debug: bool
    simulated: bool


def bind(keys: Sequence[bytes], network: NetworkId, nonce: Bytes32) -> ReportData:
    """Bind an enclave's keys to a network and to one question, for its report data.

    SHA-512 of canonical RLP, so no two lists of keys read alike.

    Args:
        keys: Public keys in the order that the protocol names.
        network: Where they are to count.
        nonce: From whoever asks, never used before.
    """
    return ReportData(sha512(rlp.encode([_BINDING, list(keys), network, nonce])).digest())
