"""What was allowed may be asked again for a day, and after that by nobody; nothing counts twice."""

import pytest

from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED
from keymoot.policy.moment import format_moment
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_bindings import again, ask, emptied, record
from tests.runtime.people import AGENT, OWNER, STRANGER, policy

HOUR = 3_600


@pytest.fixture
def later(network):
    """Let hours pass, on every clock."""

    def pass_by(seconds, scenario):
        network.clock.now += seconds
        assert scenario.send(OWNER, "resume", scenario.wallet).status == 1

    return pass_by


def scenario_on(network):
    """Make a wallet whose credential lasts for days."""
    scenario = network.scenario()
    assert scenario.send(
        OWNER, "grant", scenario.wallet, AGENT.address, network.clock.now + 10**6
    ).status
    return scenario


def test_an_answer_that_never_came_is_asked_again_hours_later(network, later):
    scenario = scenario_on(network)
    key = network.bind(scenario, 40)
    later(20 * HOUR, scenario)
    usage = scenario.view("usage", scenario.wallet)
    receipt, other = again(network, scenario, key)
    assert receipt.status == 1, receipt
    old, new = record(network, key), record(network, other)
    assert (new.status, new.method, new.digest) == (BOUND, ASK_AGAIN, old.digest)
    assert scenario.view("usage", scenario.wallet) == usage
    digest, _ = combined(network, other, shares_of(network, other))
    assert digest == old.digest
    # The old one itself gives nothing: its own time is over.
    assert "" not in {one.code for one in shares_of(network, key).values()}


def test_asking_again_does_not_move_the_day(network, later):
    scenario = scenario_on(network)
    key = network.bind(scenario, 40)
    later(20 * HOUR, scenario)
    receipt, second = again(network, scenario, key)
    assert receipt.status == 1
    later(3 * HOUR, scenario)
    receipt, third = again(network, scenario, second)
    assert receipt.status == 1
    assert record(network, third).payload == bytes(key)
    # Past the day by more than a clock that counts seconds can hide.
    later(HOUR + 5, scenario)
    for name in (key, second, third):
        receipt, _ = again(network, scenario, name)
        assert (receipt.status, receipt.error_code) == (0, "REQUEST_FORGOTTEN")
        assert f"{REMEMBERED_SECONDS} s" in receipt.error


def test_no_answer_outlives_the_day(network, later):
    scenario = scenario_on(network)
    key = network.bind(scenario, 40)
    later(REMEMBERED_SECONDS - 60, scenario)
    receipt, other = again(network, scenario, key, seconds=300)
    assert receipt.status == 1
    assert record(network, other).expires_at == record(network, key).time + REMEMBERED_SECONDS
    later(120, scenario)
    assert "" not in {one.code for one in shares_of(network, other).values()}


def test_what_waited_until_its_time_was_over_is_asked_again(network, later):
    scenario = scenario_on(network)
    emptied(network, scenario)
    _, waiting = ask(network, scenario, 1)
    later(HOUR, scenario)
    network.mute = False
    network.settle()
    assert record(network, waiting).status == QUEUED
    receipt, other = again(network, scenario, waiting)
    assert receipt.status == 1, receipt
    network.settle()
    found = record(network, other)
    assert (found.status, found.digest) == (BOUND, record(network, waiting).digest)


def test_hours_later_everything_is_checked_anew(network, later):
    scenario = scenario_on(network)
    key = network.bind(scenario, 40)
    later(2 * HOUR, scenario)

    def why(**changes):
        receipt, made = again(network, scenario, key, **changes)
        assert receipt.status == 0
        assert record(network, made) is None
        return receipt.error

    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    assert "paused" in why()
    assert scenario.send(OWNER, "resume", scenario.wallet).status == 1
    assert scenario.grant(STRANGER).status == 1
    assert "no such request" in why(who=STRANGER)
    assert (
        scenario.rule(policy(10**6, expires=format_moment(network.clock.now + 10**6))).status == 1
    )
    assert "version 2" in why()
    other = network.bind(scenario, 41)
    assert (
        scenario.send(OWNER, "grant", scenario.wallet, AGENT.address, network.clock.now + 60).status
        == 1
    )
    later(HOUR, scenario)
    receipt, _ = again(network, scenario, other)
    assert receipt.status == 0
    assert "credential has expired" in receipt.error


def test_a_policy_that_has_expired_since_binds_nothing(network, later):
    scenario = scenario_on(network)
    soon = format_moment(network.clock.now + HOUR)
    assert scenario.rule(policy(10**6, expires=soon)).status == 1
    key = network.bind(scenario, 40)
    assert again(network, scenario, key)[0].status == 1
    later(2 * HOUR, scenario)
    receipt, _ = again(network, scenario, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "policy expired" in receipt.error
