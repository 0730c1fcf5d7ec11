"""What an instance has to show, and what it signs, to be registered.

Its evidence binds two keys, the app, the network and a recent block, whose hash nobody knew
before that block was there:

    report data = attest.evidence.bind_instance(
        (b"keymoot/app-instance/v1", app, key, encryption), network, hash of the block)
"""

from collections.abc import Sequence

from keymoot.attest.claims import Claims
from keymoot.attest.evidence import EvidenceRefused, ReportData, bind_instance
from keymoot.attest.verify import Believed, Collateral, verify
from keymoot.base.fixed import Address, AppId, Bytes32, Hash32, NetworkId
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.contracts.builtin.apps.errors import (
    DebugRefused,
    MachineRefused,
    MeasurementRefused,
    OtherBinding,
    VendorRefused,
)
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.crypto.keccak import keccak256
from keymoot.threshold.session import framed

EVIDENCE_GAS = 400_000
"""Gas for checking evidence of any kind: 2.5 ms with all certificates new, and as much again."""

EVIDENCE_AGE_SECONDS = 300
"""How old the block may be that evidence names."""

_INSTANCE = b"keymoot/app-instance/v1"
_REGISTER = b"keymoot/v1/apps/register"
_ENDORSE = b"keymoot/v1/apps/endorse"


def instance_report(
    network: NetworkId, app: AppId, key: Address, encryption: Bytes32, block: Hash32
) -> ReportData:
    """Give what an instance's evidence binds; `block` is a recent one's hash."""
    return bind_instance((_INSTANCE, app, key, encryption), network, Bytes32(block))


def registration_digest(report: ReportData, lifetime: Seconds, metadata: bytes) -> Hash32:
    """Give what the instance's own key signs: nobody registers a key that is not his.

    `metadata` is the encoding of the instance's `Entries`.
    """
    return keccak256(framed(_REGISTER, report, lifetime.to_bytes(8, "big"), metadata))


def endorsement_message(report: ReportData) -> bytes:
    """Give what a node signs with its Ed25519 key to endorse an instance, once."""
    return framed(_ENDORSE, report)


def check_evidence(
    evidence: bytes,
    believed: Sequence[Believed],
    policy: AppPolicy,
    report: ReportData,
    now: UnixSeconds,
) -> Claims:
    """Give the claims of evidence that suffices for an app; the caller has paid for the work.

    Raises:
        Malformed: no evidence.
        EvidenceRefused: nobody who is believed vouches for it.
        OtherBinding, DebugRefused, MeasurementRefused, VendorRefused, MachineRefused: as they
            say.
    """
    # 1. Somebody vouches for it whom this network believes.
    claims = verify(evidence, Collateral(believed), now)
    # 2. It was made for this registration.
    if claims.report_data != report:
        raise OtherBinding
    # 3. Nobody reads its memory.
    if claims.debug:
        raise DebugRefused
    # 4. It runs what the app names, and who vouches is named there too.
    if claims.measurement not in policy.measurements:
        raise MeasurementRefused(claims.measurement)
    if claims.vendor not in policy.vendors:
        raise VendorRefused(claims.vendor)
    # 5. The machine is as the app demands.
    try:
        policy.machines.of(claims.vendor).check(claims)
    except EvidenceRefused as error:
        raise MachineRefused(str(error)) from error
    return claims
