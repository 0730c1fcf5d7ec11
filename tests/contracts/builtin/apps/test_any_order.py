"""Whatever admins, owners, instances and time do, in any order: who counts is who should.

Beside the ledger goes a model that keeps what happened, and says by the page's words who counts.
"""

from dataclasses import dataclass, field, replace
from random import Random

import pytest

from keymoot.base.units import Seconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.contracts.framework.errors import ContractError
from tests.contracts.builtin.apps.cast import ADMIN, BUILT, OTHER, POLICY, AppScenario, Enclave
from tests.examples import examples
from tests.runtime.people import AGENT, OWNER, STRANGER, payment

CODES = {AGENT.name: BUILT, STRANGER.name: OTHER}
STEPS = 40


@dataclass(slots=True)
class Shown:
    """What an instance showed when it registered last."""

    at: int
    lifetime: int
    since: int


@dataclass(slots=True)
class Model:
    """What happened, as words say it."""

    policy: AppPolicy = POLICY
    tightened: int = 0
    removed: bool = False
    shown: dict[str, Shown] = field(default_factory=dict)
    evicted: set[str] = field(default_factory=set)
    granted_until: int = 0
    revoked: bool = False

    def word(self, who: str, now: int) -> str:
        """Give the refusal that an instance meets at a time."""
        found = self.shown.get(who)
        if found is None:
            return "NOT_REGISTERED"
        if self.removed:
            return "APP_REMOVED"
        if who in self.evicted:
            return "INSTANCE_EVICTED"
        if CODES[who] not in self.policy.measurements or "simulated" not in self.policy.vendors:
            return "MEASUREMENT_EVICTED"
        if found.since < self.tightened:
            return "POLICY_TIGHTENED"
        if now > found.at + min(found.lifetime, self.policy.lifetime_seconds):
            return "REGISTRATION_EXPIRED"
        return ""

    def wallet_word(self, who: str, now: int) -> str:
        """Give the refusal that its request meets."""
        word = self.word(who, now)
        if word == "NOT_REGISTERED":
            return "NO_SUCH_CREDENTIAL"
        if word:
            return word
        return "APP_NOT_GRANTED" if self.revoked or now > self.granted_until else ""


class Run:
    """One ledger, one model, and dice."""

    def __init__(self, seed: int) -> None:
        self.rng, self.model, self.nonce = Random(seed), Model(), 0
        self.scenario = AppScenario().granted(2_000)
        self.model.granted_until = self.scenario.chain.block.time - 1 + 2_000

    @property
    def now(self) -> int:
        return self.scenario.chain.block.time

    def step(self) -> None:
        weights = {self.register: 8, self.change: 4, self.wait: 5, self.grant: 2, self.revoke: 1}
        weights |= {self.evict: 1, self.remove: 0 if self.rng.random() < 0.9 else 1, self.ask: 6}
        self.rng.choices([*weights], [*weights.values()])[0]()

    def register(self) -> None:
        who = self.rng.choice([AGENT, STRANGER])
        lifetime = self.rng.choice([100, 1_000, 10_000])
        one = Enclave(self.scenario.app, who, CODES[who.name], lifetime=lifetime)
        self.scenario.later(1)
        done = self.scenario.register(one, payer=who)
        model = self.model
        let_in = (
            not model.removed
            and who.name not in model.evicted
            and CODES[who.name] in model.policy.measurements
            and "simulated" in model.policy.vendors
        )
        assert (done.status == 1) is let_in, done.error
        if let_in:
            allowed = min(lifetime, model.policy.lifetime_seconds)
            model.shown[who.name] = Shown(self.now, allowed, model.tightened)

    def change(self) -> None:
        new = replace(
            self.model.policy,
            measurements=self.rng.choice([(BUILT,), (OTHER,), (BUILT, OTHER), ()]),
            vendors=self.rng.choice([("simulated",), ("simulated",), ("nitro",)]),
            lifetime_seconds=Seconds(self.rng.choice([60, 500, 5_000])),
            advisories=self.rng.choice([(), (), ("INTEL-SA-1",)]),
        )
        done = self.scenario.update(new)
        assert done.error_code == ("APP_REMOVED" if self.model.removed else "")
        if done.status == 1:
            self.model.tightened += new.advisories != self.model.policy.advisories
            self.model.policy = new

    def wait(self) -> None:
        self.scenario.later(self.rng.choice([2, 50, 400, 3_000]))

    def evict(self) -> None:
        who = self.rng.choice([AGENT, STRANGER])
        arguments = self.scenario.app, who.address
        done = self.scenario.send(ADMIN, "evict", *arguments, contract=Apps)
        known = who.name in self.model.shown
        assert (done.status == 1) is (known and not self.model.removed)
        if done.status == 1:
            self.model.evicted.add(who.name)

    def remove(self) -> None:
        self.scenario.send(ADMIN, "remove", self.scenario.app, contract=Apps)
        self.model.removed = True

    def grant(self) -> None:
        until = self.now + 1_500
        arguments = self.scenario.wallet, self.scenario.app, until
        if self.scenario.send(OWNER, "grantApp", *arguments).status == 1:
            self.model.granted_until, self.model.revoked = until, False

    def revoke(self) -> None:
        arguments = self.scenario.wallet, self.scenario.app
        assert self.scenario.send(OWNER, "revokeApp", *arguments).status == 1
        self.model.revoked = True

    def ask(self) -> None:
        who = self.rng.choice([AGENT, STRANGER])
        self.nonce += 1
        receipt, _ = self.scenario.ask(payment(1, nonce=self.nonce), who)
        assert receipt.error_code == self.model.wallet_word(who.name, self.now)

    def check(self) -> None:
        """Compare who counts now, of both."""
        for who in (AGENT, STRANGER):
            try:
                found = instance_of(
                    self.scenario.store, who.address, self.scenario.chain.block.time
                )
                word = ""
                assert found.measurement == CODES[who.name]
            except ContractError as error:
                word = error.code
            assert word == self.model.word(who.name, self.now), who.name


@pytest.mark.parametrize("seed", range(examples(30)))
def test_who_counts_is_who_should(seed: int) -> None:
    run = Run(seed)
    for _ in range(STEPS):
        run.step()
        run.check()
