"""The one door through which evidence becomes claims, whichever vendor made it.

RFC 9334's verifier, pure: collateral and time are arguments. Evidence is RLP whose first
item names its format. Each vendor's module brings a class that is that vendor, believed:
its roots, what it publishes, and how its evidence is checked. Whoever believes no vendor of
hardware loads none of their libraries.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from keymoot.attest.claims import Claims
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES, EvidenceRefused
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.units import UnixSeconds


class Believed(Protocol):
    """A vendor, with what is needed to check what it says."""

    @property
    def vendors(self) -> Sequence[str]:
        """Names that its claims may have."""
        ...

    @property
    def tag(self) -> bytes:
        """First item of its evidence, which names the format."""
        ...

    def verify(self, evidence: bytes, now: UnixSeconds) -> Claims:
        """Give the claims.

        Raises:
            Malformed: not in the vendor's format.
            EvidenceRefused: not of this vendor, or out of date.
        """
        ...


@dataclass(frozen=True, slots=True)
class Collateral:
    """What is known of the vendors when evidence is read.

    Attributes:
        believed: Each vendor once; who is not here is not believed.
    """

    believed: Sequence[Believed] = ()


def verify(evidence: bytes, collateral: Collateral, now: UnixSeconds) -> Claims:
    """Check who made evidence and give what it says; a `Policy` decides what that is worth.

    Args:
        evidence: At most `MAX_EVIDENCE_BYTES`.
        collateral: The vendors that are believed.
        now: Time of the block being executed.

    Raises:
        Malformed: no evidence, or not in its vendor's format.
        EvidenceRefused: of a vendor that is not believed, or not signed by it.
    """
    # 1. It is no longer than anybody has a reason for, and names a format.
    tag = tag_of(evidence)
    # 2. Its vendor is believed here, and made it.
    for collateral_ in collateral.believed:
        if collateral_.tag == tag:
            return collateral_.verify(evidence, now)
    names = [name for collateral_ in collateral.believed for name in collateral_.vendors]
    raise not_admitted(names)


def not_admitted(vendors: Sequence[str]) -> EvidenceRefused:
    """Give the refusal of evidence in a format that none of those makes who are admitted."""
    return EvidenceRefused(
        f"evidence of this format is not admitted by this network: admitted is evidence of "
        f"{', '.join(vendors) or 'nobody'}"
    )


def tag_of(evidence: bytes) -> bytes:
    """Give the first item of evidence, which names its format.

    Raises:
        Malformed: it is too long, or names none.
    """
    if len(evidence) > MAX_EVIDENCE_BYTES:
        raise Malformed(
            f"evidence has {len(evidence)} bytes, at most {MAX_EVIDENCE_BYTES} are read"
        )
    fields = rlp.decode(evidence)
    tag = fields[0] if isinstance(fields, list) and fields else None
    if not isinstance(tag, bytes):
        raise Malformed("evidence of no known format", "evidence")
    return tag
