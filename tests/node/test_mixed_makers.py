"""A running network whose enclaves are of four makers, under vendors that only tests trust."""

from collections.abc import Callable
from pathlib import Path

import pytest

from keymoot.agent.app_admin import AppAdmin
from keymoot.agent.owner import new_key
from keymoot.agent.vendor_lists import send_intel_lists
from keymoot.attest.quorum import VendorHoldsTooMuch
from keymoot.base.errors import KeymootError, Malformed
from keymoot.committee.attestation import NodeDemands
from keymoot.committee.genesis import NodeAdmission
from keymoot.committee.messages import Kind, NodeMessage, is_message
from keymoot.node.admin.standing import standing_json
from keymoot.node.existing import OtherOption
from keymoot.testing.clients import Served
from keymoot.testing.network import START, World, memory
from keymoot.testing.process import SeededPlatform
from tests.attest.authority import SINCE
from tests.committee.hardware import CHAIN, HARDWARE, INTEL, QUOTES, measurements, trust
from tests.node.in_memory import committee_status, in_memory, turn

FOUR = {1: "tdx", 2: "snp", 3: "nitro", 4: "simulated"}
BEGUN = START // 10**9
LISTS_END = BEGUN + 3_000


def admission(**changes: object) -> NodeAdmission:
    lists = INTEL.collateral("TDX", until=LISTS_END).encode()
    demands = NodeDemands(HARDWARE, most_per_maker=1)
    return NodeAdmission(demands, (CHAIN.encode(),), (lists,))


@pytest.fixture
def makers(monkeypatch: pytest.MonkeyPatch) -> dict[int, str]:
    """Of which vendor the machine of each seat is; the others' are simulated."""
    trust(monkeypatch)
    vendors, simulated = dict(FOUR), SeededPlatform.quote

    def quote(self: SeededPlatform, report: bytes) -> bytes:
        # each seat's fuses are its number
        vendor = vendors.get(self._fuse.expose()[0], "simulated")
        return QUOTES[vendor](report) if vendor in QUOTES else simulated(self, report)

    monkeypatch.setattr(SeededPlatform, "quote", quote)
    return vendors


def mixed(folder: Path) -> Callable[[], Served]:
    return in_memory(
        folder, admission=admission(), measurements=measurements(), epoch_seconds=86_400
    )


def vendors_of(net: Served) -> dict[int, str]:
    """Give what is proved of who vouched for each seat."""
    return net.network.committee().vendors


def refused_joins(net: Served) -> list[str]:
    """Give the words by which newcomers were refused, block by block."""
    ledger, words = net.world.ledger, []
    for height in range(1, ledger.height() + 1):
        stored = ledger.block(height)
        for raw, receipt in zip(stored.transactions, ledger.receipts(stored), strict=True):
            if is_message(raw) and NodeMessage.decode(raw).kind is Kind.JOIN and receipt.error_code:
                words.append(receipt.error_code)
    return words


def test_it_is_founded_shows_its_makers_and_keeps_their_mix(
    tmp_path: Path, makers: dict[int, str]
) -> None:
    with mixed(tmp_path) as net:
        # 1. It says who vouched for whom, and what its genesis demands; both are proved.
        told = {seat["seat"]: seat["vendor"] for seat in committee_status(net)["seats"]}
        assert told == vendors_of(net) == FOUR
        assert committee_status(net)["seats"][1]["maker"] == "AMD"
        demands = net.network.identity().attestation.demands
        assert (demands.vendors, demands.most_per_maker) == (HARDWARE, 1)
        # 2. One more of a maker that has its seat stays out.
        makers[5] = "tdx"
        net.wait(net.world.changes.join())
        net.until(lambda: refused_joins(net), "the newcomer's refusal")
        assert refused_joins(net) == ["VENDOR_HOLDS_TOO_MUCH"]
        why = "VENDOR_HOLDS_TOO_MUCH: Intel vouches for 2 seats (1, 5), at most 1 are allowed"
        assert committee_status(net)["joining"][0]["refused"].startswith(why)
        told = standing_json(net.world.membership)["joining"]["5"]
        assert (told["settled"], told["fits"], told["refused"][:21]) == (False, False, why[:21])
        # 3. It takes the place of the one that leaves.
        net.wait(net.world.changes.leave(1))
        net.until(lambda: 5 in net.world.machine.epochs.membership.page.joining, "the newcomer")
        assert committee_status(net)["joining"][0]["refused"] is None
        turn(net)
        assert vendors_of(net) == {2: "snp", 3: "nitro", 4: "simulated", 5: "tdx"}
        # 4. When the genesis' lists have ended nobody new of Intel's comes; who sits, stays.
        net.sleep(LISTS_END - BEGUN)
        makers[1] = "tdx"
        net.wait(net.world.changes.join())
        net.until(lambda: len(refused_joins(net)) == 2, "the newcomer's refusal")
        assert refused_joins(net)[-1] == "COLLATERAL_STALE"
        # 5. Anybody posts newer ones, and it comes in the place of the other.
        key = new_key()
        net.network.faucet(AppAdmin(net.network, key).address)
        send_intel_lists(net.network, key, INTEL.collateral("TDX", since=SINCE + 1))
        net.wait(net.world.changes.leave(5))
        net.until(lambda: 1 in net.world.machine.epochs.membership.page.joining, "the newcomer")
        turn(net)
        assert vendors_of(net) == {1: "tdx", 2: "snp", 3: "nitro", 4: "simulated"}


@pytest.mark.parametrize(
    ("demands", "why"),
    [
        (NodeDemands(most_per_maker=1), Malformed),
        # the enclaves that are here are all simulated
        (NodeDemands(HARDWARE, most_per_maker=1), VendorHoldsTooMuch),
    ],
)
def test_what_its_founders_cannot_meet_is_refused_before_they_begin(
    tmp_path: Path, demands: NodeDemands, why: type[KeymootError]
) -> None:
    async def found(world: World) -> None:
        async with world.running():
            pass

    asked = NodeAdmission(demands)
    with (
        memory(7, tmp_path, admission=asked) as world,
        pytest.raises(why, match=r"more vendors|other"),
    ):
        world.run(found(world))
    # nothing was begun that another founding would have to clear away
    with memory(7, tmp_path) as world:
        world.run(found(world))
    # and what a network demands of its nodes is no option any more
    with memory(7, tmp_path, admission=asked) as world, pytest.raises(OtherOption, match="demands"):
        world.run(found(world))
