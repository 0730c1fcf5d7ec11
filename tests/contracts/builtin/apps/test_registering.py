"""Who is let in as an instance: each thing that is wrong has a word of its own."""

from dataclasses import replace
from typing import Any

import pytest

from keymoot.base.fixed import Bytes32, Hash32, Measurement, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import Seconds
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.apps.errors import RegistrationExpired
from keymoot.contracts.builtin.apps.evidence import EVIDENCE_AGE_SECONDS, endorsement_message
from keymoot.contracts.builtin.apps.policy import AppPolicy
from keymoot.contracts.builtin.apps.record import Entries, SeatedInstances
from keymoot.contracts.builtin.apps.standing import instance_of
from keymoot.crypto import ed25519
from keymoot.runtime import gas
from tests.contracts.builtin.apps.cast import (
    ADMIN,
    BUILT,
    OTHER,
    POLICY,
    AppScenario,
    Enclave,
    admit_simulated,
    less,
)
from tests.runtime.people import AGENT, STRANGER, Person


@pytest.fixture
def scenario() -> AppScenario:
    return AppScenario()


def test_an_enclave_that_shows_what_the_app_demands_is_an_instance(scenario: AppScenario) -> None:
    one = scenario.registered()
    found = scenario.instance()
    assert found is not None
    now = scenario.chain.block.time
    assert (found.app, found.encryption, found.measurement) == (scenario.app, one.public, BUILT)
    assert (found.registered_at, found.expires_at, found.vendor) == (now, now + 3_600, "simulated")


@pytest.mark.parametrize(
    ("spoiled", "word"),
    [
        ({"network": NetworkId(b"n" * 32)}, "OTHER_BINDING"),
        ({"block": Hash32(b"n" * 32)}, "OTHER_BINDING"),
        ({"bound_app": b"a" * 21}, "OTHER_BINDING"),
        ({"bound_key": STRANGER.address}, "OTHER_BINDING"),
        ({"bound_encryption": Bytes32(b"k" * 32)}, "OTHER_BINDING"),
        ({"signer": STRANGER}, "NOT_MY_KEY"),
        ({"key": STRANGER.address}, "NOT_MY_KEY"),
        ({"app": b"a" * 21}, "NO_SUCH_APP"),
        ({"header": b"\xc0"}, "BAD_ARGUMENTS"),
        ({"metadata": b"x"}, "BAD_ARGUMENTS"),
        ({"evidence": b""}, "BAD_ARGUMENTS"),
        ({"evidence": b"\xc1\x80"}, "EVIDENCE_REFUSED"),
    ],
    ids=lambda one: one if isinstance(one, str) else "/".join(one),
)
def test_what_is_sent_with_other_evidence_is_refused(
    scenario: AppScenario, spoiled: dict[str, Any], word: str
) -> None:
    done = scenario.register(Enclave(scenario.app), **spoiled)
    assert (done.status, done.error_code) == (0, word), done.error
    assert scenario.instance() is None


def test_other_code_and_debugging_are_refused_by_their_names(scenario: AppScenario) -> None:
    other = scenario.register(Enclave(scenario.app, code=OTHER))
    assert (other.error_code, OTHER.hex() in other.error) == ("MEASUREMENT_REFUSED", True)
    assert scenario.register(Enclave(scenario.app, debug=True)).error_code == "DEBUG_ENCLAVE"
    assert scenario.instance() is None


def test_simulated_evidence_counts_where_genesis_and_app_say_so_and_nowhere_else() -> None:
    scenario = AppScenario(less(vendors=("snp",)))
    assert scenario.register(Enclave(scenario.app)).error_code == "VENDOR_REFUSED"
    assert scenario.update().status == 1
    scenario.registered()
    admit_simulated(scenario, simulated=False)
    assert scenario.register(Enclave(scenario.app)).error_code == "EVIDENCE_REFUSED"


def test_evidence_names_a_recent_block_of_this_chain(scenario: AppScenario) -> None:
    first = scenario.newest
    scenario.chain.pass_time(Seconds(EVIDENCE_AGE_SECONDS - 1))
    scenario.registered(of=first)
    again = scenario.register(Enclave(scenario.app), of=first)
    assert again.error_code == "EVIDENCE_STALE"
    assert f"is {EVIDENCE_AGE_SECONDS + 1} s old" in again.error
    # a block of another chain, of this height, and with this very time
    other = AppScenario()
    other.create()
    assert other.newest.height <= scenario.newest.height
    assert scenario.register(Enclave(scenario.app), of=other.newest).error_code == "UNKNOWN_NONCE"
    # one of the future, and none at all
    for _ in range(3):
        other.create()
    assert scenario.register(Enclave(scenario.app), of=other.newest).error_code == "UNKNOWN_NONCE"


def test_anyone_may_pay_for_a_registration(scenario: AppScenario) -> None:
    scenario.registered(payer=STRANGER)
    assert scenario.instance() is not None
    assert scenario.instance(STRANGER) is None


def test_a_registration_is_renewed_and_its_keys_stay(scenario: AppScenario) -> None:
    one = scenario.registered()
    before = scenario.instance()
    scenario.chain.pass_time(Seconds(60))
    scenario.registered(one)
    after = scenario.instance()
    assert before is not None
    assert after is not None
    assert after.expires_at > before.expires_at
    other = Enclave(scenario.app, encryption=Secret(b"f" * 32))
    assert scenario.register(other).error_code == "KEY_TAKEN"
    elsewhere = Enclave(scenario.create())
    assert scenario.register(elsewhere).error_code == "KEY_TAKEN"
    assert scenario.instance() == after


def test_it_lives_as_long_as_it_asks_and_the_app_lets_it(scenario: AppScenario) -> None:
    for asked, given in ((10, 10), (3_600, 3_600), (10**6, 3_600), (0, 0)):
        scenario.registered(Enclave(scenario.app, lifetime=asked))
        found = scenario.instance()
        assert found is not None
        assert found.expires_at - found.registered_at == given


def test_what_an_instance_says_of_itself_is_signed_by_it_and_replaced(
    scenario: AppScenario,
) -> None:
    told = Entries({"net.oasis.app.name": b"trader"})
    scenario.registered(metadata=told.encode())
    assert Apps.instance_metadata.get(scenario.store, AGENT.address) == told
    scenario.registered()
    assert Apps.instance_metadata.get(scenario.store, AGENT.address) == Entries()
    one = Enclave(scenario.app)
    arguments = list(one.call(scenario.newest, scenario.chain.block.network))
    arguments[6] = told.encode()
    assert scenario.send(AGENT, "register", *arguments, contract=Apps).error_code == "NOT_MY_KEY"
    arguments[6], arguments[3] = Entries().encode(), 3_000
    assert scenario.send(AGENT, "register", *arguments, contract=Apps).error_code == "NOT_MY_KEY"


def test_nobody_says_again_what_an_instance_said_before(scenario: AppScenario) -> None:
    """A registration is public: whoever repeats an earlier one would undo a later one."""
    one, here = Enclave(scenario.app), scenario.chain.block.network
    short = Enclave(scenario.app, lifetime=60)
    said = [
        made.call(scenario.newest, here, metadata=Entries({"host": host}).encode())
        for made, host in ((short, b"old"), (one, b"older"))
    ]
    for arguments in said[:1]:
        assert scenario.send(AGENT, "register", *arguments, contract=Apps).status == 1
    newest = Entries({"host": b"new"})
    scenario.registered(one, metadata=newest.encode())
    before = scenario.instance()
    for arguments in said:
        done = scenario.send(STRANGER, "register", *arguments, contract=Apps)
        assert (done.status, done.error_code) == (0, "SAID_BEFORE")
    assert scenario.instance() == before
    assert Apps.instance_metadata.get(scenario.store, AGENT.address) == newest
    # nor the newest itself: it would count longer than its instance lives
    last = one.call(scenario.newest, here)
    assert scenario.send(AGENT, "register", *last, contract=Apps).status == 1
    scenario.later(100)
    done = scenario.send(STRANGER, "register", *last, contract=Apps)
    assert done.error_code == "SAID_BEFORE"
    scenario.registered(one)


def test_work_is_paid_before_it_is_done(
    scenario: AppScenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[bytes] = []
    from keymoot.contracts.builtin.apps import contract

    def look(evidence: bytes, *_: Any) -> None:
        looked.append(evidence)
        raise AssertionError

    monkeypatch.setattr(contract, "check_evidence", look)
    arguments = Enclave(scenario.app).call(scenario.newest, scenario.chain.block.network)
    data = Apps.method("register").encode(arguments)
    enough = gas.intrinsic(data) + contract.EVIDENCE_GAS
    done = scenario.chain.send(scenario.raw(AGENT, Apps.ADDRESS, data, gas=enough))
    assert (done.error_code, looked) == ("OUT_OF_GAS", [])


class TestEndorsing:
    NODE = Secret(b"n" * 32)

    def endorse(self, seed: Secret = NODE) -> Any:
        return lambda report: (
            bytes(ed25519.public_key(seed)) + ed25519.sign(seed, endorsement_message(report))
        )

    def test_one_of_the_nodes_that_the_app_names_has_to_endorse(self) -> None:
        nodes = sorted(ed25519.public_key(one) for one in (self.NODE, Secret(b"o" * 32)))
        scenario = AppScenario(less(endorsers=tuple(nodes)))
        one = Enclave(scenario.app)
        assert scenario.register(one).error_code == "NOT_ENDORSED"
        stranger = self.endorse(Secret(b"s" * 32))
        assert scenario.register(one, endorse=stranger).error_code == "NOT_ENDORSED"

        def of_another(report: bytes) -> bytes:
            return self.endorse()(bytes(64))

        assert scenario.register(one, endorse=of_another).error_code == "NOT_ENDORSED"

        def longer(report: bytes) -> bytes:
            return self.endorse()(report) + b"\0"

        assert scenario.register(one, endorse=longer).error_code == "NOT_ENDORSED"
        scenario.registered(one, endorse=self.endorse())


class TestTheMixOfMakers:
    PEOPLE = tuple(Person(f"instance {at}") for at in range(4))

    def one(self, scenario: AppScenario, at: int, code: Measurement = BUILT) -> Enclave:
        return Enclave(scenario.app, self.PEOPLE[at], code)

    def test_no_maker_vouches_for_more_than_the_app_lets_it(self) -> None:
        scenario = AppScenario(less(measurements=(BUILT, OTHER), most_per_maker=2))
        for at in (0, 1):
            scenario.registered(self.one(scenario, at))
        third = scenario.register(self.one(scenario, 2))
        assert third.error_code == "MIX_REFUSED"
        assert "at most 2 are allowed" in third.error
        # a renewal takes no second seat
        scenario.registered(self.one(scenario, 0))
        # who expired, was put out or evicted, leaves its seat
        scenario.later(3_700)
        scenario.registered(self.one(scenario, 2, OTHER))
        scenario.registered(self.one(scenario, 3))
        assert scenario.register(self.one(scenario, 0)).error_code == "MIX_REFUSED"
        assert (
            scenario.send(
                ADMIN, "evict", scenario.app, self.PEOPLE[3].address, contract=Apps
            ).status
            == 1
        )
        scenario.registered(self.one(scenario, 0))
        assert scenario.register(self.one(scenario, 1)).error_code == "MIX_REFUSED"
        assert scenario.update(less(most_per_maker=2)).status == 1
        scenario.registered(self.one(scenario, 1))
        seats = Apps.seats.get(scenario.store, scenario.app)
        assert seats == SeatedInstances((self.PEOPLE[0].address, self.PEOPLE[1].address))

    def test_who_came_before_it_was_asked_comes_anew(self) -> None:
        scenario = AppScenario()
        scenario.registered(self.one(scenario, 0))
        assert scenario.update(less(most_per_maker=1)).status == 1
        scenario.registered(self.one(scenario, 1))
        assert scenario.register(self.one(scenario, 0)).error_code == "MIX_REFUSED"

    @pytest.mark.parametrize(
        "out",
        [
            less(measurements=(OTHER,)),
            less(measurements=(BUILT, OTHER), lifetime_seconds=Seconds(60)),
        ],
        ids=["code", "life"],
    )
    def test_who_lost_its_seat_does_not_come_back_with_the_policy(self, out: AppPolicy) -> None:
        wide = less(measurements=(BUILT, OTHER), most_per_maker=1)
        scenario = AppScenario(wide)
        scenario.registered(self.one(scenario, 0))
        assert scenario.update(replace(out, most_per_maker=1)).status == 1
        scenario.later(70)
        scenario.registered(self.one(scenario, 1, OTHER))
        assert scenario.update(wide).status == 1
        with pytest.raises(RegistrationExpired):
            instance_of(scenario.store, self.PEOPLE[0].address, scenario.chain.block.time)
        assert scenario.register(self.one(scenario, 0)).error_code == "MIX_REFUSED"

    def test_at_most_64_live_where_a_mix_is_asked(self, monkeypatch: pytest.MonkeyPatch) -> None:
        from keymoot.contracts.builtin.apps import contract

        monkeypatch.setattr(contract, "MAX_SEATS", 2)
        scenario = AppScenario(less(most_per_maker=9))
        scenario.registered(self.one(scenario, 0))
        scenario.registered(self.one(scenario, 1))
        done = scenario.register(self.one(scenario, 2))
        assert done.error_code == "MIX_REFUSED"
        scenario.registered(self.one(scenario, 1))


def test_the_policy_of_the_play_is_what_it_seems() -> None:
    assert (POLICY.measurements, POLICY.vendors) == ((BUILT,), ("simulated",))
