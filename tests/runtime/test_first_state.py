"""What a genesis has of vendors is on the ledger from its first block on, by the usual rules."""

from dataclasses import replace

import pytest

from keymoot.attest.certificates import ChainRefused
from keymoot.attest.evidence import CollateralStale
from keymoot.attest.vendors import OlderThanKept, machine_name
from keymoot.base.errors import KeymootError, Malformed
from keymoot.base.units import UnixNanos
from keymoot.committee.attestation import NodeDemands
from keymoot.committee.genesis import Genesis, NodeAdmission
from keymoot.contracts.builtin.apps.cells import posted_on
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.runtime.first_state import first_state
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.attest import amd, intel
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.committee.hardware import CHAIN, HARDWARE, INTEL, LISTS, MILAN, trust
from tests.committee.test_genesis import GENESIS

ADMISSION = NodeAdmission(NodeDemands(HARDWARE), (CHAIN.encode(),), (LISTS.encode(),))


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch)


def genesis(now: int = NOW, **admission: object) -> Genesis:
    asked = replace(ADMISSION, **admission)
    return replace(GENESIS, time=UnixNanos(now * 10**9), admission=asked)


def test_it_is_there_for_nodes_and_apps_alike() -> None:
    root, first = first_state(genesis())
    table = MemoryTable()
    table.apply(first)
    store = PublicStore(Journal(State(table, root)), Apps.ADDRESS, FreeMeter(), writable=False)
    posted = posted_on(store)
    assert posted.chain(CHAIN.name) == CHAIN.encode()
    assert posted.lists(machine_name(*LISTS.machines)) == LISTS.encode()
    # whoever founds one without hardware has the first state of ever
    assert first_state(GENESIS)[0] == first_state(replace(GENESIS, admission=NodeAdmission()))[0]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"now": UNTIL + 1}, CollateralStale),
        ({"intel_lists": (INTEL.collateral("TDX", until=NOW - 1).encode(),)}, CollateralStale),
        ({"intel_lists": (intel.other().collateral("TDX").encode(),)}, ChainRefused),
        (
            {"amd_chains": (replace(CHAIN, revoked=MILAN.revoked(until=NOW)).encode(),)},
            CollateralStale,
        ),
        ({"amd_chains": (replace(CHAIN, revoked=amd.other().revoked()).encode(),)}, ChainRefused),
        ({"amd_chains": (b"\xc0",)}, Malformed),
        ({"amd_chains": (LISTS.encode(),)}, Malformed),
        # of two for one machine the older one comes first, or not at all
        (
            {"intel_lists": (LISTS.encode(), INTEL.collateral("TDX", since=SINCE - 9).encode())},
            OlderThanKept,
        ),
    ],
    ids=range(8),
)
def test_what_is_not_the_vendors_or_is_stale_founds_nothing(
    changes: dict[str, object], why: type[KeymootError]
) -> None:
    with pytest.raises(why):
        first_state(genesis(**changes))
