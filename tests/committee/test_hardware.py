"""Nodes on hardware: whose evidence counts, what it has to show, and how many of one maker sit."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import pytest

from keymoot.attest.evidence import EvidenceRefused
from keymoot.attest.simulated import quote as simulated_quote
from keymoot.attest.vendors import NOTHING_POSTED
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Bytes32, Measurement, NetworkId
from keymoot.base.units import UnixSeconds
from keymoot.committee.attestation import Attestation, NodeDemands, founder_report
from keymoot.committee.keygen.record import Phase
from keymoot.committee.membership.record import JoinBody
from keymoot.committee.messages import AttemptBody, Kind
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.committee.hardware import (
    AWS,
    CHAIN,
    HARDWARE,
    INTEL,
    MILAN,
    QUOTES,
    attestation,
    measurements,
    network,
    published,
    trust,
)
from tests.committee.members import check
from tests.committee.network import CODE, CommitteeNetwork, bound_of

FOUR = {1: "tdx", 2: "snp", 3: "nitro", 4: "simulated"}
SIX = {1: "tdx", 2: "snp", 3: "nitro", 4: "tdx", 5: "snp", 6: "nitro"}
ONE = CommitteeNetwork().founders()[0]
KEYS = bound_of(ONE)
REPORT = founder_report(**KEYS)
TIME = UnixSeconds(NOW)


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    trust(monkeypatch)


def vendors(net: CommitteeNetwork) -> dict[int, str]:
    return net.ledger.state.vendors()


def refusals(net: CommitteeNetwork, kind: Kind) -> list[str]:
    """How messages of a kind were refused, and of which seat."""
    return [f"{one.seat} {why.code}" for one, why in net.refused if one.kind is kind]


class TestWhoseEvidenceCounts:
    @pytest.mark.parametrize("vendor", HARDWARE)
    def test_of_an_admitted_vendor_it_does(self, vendor: str) -> None:
        admits = attestation(admitted=(vendor,), simulated=False)
        assert admits.check(QUOTES[vendor](REPORT), REPORT, TIME, published()) == vendor

    @pytest.mark.parametrize("vendor", HARDWARE)
    def test_of_one_that_is_not_named_it_does_not(self, vendor: str) -> None:
        others = tuple(one for one in HARDWARE if one != vendor)
        for named, simulated in ((others, True), ((), True), ((), False)):
            with pytest.raises(EvidenceRefused, match="not admitted by this network"):
                attestation(admitted=named, simulated=simulated).check(
                    QUOTES[vendor](REPORT), REPORT, TIME, published()
                )

    def test_intels_other_kind_is_another_vendor(self) -> None:
        admits = attestation(admitted=("sgx",))
        with pytest.raises(EvidenceRefused, match="tdx vouches for the enclave"):
            admits.check(QUOTES["tdx"](REPORT), REPORT, TIME, published())

    def test_simulated_evidence_counts_in_development_networks_only(self) -> None:
        made = simulated_quote(CODE, REPORT)
        assert attestation().check(made, REPORT, TIME) == "simulated"
        with pytest.raises(EvidenceRefused, match="admitted is evidence of nitro, snp, tdx"):
            attestation(simulated=False).check(made, REPORT, TIME)
        with pytest.raises(Malformed, match="SIMULATED"):
            NodeDemands(("simulated",))

    @pytest.mark.parametrize("vendor", HARDWARE)
    def test_other_keys_another_network_and_another_nonce_are_refused(self, vendor: str) -> None:
        for change in ({"network": NetworkId(bytes(32))}, {"identity": Bytes32(bytes(32))}):
            other = founder_report(**{**KEYS, **change})
            with pytest.raises(EvidenceRefused, match="other keys"):
                attestation().check(QUOTES[vendor](other), REPORT, TIME, published())

    @pytest.mark.parametrize("vendor", HARDWARE)
    def test_other_code_is_refused(self, vendor: str) -> None:
        admits = replace(attestation(), measurements=(CODE, Measurement(b"\xee" * 48)))
        with pytest.raises(EvidenceRefused, match="other code"):
            admits.check(QUOTES[vendor](REPORT), REPORT, TIME, published())

    @pytest.mark.parametrize("vendor", HARDWARE)
    def test_who_is_not_the_vendor_is_refused(self, vendor: str) -> None:
        forged = {
            "tdx": lambda: intel.other().evidence(4, intel.td_body(REPORT)),
            "snp": lambda: amd.other().evidence(REPORT),
            "nitro": lambda: aws.other().evidence(REPORT),
        }[vendor]()
        with pytest.raises(EvidenceRefused):
            attestation().check(forged, REPORT, TIME, published())


def debugging() -> list[tuple[str, bytes, str]]:
    td = partial(intel.td_body, REPORT)
    return [
        ("tdx", INTEL.evidence(4, td(attributes=1)), "debug"),
        ("snp", MILAN.evidence(REPORT, policy=amd.POLICY | 1 << 19), "debug"),
        ("snp", MILAN.evidence(REPORT, policy=amd.POLICY | 1 << 18), "migrated"),
        ("snp", MILAN.evidence(REPORT, changes={0x160: bytes(32)}), "migrated"),
        (
            "nitro",
            AWS.evidence(REPORT, pcrs={at: bytes(48) for at in range(16)}),
            "debug",
        ),
    ]


class TestTheMachine:
    @pytest.mark.parametrize("at", range(5))
    def test_that_is_open_or_moves_is_refused(self, at: int) -> None:
        vendor, evidence, why = debugging()[at]
        with pytest.raises(EvidenceRefused, match=why):
            attestation(admitted=(vendor,)).check(evidence, REPORT, TIME, published())

    def test_is_as_new_as_is_demanded(self) -> None:
        late = published(
            lists=INTEL.collateral("TDX", status="OutOfDate", advisories=("INTEL-SA-1",))
        )
        made = QUOTES["tdx"](REPORT)
        with pytest.raises(EvidenceRefused, match="TCB status is OutOfDate"):
            attestation().check(made, REPORT, TIME, late)
        allowed = {"tcb_statuses": ("OutOfDate",)}
        with pytest.raises(EvidenceRefused, match="INTEL-SA-1"):
            attestation(**allowed).check(made, REPORT, TIME, late)
        admits = attestation(**allowed, advisories=("INTEL-SA-1",))
        assert admits.check(made, REPORT, TIME, late) == "tdx"
        with pytest.raises(EvidenceRefused, match="snp of the machine's TCB is 23"):
            attestation(tcb_parts={"snp": 24}).check(
                QUOTES["snp"](REPORT), REPORT, TIME, published()
            )

    def test_is_one_that_is_known_where_they_are_named(self) -> None:
        chip = MILAN.chip.ljust(64, b"\0")
        admits = attestation(chips=(chip,))
        assert admits.check(QUOTES["snp"](REPORT), REPORT, TIME, published()) == "snp"
        for vendor in ("tdx", "nitro"):
            with pytest.raises(EvidenceRefused, match="machine"):
                admits.check(QUOTES[vendor](REPORT), REPORT, TIME, published())


class TestWhatVendorsPublish:
    @pytest.mark.parametrize(
        ("vendor", "code"), [("snp", "CHAIN_MISSING"), ("tdx", "LISTS_MISSING")]
    )
    def test_has_to_be_there(self, vendor: str, code: str) -> None:
        with pytest.raises(EvidenceRefused) as caught:
            attestation().check(QUOTES[vendor](REPORT), REPORT, TIME, NOTHING_POSTED)
        assert caught.value.code == code

    def test_counts_until_it_ends(self) -> None:
        stale = (
            published(chain=replace(CHAIN, revoked=MILAN.revoked(until=NOW - 1))),
            published(lists=INTEL.collateral("TDX", until=NOW - 1)),
        )
        for vendor, posted in zip(("snp", "tdx"), stale, strict=True):
            with pytest.raises(EvidenceRefused) as caught:
                attestation().check(QUOTES[vendor](REPORT), REPORT, TIME, posted)
            assert caught.value.code == "COLLATERAL_STALE"
        with pytest.raises(EvidenceRefused, match="ended"):
            attestation().check(QUOTES["nitro"](REPORT), REPORT, UnixSeconds(UNTIL + 1))

    def test_takes_keys_back(self) -> None:
        posted = published(chain=replace(CHAIN, revoked=MILAN.revoked(amd.LEAF, since=SINCE)))
        with pytest.raises(EvidenceRefused) as caught:
            attestation().check(QUOTES["snp"](REPORT), REPORT, TIME, posted)
        assert caught.value.code == "KEY_REVOKED"


class TestFounding:
    def test_intel_amd_and_aws_found_a_network_of_which_nobody_holds_two_seats(self) -> None:
        net = network(FOUR, most_per_maker=1)
        net.settle()
        check(net, (1, 2, 3, 4), 0)
        assert vendors(net) == FOUR
        assert not refusals(net, Kind.EVIDENCE)

    def test_six_seats_of_three_makers_found_one_without_a_simulated_one(self) -> None:
        asked = attestation(most_per_maker=64, simulated=False)
        net = network(SIX, attestation=asked)
        net.settle()
        assert net.ledger.state.ready
        assert vendors(net) == SIX

    def test_founders_of_one_maker_found_nothing_in_whatever_order_they_speak(self) -> None:
        for silent in ({1}, {2}, set[int]()):
            net = network(dict.fromkeys(range(1, 5), "snp"), most_per_maker=1, silent=silent)
            net.settle()
            net.silent = set()
            net.settle()
            net.pass_time(400)
            assert net.ledger.keygen.record.phase is Phase.EVIDENCE
            assert len(net.ledger.keygen.record.said) == 1
            assert {why.code for _, why in net.refused} == {"VENDOR_HOLDS_TOO_MUCH"}
            assert not net.ledger.state.ready
        assert "AMD vouches for 2 seats" in str(net.refused[0][1])
        assert "at most 1 are allowed" in str(net.refused[0][1])

    def test_a_number_beyond_the_degree_is_no_leave_to_hold_a_key(self) -> None:
        net = network({**FOUR, 4: "tdx"}, most_per_maker=64)
        net.settle()
        assert refusals(net, Kind.EVIDENCE)[0][2:] == "VENDOR_HOLDS_TOO_MUCH"
        assert net.ledger.keygen.record.phase is Phase.EVIDENCE

    def test_without_a_demand_one_maker_may_hold_all(self) -> None:
        net = network(dict.fromkeys(range(1, 5), "snp"))
        net.settle()
        assert net.ledger.state.ready

    def test_a_founder_that_starts_anew_is_of_the_vendor_that_vouched(self) -> None:
        net = network(FOUR, most_per_maker=1, silent={4})
        net.settle()
        net.restart(1)
        assert vendors(net)[1] == "tdx"
        net.silent = set()
        net.settle()
        assert vendors(net) == FOUR


@pytest.fixture(scope="module")
def four() -> Callable[[], CommitteeNetwork]:
    from tests.copying import copy_of

    with pytest.MonkeyPatch.context() as patch:
        trust(patch)
        made = network(FOUR, most_per_maker=1)
        made.settle()
    return lambda: copy_of(made, {})


def arrive(net: CommitteeNetwork, seat: int, vendor: str) -> None:
    net.quotes[seat] = QUOTES[vendor]
    net.arrive(seat)
    net.admit(seat)


def turn(net: CommitteeNetwork) -> None:
    net.settle()
    net.turn()
    net.settle()


class TestMembers:
    def test_a_join_that_breaks_the_mix_is_refused(self, four) -> None:
        net = four()
        arrive(net, 5, "snp")
        turn(net)
        assert refusals(net, Kind.JOIN) == ["5 VENDOR_HOLDS_TOO_MUCH"]
        assert "AMD vouches for 2 seats (2, 5)" in str(net.refused[-1][1])
        check(net, (1, 2, 3, 4), 1)

    def test_a_seat_goes_over_to_another_of_its_maker_whoever_speaks_first(self, four) -> None:
        net = four()
        arrive(net, 5, "snp")
        net.settle()
        assert refusals(net, Kind.JOIN) == ["5 VENDOR_HOLDS_TOO_MUCH"]
        # once the other has said that it leaves, the newcomer asks again
        net.part(2)
        turn(net)
        check(net, (1, 3, 4, 5), 1)
        assert vendors(net) == {1: "tdx", 3: "nitro", 4: "simulated", 5: "snp"}

    def test_vendors_stay_through_starts_epochs_and_recoveries(self, four) -> None:
        net = four()
        net.restart(2)
        net.settle()
        net.pass_time(40)
        assert vendors(net) == FOUR
        net.send(net.recovery({1, 2, 3, 4}))
        net.settle()
        assert vendors(net) == FOUR
        turn(net)
        assert vendors(net) == FOUR

    def test_one_that_is_dropped_and_comes_again_counts_as_before(self, four) -> None:
        """An attempt that fails forgets newcomers, and not who leaves."""
        net = four()
        arrive(net, 5, "snp")
        net.part(2)
        net.settle()
        assert set(net.ledger.epochs.membership.page.joining) == {5}
        net.spoil = lambda seat, kind, body: None if kind is Kind.HELD else body
        net.turn()
        net.settle()
        for _ in range(4):
            net.pass_time(12)
        assert net.ledger.epochs.current.attempt == 1
        net.spoil = lambda seat, kind, body: body
        arrive(net, 6, "snp")
        turn(net)
        assert set(vendors(net).values()) == set(FOUR.values())
        assert len(vendors(net)) == 4

    def test_forged_evidence_of_one_maker_never_holds_two_of_four_seats(self, four) -> None:
        """Ten come who are all of one maker, while others go; epoch after epoch."""
        net = four()
        for epoch, leaver in enumerate((1, 3, 4)):
            for seat in range(10 + 3 * epoch, 13 + 3 * epoch):
                arrive(net, seat, "tdx")
            net.part(leaver)
            turn(net)
            held = [vendor for vendor in vendors(net).values() if vendor == "tdx"]
            assert len(held) == 1
        assert net.ledger.epochs.current.number == 3

    def test_what_a_newcomer_says_of_its_vendor_does_not_count(self, four) -> None:
        net = four()
        arrive(net, 5, "snp")
        (join,) = [one for one in net.tasks() if one.kind is Kind.JOIN]
        said = AttemptBody.decode(join.body)
        body = JoinBody.decode(said.content)
        item = body.item()
        item[0].append(b"nitro")
        from keymoot.base import rlp

        forged = replace(said, content=rlp.encode(item)).encode()
        assert net.refusal(net.message(5, Kind.JOIN, forged)) == "Malformed"
        assert net.refusal(net.message(5, Kind.JOIN, join.body)) == "VendorHoldsTooMuch"

    def test_evidence_said_again_in_a_later_epoch_seats_nobody(self, four) -> None:
        net = four()
        net.part(2)
        arrive(net, 5, "snp")
        (join,) = [one for one in net.tasks() if one.kind is Kind.JOIN]
        turn(net)
        assert net.refusal(join) in ("NotSeated", "Unwanted")


def test_nobody_leaves_six_seats_of_three_makers_unless_another_of_its_maker_comes() -> None:
    """Of five seats a maker may hold one: who forges evidence of the others would have a key."""
    net = network(SIX, attestation=attestation(most_per_maker=2, simulated=False))
    net.settle()
    net.part(2)
    turn(net)
    check(net, (1, 2, 3, 4, 5, 6), 1)
    net.part(2)
    # another maker's enclave does not do
    arrive(net, 7, "tdx")
    turn(net)
    assert refusals(net, Kind.JOIN) == ["7 VENDOR_HOLDS_TOO_MUCH"]
    assert net.ledger.state.record.members == (1, 2, 3, 4, 5, 6)
    net.part(2)
    arrive(net, 8, "snp")
    turn(net)
    assert vendors(net) == {1: "tdx", 3: "nitro", 4: "tdx", 5: "snp", 6: "nitro", 8: "snp"}


class TestThePage:
    def test_of_a_network_without_demands_has_the_bytes_that_it_always_had(self) -> None:
        assert Attestation((CODE,), simulated=True).encode().hex() == ("f3f1b0" + CODE.hex() + "01")

    def test_has_one_form(self) -> None:
        page = attestation(most_per_maker=2, tcb_parts={"snp": 3}, chips=(b"c" * 64,))
        assert Attestation.decode(page.encode()) == page
        assert len(measurements()) == 4
