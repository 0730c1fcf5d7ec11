"""What an enclave proves of itself, before anybody has checked it; and why it is refused.

Each vendor has a module; a network's genesis says which vendors it admits. All bind
the same thing in 64 bytes of report data: the enclave's keys, the network, a nonce.
"""

from collections.abc import Sequence
from hashlib import sha512

from keymoot.base import rlp
from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Fixed, NetworkId

_BINDING = b"keymoot/report-data/v1"

MAX_EVIDENCE_BYTES = 16_384
"""Longest evidence that is read; TDX quotes with their certificates have about 5,000."""


INSTANCE_ENDING = b"keymoot/instance"
"""How report data end that register an app's instance: what a daemon binds for nobody else."""


class ReportData(Fixed):
    """The 64 bytes that an enclave puts into its evidence."""

    LENGTH = 64
    __slots__ = ()


class EvidenceRefused(Refused, code="EVIDENCE_REFUSED"):
    """The evidence is read, and does not show what is needed."""


class EvidenceNotMade(Refused, code="EVIDENCE_NOT_MADE"):
    """This machine gave no evidence of itself."""


class CollateralStale(EvidenceRefused, code="COLLATERAL_STALE"):
    """What the vendor publishes is too old, or too new, to check evidence by.

    Attributes:
        what: The list or certificate.
        now: When it was needed.
        since: From when it counts.
        until: And how long.
    """

    def __init__(self, what: str, now: int, since: int, until: int) -> None:
        self.what, self.now, self.since, self.until = what, now, since, until
        told = "ended" if now >= until else "does not count yet"
        super().__init__(
            f"{what} {told}: it counts from {since} to {until}, it is {now}: fetch the vendor's "
            "newest collateral, and post it"
        )


class DebugEnclave(EvidenceRefused, code="DEBUG_ENCLAVE"):
    """The enclave's memory is open to its host."""

    message = "the enclave runs in debug mode: its memory is open to its host; start it without"


def bind(keys: Sequence[bytes], network: NetworkId, nonce: Bytes32) -> ReportData:
    """Bind an enclave's keys to a network and to one question, for its report data.

    SHA-512 of canonical RLP, so no two lists of keys read alike.

    Args:
        keys: Public keys in the order that the protocol names.
        network: Where they are to count.
        nonce: From whoever asks, never used before.
    """
    return ReportData(sha512(rlp.encode([_BINDING, list(keys), network, nonce])).digest())


def bind_instance(keys: Sequence[bytes], network: NetworkId, nonce: Bytes32) -> ReportData:
    """Bind an app's instance, in a way that nobody gets who only chooses a nonce or a text.

    48 bytes of what `bind` gives, and `INSTANCE_ENDING`.
    """
    kept = ReportData.LENGTH - len(INSTANCE_ENDING)
    return ReportData(bind(keys, network, nonce)[:kept] + INSTANCE_ENDING)
