"""What an enclave has to show before it is trusted with a share: evidence on the ledger.

A founder's evidence binds its four keys, the network and the genesis' hash, which nobody
knew before all keys stood in it. A newcomer's binds the roots of the epoch in which it is
invited, which nobody knew before that epoch: so evidence of an earlier epoch is none.
"""

from dataclasses import dataclass
from typing import Annotated, Final, TypeAlias

from keymoot.attest import simulated
from keymoot.attest.evidence import ReportData, bind
from keymoot.attest.machines import CLOSED_AND_UP_TO_DATE, MachineDemands, Vendors
from keymoot.attest.policy import (
    AllOf,
    AnyOf,
    Binds,
    DebugOff,
    EvidencePolicy,
    MeasurementIs,
    Vendor,
)
from keymoot.attest.vendors import NOTHING_POSTED, VENDORS_OF, Posted, believed_for
from keymoot.attest.verify import Collateral, not_admitted, tag_of, verify
from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fields import uint
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.forms import LATER, U16, AtMost, Check, rises
from keymoot.base.record import Record
from keymoot.base.units import UnixSeconds
from keymoot.committee.seat import SessionKeys
from keymoot.crypto.keccak import keccak256

MAX_MEASUREMENTS = 16

Measurements: TypeAlias = Annotated[tuple[Measurement, ...], AtMost(MAX_MEASUREMENTS), Check(rises)]
"""What code may keep keys: each once, in rising order."""

_JOIN_NONCE = b"keymoot/join-nonce/v1"


@dataclass(frozen=True, slots=True)
class NodeDemands(Record):
    """What is demanded of nodes on hardware, and of how nodes are mixed. By default none is let in.

    Attributes:
        vendors: Who may vouch for a node, in rising order; SIMULATED ones are not named here.
        machines: What their machines have to be like.
        most_per_maker: How many seats one maker of enclaves may vouch for, and never more than
            ECDSA's degree, so that its forged evidence makes up no key; 0 asks nothing.
    """

    vendors: Vendors = ()
    machines: MachineDemands = CLOSED_AND_UP_TO_DATE
    most_per_maker: U16 = 0

    def __post_init__(self) -> None:
        """Refuse SIMULATED evidence here: a development network takes it, and says so."""
        if simulated.VENDOR in self.vendors:
            raise Malformed("SIMULATED nodes are for development networks, by that word", "vendors")


NO_HARDWARE: Final = NodeDemands()
"""Lets no hardware in, and asks for no mix."""


@dataclass(frozen=True, slots=True)
class Attestation(Record):
    """The page: what evidence has to show.

    Attributes:
        measurements: What code may keep keys, in rising order; none admits nobody.
        simulated: Whether evidence counts that protects nothing.
        demands: What else is demanded.
    """

    REMEMBERED = 16

    measurements: Measurements = ()
    simulated: bool = False
    demands: Annotated[NodeDemands, LATER] = NO_HARDWARE

    @property
    def vendors(self) -> tuple[str, ...]:
        """Who may vouch for a node."""
        return (*self.demands.vendors, *((simulated.VENDOR,) if self.simulated else ()))

    def check(
        self,
        evidence: bytes,
        report: ReportData,
        now: UnixSeconds,
        posted: Posted = NOTHING_POSTED,
    ) -> str:
        """Give who vouches for it: evidence that shows admitted code which said `report`.

        Args:
            evidence: Of a founder or a newcomer.
            report: What it has to bind.
            now: Time of the block being executed.
            posted: What AMD and Intel publish, as it stands on the ledger.

        Raises:
            Malformed: no evidence.
            EvidenceRefused: nobody who is admitted vouches for it, or it shows something else;
                `NoAmdChain`, `NoIntelLists`, `CollateralStale` say what has to be posted.
        """
        # 1. Somebody is admitted who makes such evidence: known before anything is spent on it.
        if not set(VENDORS_OF.get(tag_of(evidence), ())).intersection(self.vendors):
            raise not_admitted(self.vendors)
        # 2. He vouches for it.
        believed = believed_for(evidence, self.simulated, posted, now)
        claims = verify(evidence, Collateral(believed), now)
        # 3. It shows what is demanded.
        self.policy(report, claims.vendor).check(claims)
        return claims.vendor

    def policy(self, report: ReportData, vendor: str) -> EvidencePolicy:
        """Give what claims have to say, of whom `vendor` vouches for."""
        vendors = tuple(Vendor(name) for name in self.vendors)
        admitted = tuple(MeasurementIs(measurement) for measurement in self.measurements)
        machine = self.demands.machines.of(vendor)
        return AllOf((AnyOf(vendors), DebugOff(), AnyOf(admitted), Binds(report), machine))


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
