"""How long evidence takes to check: of a machine that was seen before, and of a new one.

Certificates that were checked are remembered, so a machine's second evidence costs less. It is
processor time: whatever else runs beside it only makes it later.
"""

import time

from bench.row import Row, median_seconds
from keymoot.attest import certificates
from keymoot.attest.verify import Believed, Collateral, verify
from keymoot.base.units import UnixSeconds
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW

RUNS = 200
AMD_BITS = 4_096


def measure() -> list[Row]:
    chips = amd.factory(bits=AMD_BITS)
    made: list[tuple[str, float, Believed, bytes]] = [
        ("TDX quote", 1, intel.factory().believed(), intel.factory().evidence(4, intel.td_body())),
        ("SEV-SNP report", 2, chips.believed(), chips.evidence()),
        ("Nitro document", 2, aws.factory().believed(), aws.factory().evidence(bytes(64))),
    ]
    rows = []
    for name, goal, vendor, evidence in made:
        believed = Collateral((vendor,))

        def check(evidence: bytes = evidence, believed: Collateral = believed) -> None:
            verify(evidence, believed, UnixSeconds(NOW))

        def check_anew(evidence: bytes = evidence, believed: Collateral = believed) -> None:
            certificates.whole_certificate.cache_clear()
            certificates.why_not_issued.cache_clear()
            verify(evidence, believed, UnixSeconds(NOW))

        again, first = (
            median_seconds(work, RUNS, clock=time.process_time) * 1_000
            for work in (check, check_anew)
        )
        rows.append(Row(f"{name}, of a machine seen before", again, "ms", goal))
        rows.append(Row(f"{name}, every certificate new", first, "ms", goal))
    return rows
