"""What an enclave has to show before it is trusted with a share: evidence on the ledger.

A founder's evidence binds its four keys, the network and the genesis' hash, which nobody
knew before all keys stood in it. A newcomer's binds the roots of the epoch in which it is
invited, which nobody knew before that epoch: so evidence of an earlier epoch is none.
"""

from dataclasses import dataclass
from itertools import pairwise

from keymoot.attest import simulated
from keymoot.attest.evidence import ReportData, bind
from keymoot.attest.policy import AllOf, AnyOf, Binds, DebugOff, Measured, Policy, Vendor
from keymoot.attest.verify import Collateral, verify
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import fixed_of, flag_of, list_of, uint
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.units import UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.moot.seat import Boot

ATTESTATION = "attestation"

MAX_MEASUREMENTS = 16

_JOIN_NONCE = b"keymoot/join-nonce/v1"


@dataclass(frozen=True, slots=True)
class Attestation:
    """The page: what evidence has to show.

    Attributes:
        measurements: What code may keep keys, in rising order; none admits nobody.
        simulated: Whether evidence counts that protects nothing.
    """

    measurements: tuple[Measurement, ...] = ()
    simulated: bool = False

    def encode(self) -> bytes:
        """Give the page."""
        return rlp.encode([list(self.measurements), uint(self.simulated)])

    @staticmethod
    def decode(raw: bytes) -> "Attestation":
        """Read the page.

        Raises:
            Malformed: not that.
        """
        measurements, admitted = list_of(rlp.decode(raw), 2, "attestation")
        return Attestation(measurements_of(measurements), simulated=flag_of(admitted, "simulated"))

    def check(self, evidence: bytes, report: ReportData, now: UnixSeconds) -> None:
        """Raise unless evidence shows admitted code that said `report`.

        Args:
            evidence: Whatever somebody sent.
            report: What it has to bind.
            now: Time of the block being executed.

        Raises:
            Malformed: no evidence.
            EvidenceRefused: it does not show that.
        """
        roots = {simulated.VENDOR: simulated.VENDOR_ROOT} if self.simulated else {}
        self.policy(report).check(verify(evidence, Collateral(roots), now))

    def policy(self, report: ReportData) -> Policy:
        """Give what claims have to say, for evidence that binds `report`."""
        vendors = (Vendor(simulated.VENDOR),) if self.simulated else ()
        admitted = tuple(Measured(one) for one in self.measurements)
        return AllOf((AnyOf(vendors), DebugOff(), AnyOf(admitted), Binds(report)))


def measurements_of(item: rlp.Decoded) -> tuple[Measurement, ...]:
    """Read a list of measurements.

    Raises:
        Malformed: too many, twice the same, or not in rising order.
    """
    items = list_of(item, None, "measurements")
    if len(items) > MAX_MEASUREMENTS:
        raise Malformed(f"at most {MAX_MEASUREMENTS} measurements, got {len(items)}")
    found = tuple(fixed_of(one, Measurement, "measurements") for one in items)
    if any(one >= other for one, other in pairwise(found)):
        raise Malformed("measurements stand once each, in rising order", "measurements")
    return found


def founder_report(network: NetworkId, identity: Bytes32, sealing: bytes, boot: Boot) -> ReportData:
    """Give what a founder's evidence binds; the nonce is the hash of the genesis."""
    return join_report(network, Bytes32(network), identity, sealing, boot)


def join_nonce(generation: bytes, number: int, attempt: int, root: bytes) -> Bytes32:
    """Give the nonce of an attempt to end an epoch.

    Args:
        generation: The ledger's.
        number: Of the epoch that lives.
        attempt: To end it.
        root: The page of one of its roots; new commitments come with every epoch.
    """
    made = rlp.encode([_JOIN_NONCE, generation, uint(number), uint(attempt), root])
    return Bytes32(keccak256(made))


def join_report(
    network: NetworkId, nonce: Bytes32, identity: Bytes32, sealing: bytes, boot: Boot
) -> ReportData:
    """Give what a newcomer's evidence binds."""
    return bind((identity, sealing, boot.signing, boot.sealing), network, nonce)
