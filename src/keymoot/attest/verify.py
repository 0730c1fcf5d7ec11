"""The one door through which evidence becomes claims, whichever vendor made it.

RFC 9334's verifier, pure: collateral and time are arguments. Evidence is RLP whose first
item names its format; a hardware vendor adds a module and a line in `_FORMATS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from keymoot.attest import simulated
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES, Claims, EvidenceRefused
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.units import UnixSeconds


@dataclass(frozen=True, slots=True)
class Collateral:
    """What is known of the vendors when evidence is read.

    Attributes:
        roots: Each vendor's root key, by its name; who is not here is not believed.
    """

    roots: Mapping[str, bytes] = field(default_factory=dict)


_Verify = Callable[[bytes, bytes, UnixSeconds], Claims]

_FORMATS: Final[Mapping[bytes, tuple[str, _Verify]]] = {
    simulated.TAG: (simulated.VENDOR, simulated.verify_simulated),
}


def verify(evidence: bytes, collateral: Collateral, now: UnixSeconds) -> Claims:
    """Check who made evidence and give what it says; a `Policy` decides what that is worth.

    Args:
        evidence: At most `MAX_EVIDENCE_BYTES`.
        collateral: The vendors that are believed.
        now: Time of the block being executed.

    Raises:
        Malformed: in no known format.
        EvidenceRefused: of a vendor that is not believed, or not signed by it.
    """
    # 1. It is no longer than anybody has a reason for: nothing is read before that is known.
    if len(evidence) > MAX_EVIDENCE_BYTES:
        raise Malformed(
            f"evidence has {len(evidence)} bytes, at most {MAX_EVIDENCE_BYTES} are read"
        )
    # 2. Its format is known.
    fields = rlp.decode(evidence)
    tag = fields[0] if isinstance(fields, list) and fields else b""
    known = _FORMATS.get(tag) if isinstance(tag, bytes) else None
    if known is None:
        raise Malformed("evidence of no known format", "evidence")
    # 3. Its vendor is believed here.
    vendor, check = known
    root = collateral.roots.get(vendor)
    if root is None:
        raise EvidenceRefused(f"evidence of the vendor {vendor} is not admitted by this network")
    # 4. The vendor made it.
    return check(evidence, root, now)
