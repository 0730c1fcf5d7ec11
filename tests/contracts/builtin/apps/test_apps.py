"""Who may change an app, how it is named, and what that does to its instances."""

from dataclasses import replace
from typing import Any

import pytest
from eth_abi.abi import decode

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, AppId, Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.base.units import Height, Seconds, Wei
from keymoot.contracts import Context, Contract, built_in, call, uint64
from keymoot.contracts.builtin.apps.contract import BY_NONCE, BY_PLACE, Apps
from keymoot.contracts.builtin.apps.errors import STANDING_ERRORS
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import MAX_ENTRIES_BYTES, NOBODY, Entries
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.contracts.framework.errors import Anonymous, ContractError
from keymoot.contracts.framework.registry import Deployment
from keymoot.crypto import hpke
from keymoot.crypto.oasis import app_by_nonce, app_by_place, native_address
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.query import Query
from keymoot.runtime.query import call as run_query
from keymoot.store.errors import NoStateKeys
from tests.contracts.builtin.apps.cast import (
    ADMIN,
    BUILT,
    NOTHING,
    OTHER,
    POLICY,
    AppScenario,
    Enclave,
    less,
)
from tests.runtime.people import AGENT, OWNER, STRANGER, Scenario, calldata


@pytest.fixture
def scenario() -> AppScenario:
    return AppScenario()


def refusal(scenario: AppScenario, who: Address = AGENT.address) -> str:
    """Give the word for what speaks against an instance now; empty where it counts."""
    try:
        instance_of(scenario.store, who, scenario.chain.block.time)
    except ContractError as error:
        assert type(error) in STANDING_ERRORS
        return error.code
    return ""


class TestNames:
    def test_by_place_as_oasis_does(self, scenario: AppScenario) -> None:
        app = scenario.create(scheme=BY_PLACE, who=STRANGER)
        height = scenario.newest.height
        assert app == app_by_place(native_address(STRANGER.address), height, 0)
        raws = [
            scenario.raw(who, Apps.ADDRESS, calldata(Apps, "create", 0, POLICY.encode(), NOTHING))
            for who in (OWNER, STRANGER)
        ]
        _, second = scenario.chain.send_together(raws)
        (named,) = decode(["bytes21"], second.output)
        assert named == app_by_place(native_address(STRANGER.address), Height(height + 1), 1)

    def test_by_nonce_as_the_transaction_itself_sees_it(self, scenario: AppScenario) -> None:
        nonce = scenario.chain.state().account(STRANGER.address).nonce
        app = scenario.create(scheme=BY_NONCE, who=STRANGER)
        assert app == app_by_nonce(native_address(STRANGER.address), nonce + 1)

    def test_there_is_no_third_way(self, scenario: AppScenario) -> None:
        done = scenario.send(OWNER, "create", 2, POLICY.encode(), NOTHING, contract=Apps)
        assert done.error_code == "UNKNOWN_SCHEME"

    def test_a_policy_or_metadata_that_are_none_create_nothing(self, scenario: AppScenario) -> None:
        for policy, metadata in ((b"", NOTHING), (b"\xc0", NOTHING), (POLICY.encode(), b"\x80")):
            done = scenario.send(OWNER, "create", 0, policy, metadata, contract=Apps)
            assert done.error_code == "BAD_ARGUMENTS", done.error

    def test_nobody_creates_none(self, scenario: AppScenario) -> None:
        asked = calldata(Apps, "create", 0, POLICY.encode(), NOTHING)
        with pytest.raises(Anonymous):
            scenario.chain.ask(Apps.ADDRESS, asked)

    def test_a_contract_creates_one_in_a_transaction_and_is_its_admin(self) -> None:
        chain = MemoryChain([Deployment("Founders", Founders)], {OWNER.address: Wei(10**24)})
        scenario = Scenario(chain)
        made = scenario.send(OWNER, "found", 1, contract=Founders)
        assert made.status == 1, made.error
        (app,) = decode(["bytes21"], made.output)
        height = chain.blocks[-1].header.height
        assert app == app_by_place(native_address(Founders.ADDRESS), height, 0)
        again = scenario.send(OWNER, "found", 2, contract=Founders)
        assert again.error_code == "APP_EXISTS"


class Founders(Contract):
    """Creates apps for whoever asks."""

    ADDRESS = built_in(203)

    @call
    def found(self, ctx: Context, count: uint64) -> AppId:
        """Create some; give the last one's id."""
        for _ in range(count):
            app = ctx.call(Apps.create, BY_PLACE, POLICY.encode(), NOTHING)
        return app


class TestTheAdmin:
    def test_nobody_else_changes_an_app(self, scenario: AppScenario) -> None:
        scenario.registered()
        for done in (
            scenario.update(who=STRANGER),
            scenario.send(STRANGER, "remove", scenario.app, contract=Apps),
            scenario.send(STRANGER, "evict", scenario.app, AGENT.address, contract=Apps),
            scenario.send(AGENT, "remove", scenario.app, contract=Apps),
        ):
            assert done.error_code == "NOT_ADMIN"
        assert (scenario.version, refusal(scenario)) == (1, "")

    def test_an_unsigned_query_is_no_admin(self, scenario: AppScenario) -> None:
        with pytest.raises(ContractError) as caught:
            scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "remove", scenario.app))
        assert caught.value.code == "NOT_ADMIN"
        for name in ("update", "remove", "evict"):
            assert Apps.method(name).rules.believes_from

    def test_it_replaces_all_of_it_and_sees_what_it_replaces(self, scenario: AppScenario) -> None:
        sealed = {"GROK": b"envelope", "AGE_PRIVATE_KEY": b"other"}
        assert scenario.update(metadata={"name": b"trader"}, secrets=sealed).status == 1
        raw = scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "entries", scenario.app))
        metadata, secrets = decode(["bytes", "bytes"], raw)
        assert Entries.decode(metadata).entries == {"name": b"trader"}
        assert Entries.decode(secrets).entries == sealed
        stale = scenario.update(version=1)
        assert (stale.error_code, "version 2" in stale.error) == ("STALE_APP", True)
        assert scenario.update().status == 1
        assert Apps.secrets.get(scenario.store, scenario.app) == Entries()

    def test_another_admin_rules_alone_and_nobody_rules_a_frozen_app(
        self, scenario: AppScenario
    ) -> None:
        assert scenario.update(admin=STRANGER.address).status == 1
        assert scenario.update().error_code == "NOT_ADMIN"
        assert scenario.update(who=STRANGER, admin=NOBODY).status == 1
        for who in (OWNER, STRANGER):
            assert scenario.update(who=who).error_code == "NOT_ADMIN"
        scenario.registered()

    def test_a_removed_app_is_gone_with_its_instances_and_its_name_stays_taken(
        self, scenario: AppScenario
    ) -> None:
        scenario.registered()
        assert scenario.send(ADMIN, "remove", scenario.app, contract=Apps).status == 1
        assert refusal(scenario) == "APP_REMOVED"
        assert scenario.register(Enclave(scenario.app)).error_code == "APP_REMOVED"
        assert scenario.update(version=1).error_code == "APP_REMOVED"
        assert Apps.apps.get(scenario.store, scenario.app) is not None

    def test_what_is_too_long_is_refused(self, scenario: AppScenario) -> None:
        many = {f"{at:02}": b"x" for at in range(65)}
        long = {f"{at:02}": bytes(14_400) for at in range(2)}
        for entries in (many, long, {"a": bytes(16_385)}, {"n" * 1_025: b""}):
            arguments = (scenario.app, 1, ADMIN.address, POLICY.encode(), _raw(entries), NOTHING)
            done = scenario.send(ADMIN, "update", *arguments, contract=Apps)
            assert done.error_code in ("BAD_ARGUMENTS", "OUT_OF_GAS"), done.error_code
        assert scenario.version == 1


def _raw(entries: dict[str, bytes]) -> bytes:
    from keymoot.base import rlp

    return rlp.encode([[[name.encode(), value] for name, value in sorted(entries.items())]])


class TestStanding:
    def test_nobody_knows_a_key_that_never_registered(self, scenario: AppScenario) -> None:
        assert refusal(scenario, STRANGER.address) == "NOT_REGISTERED"

    def test_a_measurement_that_is_taken_out_evicts_at_once(self, scenario: AppScenario) -> None:
        scenario.registered()
        assert refusal(scenario) == ""
        assert scenario.update(less(measurements=(OTHER,))).status == 1
        assert refusal(scenario) == "MEASUREMENT_EVICTED"
        assert scenario.register(Enclave(scenario.app)).error_code == "MEASUREMENT_REFUSED"
        # and lets in again what was never taken out of its sight
        assert scenario.update().status == 1
        assert refusal(scenario) == ""

    def test_so_does_a_vendor(self, scenario: AppScenario) -> None:
        scenario.registered()
        assert scenario.update(less(vendors=("snp",))).status == 1
        assert refusal(scenario) == "MEASUREMENT_EVICTED"

    def test_it_ends_and_a_shorter_lifetime_ends_it_sooner(self, scenario: AppScenario) -> None:
        scenario.registered()
        scenario.chain.pass_time(Seconds(3_600))
        assert refusal(scenario) == ""
        scenario.chain.pass_time(Seconds(1))
        assert refusal(scenario) == "REGISTRATION_EXPIRED"
        scenario.later(1)
        scenario.registered()
        assert scenario.update(less(lifetime_seconds=Seconds(60))).status == 1
        found = instance_of(scenario.store, AGENT.address, scenario.chain.block.time)
        assert found.expires_at == found.registered_at + 60
        scenario.chain.pass_time(Seconds(59))
        assert refusal(scenario) == ""
        scenario.chain.pass_time(Seconds(1))
        assert refusal(scenario) == "REGISTRATION_EXPIRED"

    @pytest.mark.parametrize(
        "demand",
        [
            {"tcb_statuses": ("SWHardeningNeeded", "UpToDate")},
            {"advisories": ("INTEL-SA-1",)},
            {"tcb_parts": {"snp": 3}},
            {"chips": (b"c" * 16,)},
            {"endorsers": (Bytes32(b"n" * 32),)},
            {"most_per_maker": 3},
        ],
        ids=lambda one: next(iter(one)),
    )
    def test_whatever_is_asked_of_evidence_anew_is_shown_anew(
        self, scenario: AppScenario, demand: dict[str, Any]
    ) -> None:
        scenario.registered()
        assert scenario.update(less(measurements=(BUILT, OTHER), raw_keys=False)).status == 1
        assert refusal(scenario) == ""
        assert scenario.update(less(**demand)).status == 1
        assert refusal(scenario) == "POLICY_TIGHTENED"
        # taking it back is a change like any other: who has shown less is not asked less often
        assert scenario.update().status == 1
        assert refusal(scenario) == "POLICY_TIGHTENED"
        scenario.registered()
        assert refusal(scenario) == ""

    def test_one_instance_is_put_out_for_ever(self, scenario: AppScenario) -> None:
        scenario.registered()
        gone = scenario.send(ADMIN, "evict", scenario.app, AGENT.address, contract=Apps)
        assert gone.status == 1
        assert refusal(scenario) == "INSTANCE_EVICTED"
        assert scenario.register(Enclave(scenario.app)).error_code == "INSTANCE_EVICTED"
        other = scenario.send(ADMIN, "evict", scenario.app, STRANGER.address, contract=Apps)
        assert other.error_code == "NOT_REGISTERED"

    def test_an_admin_puts_out_no_instance_of_another_app(self, scenario: AppScenario) -> None:
        scenario.registered()
        own = scenario.create(who=STRANGER)
        done = scenario.send(STRANGER, "evict", own, AGENT.address, contract=Apps)
        assert done.error_code == "NOT_REGISTERED"
        assert refusal(scenario) == ""


class TestSecrets:
    def key(self, scenario: AppScenario, who: Address | None) -> Bytes32:
        chain = scenario.chain
        data = calldata(Apps, "secretsKey")
        query = Query(Apps.ADDRESS, data, signer=who)
        return Bytes32(run_query(chain.state(), chain.block, chain.contracts, chain.keys, query))

    def test_the_key_that_opens_them_is_for_live_instances(self, scenario: AppScenario) -> None:
        scenario.registered()
        app = Apps.apps.get(scenario.store, scenario.app)
        assert app is not None
        assert hpke.public_key(Secret(self.key(scenario, AGENT.address))) == app.secrets_key
        for who in (None, STRANGER.address, ADMIN.address):
            with pytest.raises(ContractError):
                self.key(scenario, who)
        assert scenario.update(less(measurements=())).status == 1
        with pytest.raises(ContractError, match="does not admit"):
            self.key(scenario, AGENT.address)

    def test_a_claimed_sender_gets_nothing(self, scenario: AppScenario) -> None:
        scenario.registered()
        with pytest.raises((ContractError, NoStateKeys)):
            scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "secretsKey"), AGENT.address)

    def test_each_app_has_its_own(self, scenario: AppScenario) -> None:
        first, second = (
            Apps.apps.get(scenario.store, one) for one in (scenario.app, scenario.create())
        )
        assert first is not None
        assert second is not None
        assert first.secrets_key != second.secrets_key


class TestRecords:
    def test_a_policy_that_nobody_could_mean_is_none(self) -> None:
        for changes in (
            {"vendors": ("ibm",)},
            {"vendors": ("snp", "nitro")},
            {"measurements": (OTHER, BUILT)},
            {"measurements": (BUILT, BUILT)},
            {"lifetime_seconds": Seconds(59)},
            {"lifetime_seconds": Seconds(7 * 86_400 + 1)},
        ):
            with pytest.raises(Malformed):
                less(**changes).encode()

    def test_entries_that_no_ledger_takes_are_none(self) -> None:
        whole = Entries({"a": bytes(16_384), "b": bytes(12_268)})
        assert len(whole.encode()) == MAX_ENTRIES_BYTES
        assert Entries.decode(whole.encode()) == whole
        with pytest.raises(Malformed, match="together"):
            Entries({"a": bytes(16_384), "b": bytes(12_269)})

    def test_what_is_looked_at_each_time_outdates_nobody(self) -> None:
        wide = less(measurements=(), vendors=(), lifetime_seconds=Seconds(60), raw_keys=False)
        assert not wide.outdates(POLICY)
        assert replace(wide, most_per_maker=1).outdates(wide)
        assert AppPolicy().measurements == ()

    def test_views_tell_what_is_there(self, scenario: AppScenario) -> None:
        one = scenario.registered()
        method = Apps.method("instance")
        raw = scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "instance", AGENT.address))
        app, encryption, code, vendor, _, live = method.decode_result(raw)
        assert (app, encryption, code, vendor, live) == (
            scenario.app,
            one.public,
            BUILT,
            "simulated",
            True,
        )
        assert type(app) is AppId
        shown = Apps.method("app").decode_result(
            scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "app", scenario.app))
        )
        assert AppPolicy.decode(shown[5]) == POLICY
        assert scenario.update(less(measurements=())).status == 1
        raw = scenario.chain.ask(Apps.ADDRESS, calldata(Apps, "instance", AGENT.address))
        assert method.decode_result(raw)[5] is False
        for name, unknown, word in (
            ("app", b"a" * 21, "NO_SUCH_APP"),
            ("entries", b"a" * 21, "NO_SUCH_APP"),
            ("instance", STRANGER.address, "NOT_REGISTERED"),
        ):
            with pytest.raises(ContractError) as caught:
                scenario.chain.ask(Apps.ADDRESS, calldata(Apps, name, unknown))
            assert caught.value.code == word


def test_a_chain_knows_the_hashes_of_its_blocks_and_no_others(scenario: AppScenario) -> None:
    """What evidence names is looked up here: a height that is not there has no hash."""
    from keymoot.contracts.framework.context import Mode
    from keymoot.runtime.gas import GasMeter
    from keymoot.runtime.machine import CallMachine
    from keymoot.store.journal import Journal

    chain = scenario.chain
    active = chain.contracts.at(chain.block.height)
    for mode, newest in ((Mode.QUERY, scenario.newest.hash), (Mode.EXECUTE, None)):
        machine = CallMachine(
            Journal(chain.state()), chain.block, active, None, mode, GasMeter(10**6)
        )
        height = scenario.newest.height
        assert machine.block_hash(height) == newest
        assert machine.block_hash(Height(height - 1)) == chain.blocks[-2].header.hash
        assert machine.block_hash(Height(height + 1)) is None
    assert type(scenario.newest.hash) is Hash32
