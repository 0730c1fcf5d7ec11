"""Evidence of hardware on the ledger, under vendors that only tests trust."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from keymoot.attest import nitro, snp, tdx, vendors
from keymoot.attest.dcap import DcapCollateral
from keymoot.attest.snp import AmdChain, Line
from keymoot.attest.vendors import Posted, believed_for
from keymoot.base.fixed import Measurement
from keymoot.base.units import UnixSeconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.framework.errors import ContractError
from tests.attest import amd, aws, intel
from tests.attest.authority import NOW, SINCE, UNTIL
from tests.contracts.builtin.apps.cast import AppScenario, Enclave, less
from tests.runtime.people import STRANGER, calldata

MILAN = amd.factory("Milan")
INTEL = intel.factory()
PROCESSORS = INTEL.under("processors")
NOTHING_POSTED = Posted(lambda _: None, lambda _: None)
OF_AMD = {"measurements": (Measurement(amd.CODE),), "vendors": ("snp",)}
OF_AWS = {"measurements": (Measurement(aws.CODE),), "vendors": ("nitro",)}


@pytest.fixture(autouse=True)
def trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: tuple[Line, ...] = (MILAN.line, amd.factory("Turin").line)
    monkeypatch.setattr(vendors, "amd_lines", lambda: lines)
    monkeypatch.setattr(vendors, "amazon", aws.factory().believed)
    monkeypatch.setattr(vendors, "intel_root", lambda: INTEL.trusted)


def chain_of(factory: amd.Factory, kind: str = "VCEK") -> AmdChain:
    issuer, _ = factory.issuers[kind]
    return AmdChain(*issuer.chain)


def on_amd(scenario: AppScenario, factory: amd.Factory, kind: str = "VCEK") -> Enclave:
    return Enclave(scenario.app, make=partial(factory.evidence, kind=kind))


class TestAmd:
    @pytest.mark.parametrize("line", ["Milan", "Turin"])
    @pytest.mark.parametrize("kind", ["VCEK", "VLEK"])
    def test_a_report_is_taken_once_its_lines_chain_is_posted(self, line: str, kind: str) -> None:
        scenario, factory = AppScenario(less(**OF_AMD)), amd.factory(line)
        one = on_amd(scenario, factory, kind)
        assert scenario.register(one).error_code == "CHAIN_MISSING"
        chain = chain_of(factory, kind).encode()
        assert scenario.send(STRANGER, "postAmdChain", chain, contract=Apps).status == 1
        scenario.registered(one)
        found = scenario.instance()
        assert found is not None
        assert (found.vendor, found.measurement) == ("snp", amd.CODE)
        # the other kind of key is vouched for by another certificate
        other = "VLEK" if kind == "VCEK" else "VCEK"
        assert scenario.register(on_amd(scenario, factory, other)).error_code == "CHAIN_MISSING"

    def test_nothing_that_is_not_amds_is_kept(self) -> None:
        scenario = AppScenario(less(**OF_AMD))
        stranger, known = chain_of(amd.other()), chain_of(MILAN)
        for chain, word in (
            (stranger.encode(), "CHAIN_REFUSED"),
            (AmdChain(stranger.signer, known.root).encode(), "CHAIN_REFUSED"),
            (AmdChain(known.root, known.signer).encode(), "CHAIN_REFUSED"),
            (AmdChain(b"", known.root).encode(), "BAD_ARGUMENTS"),
            (b"", "BAD_ARGUMENTS"),
        ):
            done = scenario.send(STRANGER, "postAmdChain", chain, contract=Apps)
            assert done.error_code == word, done.error
        assert scenario.register(on_amd(scenario, MILAN)).error_code == "CHAIN_MISSING"

    def test_what_the_app_asks_of_the_machine_is_asked(self) -> None:
        factory = MILAN
        chip = factory.chip.ljust(64, b"\0")
        for changes, word in (
            ({}, ""),
            ({"tcb_parts": {"snp": 23}}, ""),
            ({"tcb_parts": {"snp": 24}}, "MACHINE_REFUSED"),
            ({"tcb_parts": {"fmc": 1}}, "MACHINE_REFUSED"),
            ({"chips": (chip,)}, ""),
            ({"chips": (b"c" * 64,)}, "MACHINE_REFUSED"),
            # what Intel says of machines is asked of Intel's alone
            ({"tcb_statuses": ()}, ""),
        ):
            scenario = AppScenario(less(**OF_AMD, **changes))
            chain = chain_of(factory).encode()
            assert scenario.send(STRANGER, "postAmdChain", chain, contract=Apps).status == 1
            assert scenario.register(on_amd(scenario, factory)).error_code == word
        cloud = on_amd(AppScenario(), factory, "VLEK")
        assert cloud.make is not None

    def test_debugging_and_migration_are_refused(self) -> None:
        scenario, factory = AppScenario(less(**OF_AMD)), MILAN
        chain = chain_of(factory).encode()
        assert scenario.send(STRANGER, "postAmdChain", chain, contract=Apps).status == 1
        for bit, word in ((1 << 19, "DEBUG_ENCLAVE"), (1 << 18, "MACHINE_REFUSED")):
            made = partial(factory.evidence, policy=amd.POLICY | bit)
            assert scenario.register(Enclave(scenario.app, make=made)).error_code == word

    def test_a_report_under_another_root_is_refused(self) -> None:
        scenario, factory = AppScenario(less(**OF_AMD)), MILAN
        chain = chain_of(factory).encode()
        assert scenario.send(STRANGER, "postAmdChain", chain, contract=Apps).status == 1
        done = scenario.register(on_amd(scenario, amd.other()))
        assert done.error_code == "CHAIN_REFUSED"

    def test_a_chain_that_has_ended_vouches_for_nobody(self) -> None:
        chain = chain_of(MILAN)
        evidence = MILAN.evidence()
        posted = Posted(lambda _: chain.encode(), lambda _: None)
        with pytest.raises(snp.EvidenceRefused, match="ended"):
            believed_for(evidence, True, posted, UnixSeconds(UNTIL + 1))

    def test_a_key_that_amd_took_back_registers_nobody_and_the_list_stays(self) -> None:
        scenario, chain = AppScenario(less(**OF_AMD)), chain_of(MILAN)

        def post(revoked: bytes) -> str:
            made = replace(chain, revoked=revoked).encode()
            return scenario.send(STRANGER, "postAmdChain", made, contract=Apps).error_code

        assert post(b"") == ""
        scenario.registered(on_amd(scenario, MILAN))
        assert post(amd.other().revoked(amd.LEAF)) == "CHAIN_REFUSED"
        assert post(MILAN.revoked(amd.LEAF, until=NOW - 9)) == "COLLATERAL_STALE"
        assert post(MILAN.revoked(amd.LEAF, since=SINCE + 9)) == ""
        # who was revoked cannot take the list away again
        assert post(b"") == "LISTS_OLDER"
        assert post(MILAN.revoked()) == "LISTS_OLDER"
        assert scenario.register(on_amd(scenario, MILAN)).error_code == "KEY_REVOKED"
        assert post(MILAN.revoked(since=SINCE + 10)) == ""
        scenario.registered(on_amd(scenario, MILAN))


class TestAws:
    def test_a_document_is_taken_as_it_is(self) -> None:
        scenario = AppScenario(less(**OF_AWS))
        scenario.registered(Enclave(scenario.app, make=aws.factory().evidence))
        found = scenario.instance()
        assert found is not None
        assert (found.vendor, found.measurement) == ("nitro", aws.CODE)

    def test_a_registration_ends_with_the_certificates_that_it_rests_on(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        scenario = AppScenario(less(**OF_AWS))
        until = UnixSeconds(scenario.chain.block.time + 100)
        real = aws.factory().believed().verify

        class Short:
            vendors, tag = nitro.Aws.vendors, nitro.Aws.tag

            def verify(self, evidence: bytes, now: UnixSeconds) -> object:
                found = real(evidence, now)
                object.__setattr__(found, "valid_until", until)
                return found

        monkeypatch.setattr(vendors, "amazon", Short)
        scenario.registered(Enclave(scenario.app, make=aws.factory().evidence))
        found = scenario.instance()
        assert found is not None
        assert found.expires_at == until

    def test_one_for_another_question_or_by_another_vendor_is_refused(self) -> None:
        scenario = AppScenario(less(**OF_AWS))
        without = Enclave(scenario.app, make=lambda _: aws.factory().evidence(None))
        assert scenario.register(without).error_code == "OTHER_BINDING"
        other = Enclave(scenario.app, make=aws.other().evidence)
        assert scenario.register(other).error_code == "CHAIN_REFUSED"

    def test_where_a_network_believes_no_simulated_ones_hardware_still_counts(self) -> None:
        from tests.contracts.builtin.apps.cast import admit_simulated

        scenario = AppScenario(less(**OF_AWS))
        admit_simulated(scenario, simulated=False)
        scenario.registered(Enclave(scenario.app, make=aws.factory().evidence))


def code_of(version: int, body: Callable[..., bytes]) -> Measurement:
    claims = INTEL.believed().verify(INTEL.evidence(version, body()), UnixSeconds(NOW))
    return claims.measurement


def on_intel(
    scenario: AppScenario, version: int = 4, body: Callable[..., bytes] = intel.td_body
) -> Enclave:
    return Enclave(scenario.app, make=lambda report: INTEL.evidence(version, body(report)))


def of_intel(**changes: Any) -> AppScenario:
    codes = {code_of(4, intel.td_body), code_of(3, intel.sgx_body)}
    asked = {"measurements": tuple(sorted(codes)), "vendors": ("sgx", "tdx")}
    return AppScenario(less(**asked | changes))


def post(scenario: AppScenario, collateral: DcapCollateral) -> str:
    done = scenario.send(STRANGER, "postIntelLists", collateral.encode(), contract=Apps)
    return done.error_code


class TestIntel:
    def test_quotes_are_taken_by_the_lists_of_their_kind_of_machine(self) -> None:
        scenario = of_intel()
        domain, enclave = on_intel(scenario), on_intel(scenario, 3, intel.sgx_body)
        for one in (domain, enclave):
            done = scenario.register(one)
            assert (done.error_code, intel.FMSPC in done.error) == ("LISTS_MISSING", True)
        assert post(scenario, INTEL.collateral("TDX")) == ""
        scenario.registered(domain)
        found = scenario.instance()
        assert found is not None
        assert (found.vendor, found.measurement) == ("tdx", code_of(4, intel.td_body))
        assert scenario.register(enclave).error_code == "LISTS_MISSING"
        assert post(scenario, INTEL.collateral("SGX")) == ""
        scenario.registered(enclave)
        found = scenario.instance()
        assert found is not None
        assert found.vendor == "sgx"

    def test_lists_that_are_not_intels_or_have_ended_are_not_kept(self) -> None:
        scenario, good = of_intel(), INTEL.collateral()
        other, now = intel.other().collateral(), scenario.chain.block.time
        for spoiled, word in (
            (other, "CHAIN_REFUSED"),
            *(
                (replace(good, **{name: getattr(other, name)}), "CHAIN_REFUSED")
                for name in (
                    *("pck_crl_chain", "root_crl", "pck_crl", "tcb_chain", "tcb_signature"),
                    *("qe_chain", "qe_signature"),
                )
            ),
            (replace(good, tcb_info=good.tcb_info.replace(b"UpToDate", b"UpToDatf")), ""),
            (replace(good, qe_identity=good.qe_identity.replace(b"17", b"18")), ""),
            (INTEL.collateral(until=now - 10), "COLLATERAL_STALE"),
            (INTEL.collateral(since=now + 1_000), "COLLATERAL_STALE"),
            (replace(good, tcb_chain=(good.tcb_chain[0],)), "CHAIN_REFUSED"),
            (replace(good, root_crl=b"x"), "BAD_ARGUMENTS"),
        ):
            assert post(scenario, spoiled) == (word or "CHAIN_REFUSED")
        assert scenario.register(on_intel(scenario)).error_code == "LISTS_MISSING"

    def test_they_are_never_turned_back(self) -> None:
        scenario = of_intel()
        newer, older = INTEL.collateral(since=SINCE + 10, status="OutOfDate"), INTEL.collateral()
        assert post(scenario, newer) == ""
        assert post(scenario, older) == "LISTS_OLDER"
        assert scenario.register(on_intel(scenario)).error_code == "MACHINE_REFUSED"
        # nor a part of them
        mixed = replace(newer, qe_identity=older.qe_identity, qe_signature=older.qe_signature)
        assert post(scenario, mixed) == "LISTS_OLDER"
        assert post(scenario, newer) == ""
        assert post(scenario, INTEL.collateral(since=SINCE + 20)) == ""
        scenario.registered(on_intel(scenario))
        # lists of other machines are beside them
        assert post(scenario, INTEL.collateral(fmspc="00906ED50000")) == ""

    @pytest.mark.parametrize("kind", ["TDX", "SGX"])
    def test_no_mix_of_genuine_lists_turns_anybody_away(self, kind: str) -> None:
        scenario, newer = of_intel(), INTEL.collateral(kind, since=SINCE + 10)
        assert post(scenario, INTEL.collateral(kind)) == ""
        other = INTEL.collateral("SGX" if kind == "TDX" else "TDX", since=SINCE + 10)
        elsewhere = PROCESSORS.collateral(kind, since=SINCE + 10)
        for mixed in (
            replace(newer, qe_identity=other.qe_identity, qe_signature=other.qe_signature),
            replace(newer, pck_crl_chain=(INTEL.root,), pck_crl=newer.root_crl),
            replace(newer, pck_crl_chain=elsewhere.pck_crl_chain, pck_crl=elsewhere.pck_crl),
        ):
            post(scenario, mixed)
            made = on_intel(scenario) if kind == "TDX" else on_intel(scenario, 3, intel.sgx_body)
            scenario.registered(made)

    def test_a_machine_is_looked_up_under_the_authority_that_vouches_for_it(self) -> None:
        scenario = of_intel()
        assert post(scenario, INTEL.collateral()) == ""
        made = Enclave(
            scenario.app, make=lambda report: PROCESSORS.evidence(4, intel.td_body(report))
        )
        done = scenario.register(made)
        assert (done.error_code, "processors" in done.error) == ("LISTS_MISSING", True)
        assert post(scenario, PROCESSORS.collateral(revoked_machines=(11,))) == ""
        assert scenario.register(made).error_code == "DCAP_REFUSED"
        assert post(scenario, PROCESSORS.collateral(since=SINCE + 10)) == ""
        scenario.registered(made)
        scenario.registered(on_intel(scenario))

    def test_what_intel_knew_already_is_not_forgotten_by_newer_lists(self) -> None:
        scenario, known = of_intel(), INTEL.collateral(evaluation=18)
        assert post(scenario, known) == ""
        less_known = INTEL.collateral(since=SINCE + 10)
        for mixed in (
            less_known,
            replace(less_known, qe_identity=known.qe_identity, qe_signature=known.qe_signature),
            replace(less_known, tcb_info=known.tcb_info, tcb_signature=known.tcb_signature),
        ):
            assert post(scenario, mixed) == "LISTS_OLDER"

    def test_when_they_end_nobody_new_comes_in_and_who_is_in_stays(self) -> None:
        scenario = of_intel()
        with pytest.raises(ContractError, match="has no lists of Intel's"):
            self.standing(scenario)
        until = scenario.chain.block.time + 100
        assert post(scenario, INTEL.collateral(until=until)) == ""
        assert self.standing(scenario) == (1, until)
        one = scenario.registered(on_intel(scenario))
        found = scenario.instance()
        assert found is not None
        assert found.expires_at == until
        scenario.later(102)
        assert self.standing(scenario) == (2, until)
        assert scenario.register(one).error_code == "COLLATERAL_STALE"
        assert post(scenario, INTEL.collateral(since=SINCE + 10)) == ""
        assert self.standing(scenario)[0] == 0
        scenario.registered(one)

    def standing(self, scenario: AppScenario) -> tuple[int, int]:
        method = Apps.method("intelStanding")
        asked = calldata(Apps, "intelStanding", "TDX", intel.FMSPC, "platforms")
        found, _, until = method.decode_result(scenario.chain.ask(Apps.ADDRESS, asked))
        return found, until

    @pytest.mark.parametrize(
        ("policy", "lists", "word"),
        [
            ({}, {"status": "OutOfDate"}, "MACHINE_REFUSED"),
            ({"tcb_statuses": ("OutOfDate", "UpToDate")}, {"status": "OutOfDate"}, ""),
            ({}, {"advisories": ("INTEL-SA-1",)}, "MACHINE_REFUSED"),
            ({"advisories": ("INTEL-SA-1",)}, {"advisories": ("INTEL-SA-1",)}, ""),
            ({}, {"revoked_machines": (11,)}, "DCAP_REFUSED"),
            # what AMD signs is asked of AMD's alone
            ({"tcb_parts": {"snp": 99}}, {}, ""),
        ],
    )
    def test_intels_verdict_is_held_against_the_apps_policy(
        self, policy: dict[str, Any], lists: dict[str, Any], word: str
    ) -> None:
        scenario = of_intel(**policy)
        assert post(scenario, INTEL.collateral(**lists)) == ""
        assert scenario.register(on_intel(scenario)).error_code == word

    def test_a_quote_of_a_debugged_domain_is_refused(self) -> None:
        scenario = of_intel()
        assert post(scenario, INTEL.collateral()) == ""
        body = partial(intel.td_body, attributes=1 | 1 << 28)
        assert scenario.register(on_intel(scenario, 4, body)).error_code == "DEBUG_ENCLAVE"


def test_the_mix_of_makers_counts_who_really_vouches() -> None:
    policy = less(
        measurements=tuple(sorted((Measurement(aws.CODE), Measurement(b"b" * 48)))),
        vendors=("nitro", "simulated"),
        most_per_maker=1,
    )
    scenario = AppScenario(policy)
    scenario.registered()
    assert scenario.register(Enclave(scenario.app, STRANGER)).error_code == "MIX_REFUSED"
    scenario.registered(Enclave(scenario.app, STRANGER, make=aws.factory().evidence))


def test_names_of_formats_are_those_of_the_vendors() -> None:
    """They stand here once more so that a client need not load what reads them."""
    assert vendors.NITRO_TAG == nitro.TAG
    assert believed_for(b"\xc1\x80", False, NOTHING_POSTED, UnixSeconds(0)) == ()
    assert vendors.DCAP_TAG == tdx.TAG
    assert vendors.SNP_TAG == snp.TAG


def test_every_line_of_amds_is_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    assert vendors.amd_lines() == (snp.MILAN, snp.GENOA, snp.TURIN)
    assert vendors.amazon() == nitro.Aws()
    assert vendors.intel_root() == tdx.INTEL_ROOT
