"""Nodes on hardware of vendors that only tests trust, and what these have published."""

from collections.abc import Callable, Mapping
from functools import cache

import pytest

from keymoot.attest import vendors
from keymoot.attest.machines import MachineDemands
from keymoot.attest.snp import AmdChain
from keymoot.attest.vendors import Posted, machine_name
from keymoot.attest.verify import Collateral, verify
from keymoot.base.fixed import Measurement
from keymoot.base.units import UnixSeconds
from keymoot.committee.attestation import Attestation, NodeDemands
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW
from tests.committee.network import CODE, CommitteeNetwork

MILAN, INTEL, AWS = amd.factory("Milan"), intel.factory(), aws.factory()
CHAIN = AmdChain(*MILAN.issuers["VCEK"][0].chain)
LISTS = INTEL.collateral("TDX")

QUOTES: Mapping[str, Callable[[bytes], bytes]] = {
    "tdx": lambda report: INTEL.evidence(4, intel.td_body(report)),
    "snp": MILAN.evidence,
    "nitro": AWS.evidence,
}
HARDWARE = ("nitro", "snp", "tdx")


def trust(patch: pytest.MonkeyPatch) -> None:
    """Believe the roots of these vendors, and no real one's."""
    patch.setattr(vendors, "amd_lines", lambda: (MILAN.line,))
    patch.setattr(vendors, "amazon", AWS.believed)
    patch.setattr(vendors, "intel_root", lambda: INTEL.trusted)


def published(chain: AmdChain = CHAIN, lists: object = LISTS) -> Posted:
    """Give what vendors have published, as a ledger has it."""
    chains, kinds = {chain.name: chain.encode()}, {machine_name(*lists.machines): lists.encode()}
    return Posted(chains.get, kinds.get)


@cache
def measurements() -> tuple[Measurement, ...]:
    """Give what code may keep keys, as each vendor measures it; SIMULATED too."""
    believed = Collateral((INTEL.believed(), MILAN.believed(), AWS.believed()))
    made = [verify(quote(bytes(64)), believed, UnixSeconds(NOW)) for quote in QUOTES.values()]
    return tuple(sorted([CODE, *(claims.measurement for claims in made)]))


def attestation(
    most_per_maker: int = 0,
    admitted: tuple[str, ...] = HARDWARE,
    *,
    simulated: bool = True,
    **machines: object,
) -> Attestation:
    demands = NodeDemands(admitted, MachineDemands(**machines), most_per_maker)
    return Attestation(measurements(), simulated, demands)


def network(seats: Mapping[int, str], most_per_maker: int = 0, **more: object) -> CommitteeNetwork:
    """Give a network whose seats are of these vendors; its founders have shown nothing yet."""
    quotes = {seat: QUOTES[vendor] for seat, vendor in seats.items() if vendor in QUOTES}
    asked = {"attestation": attestation(most_per_maker), "posted": published()} | more
    return CommitteeNetwork(size=len(seats), quotes=quotes, attested=False, **asked)
