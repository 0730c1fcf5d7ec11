"""Evidence of a simulated enclave: proof of nothing, in the shape of the real thing.

The vendor's root key is printed below, on purpose: anybody can sign such evidence, so
a network admits it only if its genesis says so, and then every screen says SIMULATED.

    evidence = rlp([b"keymoot-simulated-evidence/v1", measurement, report_data, debug,
                    signature])
    signature = Ed25519 of the vendor's key over rlp(the first four fields)
"""

from dataclasses import dataclass
from typing import ClassVar, Final

from keymoot.attest.claims import Claims
from keymoot.attest.evidence import MAX_EVIDENCE_BYTES, EvidenceRefused, ReportData
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import bytes_of, fixed_of, list_of, uint_of
from keymoot.base.fixed import Bytes32, Measurement
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.crypto import ed25519

VENDOR = "simulated"

PUBLIC_VENDOR_ROOT_KEY: Final = Secret(b"keymoot simulated vendor, PUBLIC")
"""The vendor's private key, which is public: it protects nothing."""

VENDOR_ROOT: Final = ed25519.public_key(PUBLIC_VENDOR_ROOT_KEY)
"""The public half, the collateral for `verify_simulated`."""

ROOT_VALID_FROM = UnixSeconds(1_735_689_600)
"""2025-01-01: real vendors' roots have dates too."""

ROOT_VALID_UNTIL = UnixSeconds(2_208_988_800)
"""2040-01-01."""

TAG = b"keymoot-simulated-evidence/v1"
"""Begins the evidence, and names its format."""

_FIELDS = 5


def quote(
    measurement: Measurement,
    report_data: ReportData,
    vendor_key: Secret = PUBLIC_VENDOR_ROOT_KEY,
    *,
    debug: bool = False,
) -> bytes:
    """Make evidence, as the simulated CPU would for the enclave that runs on it.

    Args:
        measurement: What the enclave started with.
        report_data: What it binds.
        vendor_key: Ed25519 seed of 32 bytes.
        debug: Claim that the enclave runs in debug mode.
    """
    fields: list[rlp.Item] = [TAG, measurement, report_data, b"\x01" if debug else b""]
    return rlp.encode([*fields, ed25519.sign(vendor_key, rlp.encode(fields))])


def verify_simulated(evidence: bytes, root: bytes, now: UnixSeconds) -> Claims:
    """Check evidence and give its claims, which say `simulated=True`.

    Whether a network admits simulated claims, this measurement and debug mode is the
    caller's decision; so is the freshness of the nonce in `report_data`.

    Args:
        evidence: What `quote` made.
        root: The vendor's public key.
        now: Time of the block being executed.

    Raises:
        Malformed: not in this format.
        EvidenceRefused: not signed by the vendor's key, or out of its dates.
    """
    # 1. It has the format.
    if len(evidence) > MAX_EVIDENCE_BYTES:
        raise Malformed(
            f"evidence has {len(evidence)} bytes, at most {MAX_EVIDENCE_BYTES} are read"
        )
    fields = list_of(rlp.decode(evidence), _FIELDS, "evidence")
    if fields[0] != TAG:
        raise Malformed("this is no simulated evidence", "evidence")
    measurement = fixed_of(fields[1], Measurement, "evidence.measurement")
    report_data = fixed_of(fields[2], ReportData, "evidence.reportData")
    debug = uint_of(fields[3], "evidence.debug", 1)
    if debug > 1:
        raise Malformed(f"debug is 0 or 1, got {debug}", "evidence.debug")
    signature = bytes_of(fields[4], "evidence.signature", ed25519.SIGNATURE_BYTES)
    # 2. The vendor's root key is within its dates.
    if not ROOT_VALID_FROM <= now < ROOT_VALID_UNTIL:
        raise EvidenceRefused(f"the simulated vendor's root key is not valid at {now}")
    # 3. The vendor's key signed it.
    signed = rlp.encode([TAG, measurement, report_data, b"\x01" if debug else b""])
    if not ed25519.verify(Bytes32(root), signed, signature):
        raise EvidenceRefused("the simulated vendor's key did not sign this evidence")
    return Claims.verified(
        vendor=VENDOR,
        measurement=measurement,
        report_data=report_data,
        debug=bool(debug),
        simulated=True,
        valid_until=ROOT_VALID_UNTIL,
    )


@dataclass(frozen=True, slots=True)
class SimulatedVendor:
    """The simulated vendor, believed.

    Attributes:
        root: Its public key, 32 bytes.
    """

    root: bytes = VENDOR_ROOT
    vendors: ClassVar[tuple[str, ...]] = (VENDOR,)
    tag: ClassVar[bytes] = TAG

    def verify(self, evidence: bytes, now: UnixSeconds) -> Claims:
        """Check evidence as `verify_simulated` does."""
        return verify_simulated(evidence, self.root, now)
