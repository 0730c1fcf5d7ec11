"""Questions for keys of an app: who may ask them, and which the ledger takes."""

from typing import Any

import pytest

from keymoot.base.secret import Secret
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.keys import AppKeyAsked, AppKeyKind, Keys, app_question_of
from keymoot.contracts.framework.errors import Anonymous
from keymoot.runtime.receipt import Receipt
from keymoot.threshold import derived
from keymoot.threshold.rng import SeededRng
from tests.contracts.builtin.apps.cast import ADMIN, OTHER, AppScenario, Enclave, less
from tests.runtime.people import AGENT, STRANGER, Person, calldata

_, TO = derived.asker(SeededRng(Secret(b"\x01" * 32)))
_, ANOTHER = derived.asker(SeededRng(Secret(b"\x02" * 32)))


def ask(scenario: AppScenario, who: Person = AGENT, **changes: Any) -> Receipt:
    asked = {"kind": 4, "key_id": b"login", "first": TO.first, "second": TO.second}
    asked |= {"expires_at": scenario.chain.block.time + 60} | changes
    return scenario.send(who, "deriveForApp", *asked.values(), contract=Keys)


@pytest.fixture
def scenario() -> AppScenario:
    return AppScenario()


@pytest.mark.parametrize("kind", AppKeyKind)
def test_a_live_instance_asks_and_enclaves_read_what_of(
    scenario: AppScenario, kind: AppKeyKind
) -> None:
    scenario.registered()
    done = ask(scenario, kind=kind)
    assert done.status == 1, done.error
    question = app_question_of(AGENT.address, scenario.app, kind, b"login", TO.first)
    assert done.output == question
    (log,) = done.logs
    told = AppKeyAsked.read(log.topics, log.data)
    assert (told.app, told.kind, told.key_id) == (scenario.app, kind, b"login")
    assert (told.asker, told.question, told.first) == (AGENT.address, question, TO.first)


def test_nobody_else_does(scenario: AppScenario) -> None:
    assert ask(scenario).error_code == "NOT_REGISTERED"
    one = scenario.registered()
    assert ask(scenario, STRANGER).error_code == "NOT_REGISTERED"
    assert ask(scenario, ADMIN).error_code == "NOT_REGISTERED"
    assert scenario.update(less(measurements=(OTHER,))).status == 1
    assert ask(scenario).error_code == "MEASUREMENT_EVICTED"
    assert scenario.update(less(raw_keys=False)).status == 1
    assert ask(scenario).error_code == "RAW_KEYS_REFUSED"
    assert scenario.update().status == 1
    scenario.later(3_602)
    assert ask(scenario).error_code == "REGISTRATION_EXPIRED"
    scenario.registered(one)
    assert ask(scenario).status == 1
    assert scenario.send(ADMIN, "remove", scenario.app, contract=Apps).status == 1
    assert ask(scenario, key_id=b"other").error_code == "APP_REMOVED"


def test_what_no_enclave_could_answer_is_not_taken(scenario: AppScenario) -> None:
    scenario.registered()
    now = scenario.chain.block.time
    for changes in (
        {"kind": 0},
        {"kind": 6},
        {"key_id": b"n" * 257},
        {"second": ANOTHER.second},
        {"first": TO.first[:-1]},
        {"expires_at": now - 1},
        {"expires_at": now + 3_700},
    ):
        assert ask(scenario, **changes).error_code == "BAD_QUESTION", changes
    assert ask(scenario).status == 1
    assert ask(scenario).error_code == "BAD_QUESTION"
    assert ask(scenario, kind=3).status == 1


def test_a_name_of_an_account_and_of_an_app_are_two(scenario: AppScenario) -> None:
    scenario.registered(Enclave(scenario.app))
    assert ask(scenario).status == 1
    until = scenario.chain.block.time + 60
    own = scenario.send(AGENT, "derive", b"login", TO.first, TO.second, until, contract=Keys)
    assert own.status == 1
    data = calldata(Keys, "deriveForApp", 4, b"login", TO.first, TO.second, until)
    with pytest.raises(Anonymous):
        scenario.chain.ask(Keys.ADDRESS, data)
