"""A wallet that is given to an app: its live instances ask it, and nobody else."""

from typing import Any

import pytest

from keymoot.base.fixed import Address
from keymoot.base.strict_json import parse
from keymoot.base.units import Seconds, Wei
from keymoot.contracts import Context, Contract, built_in, call
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import AskingInstance
from keymoot.contracts.framework.registry import Deployment
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.release import stopped
from tests.contracts.builtin.apps.cast import (
    ADMIN,
    BUILT,
    OTHER,
    AppScenario,
    Enclave,
    admit_simulated,
    less,
)
from tests.runtime.people import AGENT, OWNER, STRANGER, payment


@pytest.fixture
def scenario() -> AppScenario:
    return AppScenario().granted()


def refused(scenario: AppScenario) -> str:
    """Give the word by which a wish of the agent's is kept out of a block."""
    receipt, _ = scenario.ask(payment(1))
    assert receipt.gas_used == 0 or receipt.status == 1
    return receipt.error_code


def test_a_live_instance_asks_and_the_log_names_its_code(scenario: AppScenario) -> None:
    scenario.registered()
    receipt, key = scenario.ask(payment(5))
    assert receipt.status == 1, receipt.error
    record = Wallets.records.get(_wallets(scenario), key)
    assert record is not None
    assert record.asked_by == AskingInstance(scenario.app, BUILT)
    (entries,) = scenario.view("log", scenario.wallet, 0, 10)
    shown: Any = parse(entries[0], 10_000)
    assert (shown["app"], shown["measurement"]) == (scenario.app.text, BUILT.hex0x)
    # a refusal by policy is in the log too, with who asked
    receipt, key = scenario.ask(payment(10**9, nonce=1))
    assert receipt.error_code not in ("", "NO_SUCH_CREDENTIAL")
    record = Wallets.records.get(_wallets(scenario), key)
    assert record is not None
    assert record.asked_by == AskingInstance(scenario.app, BUILT)


def test_a_credential_of_the_wallet_leaves_no_measurement(scenario: AppScenario) -> None:
    assert scenario.grant().status == 1
    _, key = scenario.ask(payment(5))
    record = Wallets.records.get(_wallets(scenario), key)
    assert record is not None
    assert record.asked_by is None
    scenario.registered()
    # the credential that the owner granted by name comes first
    _, key = scenario.ask(payment(6, nonce=1))
    record = Wallets.records.get(_wallets(scenario), key)
    assert record is not None
    assert record.asked_by is None
    assert scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address).status == 1
    assert refused(scenario) == "CREDENTIAL_REVOKED"


def _wallets(scenario: AppScenario) -> Any:
    from keymoot.store.journal import Journal
    from keymoot.store.meter import FreeMeter
    from keymoot.store.public import PublicStore

    return PublicStore(
        Journal(scenario.chain.state()), Wallets.ADDRESS, FreeMeter(), writable=False
    )


def test_each_thing_that_is_wrong_has_a_word(scenario: AppScenario) -> None:
    assert refused(scenario) == "NO_SUCH_CREDENTIAL"
    one = scenario.registered()
    assert scenario.update(less(measurements=(OTHER,))).status == 1
    assert refused(scenario) == "MEASUREMENT_EVICTED"
    assert scenario.update(less(endorsers=(b"n" * 32,))).status == 1
    assert refused(scenario) == "POLICY_TIGHTENED"
    assert scenario.update().status == 1
    scenario.registered(one)
    scenario.later(3_602)
    assert refused(scenario) == "REGISTRATION_EXPIRED"
    scenario.registered(one)
    assert scenario.send(OWNER, "revokeApp", scenario.wallet, scenario.app).status == 1
    assert refused(scenario) == "APP_NOT_GRANTED"
    until = scenario.chain.block.time + 10
    assert scenario.send(OWNER, "grantApp", scenario.wallet, scenario.app, until).status == 1
    scenario.later(12)
    assert refused(scenario) == "APP_NOT_GRANTED"
    assert (
        scenario.granted().send(ADMIN, "evict", scenario.app, AGENT.address, contract=Apps).status
        == 1
    )
    assert refused(scenario) == "INSTANCE_EVICTED"
    assert scenario.send(ADMIN, "remove", scenario.app, contract=Apps).status == 1
    assert refused(scenario) == "APP_REMOVED"


def test_an_instance_of_another_app_asks_in_vain(scenario: AppScenario) -> None:
    scenario.registered(Enclave(scenario.create()))
    assert refused(scenario) == "APP_NOT_GRANTED"


def test_a_wallet_is_granted_to_apps_that_there_are(scenario: AppScenario) -> None:
    until = scenario.chain.block.time + 10
    for who, app, at, word in (
        (OWNER, b"a" * 21, until, "NO_SUCH_APP"),
        (STRANGER, scenario.app, until, "NOT_OWNER"),
        (OWNER, scenario.app, scenario.chain.block.time, "BAD_EXPIRY"),
        (OWNER, scenario.app, until + 367 * 86_400, "BAD_EXPIRY"),
    ):
        assert scenario.send(who, "grantApp", scenario.wallet, app, at).error_code == word
    for who, app, word in (
        (OWNER, b"a" * 21, "NO_SUCH_CREDENTIAL"),
        (STRANGER, scenario.app, "NOT_OWNER"),
    ):
        assert scenario.send(who, "revokeApp", scenario.wallet, app).error_code == word
    assert scenario.view("appGrant", scenario.wallet, scenario.app)[1] is False
    assert scenario.view("appGrant", scenario.wallet, b"a" * 21) == (0, False, 0)


def test_what_was_bound_is_not_shown_to_one_that_was_evicted_since(scenario: AppScenario) -> None:
    scenario.registered()
    _, key = scenario.ask(payment(5))
    record = Wallets.records.get(_wallets(scenario), key)
    assert record is not None
    now = scenario.chain.block.time
    assert stopped(scenario.chain.state(), record, now) is None
    assert scenario.update(less(measurements=(OTHER,))).status == 1
    against = stopped(scenario.chain.state(), record, now)
    assert against is not None
    assert against.reason == "MEASUREMENT_EVICTED"
    assert scenario.update().status == 1
    assert stopped(scenario.chain.state(), record, now) is None
    assert stopped(scenario.chain.state(), record, now + 3_601) is not None
    assert scenario.send(OWNER, "revokeApp", scenario.wallet, scenario.app).status == 1
    assert stopped(scenario.chain.state(), record, now) is not None


class Door(Contract):
    """Lets instances of one app through, whoever calls it for them."""

    ADDRESS = built_in(201)

    @call
    def enter(self, ctx: Context, app: bytes) -> bool:
        """Tell whether an instance of the app has signed this transaction."""
        from keymoot.base.fixed import AppId

        return ctx.call(Apps.is_authorized_origin, AppId(app))


class Hall(Contract):
    """Goes to the door for whoever comes."""

    ADDRESS = built_in(202)

    @call
    def enter(self, ctx: Context, app: bytes) -> bool:
        """Pass it on."""
        return ctx.call(Door.enter, app)


class TestOrigin:
    def scenario(self) -> AppScenario:
        chain = MemoryChain(
            [Deployment("Door", Door), Deployment("Hall", Hall)],
            {one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)},
        )
        admit_simulated_on = AppScenario.__new__(AppScenario)
        admit_simulated_on.chain = chain
        admit_simulated(admit_simulated_on)
        return AppScenario(chain=chain)

    def entered(
        self, scenario: AppScenario, who: Any, door: Any = Hall, app: bytes | None = None
    ) -> bool:
        done = scenario.send(who, "enter", app or scenario.app, contract=door)
        assert done.status == 1, done.error
        return bool(int.from_bytes(done.output))

    @pytest.mark.parametrize("door", [Hall, Door])
    def test_a_contract_knows_who_signed_the_transaction(self, door: Any) -> None:
        scenario = self.scenario()
        assert not self.entered(scenario, AGENT, door)
        scenario.registered()
        assert self.entered(scenario, AGENT, door)
        assert not self.entered(scenario, STRANGER, door)
        assert not self.entered(scenario, AGENT, door, b"a" * 21)
        assert scenario.update(less(measurements=(OTHER,))).status == 1
        assert not self.entered(scenario, AGENT, door)

    def test_a_query_that_nobody_signed_comes_from_nobody(self) -> None:
        scenario = self.scenario()
        scenario.registered()
        from tests.runtime.people import calldata

        asked = calldata(Apps, "isAuthorizedOrigin", scenario.app)
        for claimed in (None, AGENT.address, Address(bytes(20))):
            assert not int.from_bytes(scenario.chain.ask(Apps.ADDRESS, asked, claimed))


def test_a_grant_is_over_when_the_registration_is(scenario: AppScenario) -> None:
    """What is bound tells enclaves until when: the earlier end counts."""
    from keymoot.contracts.builtin.wallets.asker import Asker, credential_or_instance

    scenario.registered(Enclave(scenario.app, lifetime=100))
    now = scenario.chain.block.time
    found = credential_or_instance(
        _wallets(scenario), scenario.store, scenario.wallet, AGENT.address, now
    )
    assert isinstance(found, Asker)
    assert found.expires_at == now + 100
    scenario.registered(Enclave(scenario.app))
    until = scenario.chain.block.time + 50
    assert scenario.send(OWNER, "grantApp", scenario.wallet, scenario.app, until).status == 1
    now = scenario.chain.block.time
    found = credential_or_instance(
        _wallets(scenario), scenario.store, scenario.wallet, AGENT.address, now
    )
    assert isinstance(found, Asker)
    assert found.expires_at == until
    assert Seconds(until - now) < 50
