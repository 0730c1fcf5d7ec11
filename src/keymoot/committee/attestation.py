"""What an enclave has to show before it is trusted with a share: evidence on the ledger.

A founder's evidence binds its four keys, the network and the genesis' hash, which nobody
knew before all keys stood in it. A newcomer's binds the roots of the epoch in which it is
invited, which nobody knew before that epoch: so evidence of an earlier epoch is none.
"""

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from keymoot.attest import simulated
from keymoot.attest.evidence import ReportData, bind
from keymoot.attest.policy import (
    AllOf,
    AnyOf,
    Binds,
    DebugOff,
    EvidencePolicy,
    MeasurementIs,
    Vendor,
)
from keymoot.attest.verify import Collateral, verify
from keymoot.base import rlp
from keymoot.base.fields import uint
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.forms import AtMost, Check, rises
from keymoot.base.record import Record
from keymoot.base.units import UnixSeconds
from keymoot.committee.seat import SessionKeys
from keymoot.crypto.keccak import keccak256

MAX_MEASUREMENTS = 16

Measurements: TypeAlias = Annotated[tuple[Measurement, ...], AtMost(MAX_MEASUREMENTS), Check(rises)]
"""What code may keep keys: each once, in rising order."""

_JOIN_NONCE = b"keymoot/join-nonce/v1"


@dataclass(frozen=True, slots=True)
class Attestation(Record):
    """The page: what evidence has to show.

    Attributes:
        measurements: What code may keep keys, in rising order; none admits nobody.
        simulated: Whether evidence counts that protects nothing.
    """

    REMEMBERED = 16

    measurements: Measurements = ()
    simulated: bool = False

    def check(self, evidence: bytes, report: ReportData, now: UnixSeconds) -> None:
        """Raise EvidenceRefused unless it shows admitted code that said `report`."""
        believed = (simulated.SimulatedVendor(),) if self.simulated else ()
        self.policy(report).check(verify(evidence, Collateral(believed), now))

    def policy(self, report: ReportData) -> EvidencePolicy:
        vendors = (Vendor(simulated.VENDOR),) if self.simulated else ()
        admitted = tuple(MeasurementIs(measurement) for measurement in self.measurements)
        return AllOf((AnyOf(vendors), DebugOff(), AnyOf(admitted), Binds(report)))


def founder_report(
    network: NetworkId, identity: Bytes32, sealing: bytes, session: SessionKeys
) -> ReportData:
    """Give what a founder's evidence binds; the nonce is the hash of the genesis."""
    return join_report(network, Bytes32(network), identity, sealing, session)


def join_nonce(generation: bytes, number: int, attempt: int, root: bytes) -> Bytes32:
    """`root` is the page of a root: new commitments come with every epoch."""
    made = rlp.encode([_JOIN_NONCE, generation, uint(number), uint(attempt), root])
    return Bytes32(keccak256(made))


def join_report(
    network: NetworkId, nonce: Bytes32, identity: Bytes32, sealing: bytes, session: SessionKeys
) -> ReportData:
    return bind((identity, sealing, session.signing, session.sealing), network, nonce)
