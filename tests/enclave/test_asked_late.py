"""What was allowed may be asked again for a day, and after that by nobody; nothing counts twice."""

import pytest

from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.contracts.record import BOUND, QUEUED
from keymoot.policy.moment import format_moment
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_bindings import again, ask, emptied, record
from tests.runtime.people import AGENT, OWNER, STRANGER, policy

HOUR = 3_600


@pytest.fixture
def later(network):
    """Let hours pass, on every clock."""

    def pass_by(seconds, play):
        network.clock.now += seconds
        assert play.send(OWNER, "resume", play.wallet).status == 1

    return pass_by


def playing(network):
    """Make a wallet whose credential lasts for days."""
    play = network.play()
    assert play.send(OWNER, "grant", play.wallet, AGENT.address, network.clock.now + 10**6).status
    return play


def test_an_answer_that_never_came_is_asked_again_hours_later(network, later):
    play = playing(network)
    key = network.bind(play, 40)
    later(20 * HOUR, play)
    usage = play.view("usage", play.wallet)
    receipt, other = again(network, play, key)
    assert receipt.status == 1, receipt
    old, new = record(network, key), record(network, other)
    assert (new.status, new.method, new.digest) == (BOUND, ASK_AGAIN, old.digest)
    assert play.view("usage", play.wallet) == usage
    digest, _ = combined(network, other, shares_of(network, other))
    assert digest == old.digest
    # The old one itself gives nothing: its own time is over.
    assert "" not in {one.code for one in shares_of(network, key).values()}


def test_asking_again_does_not_move_the_day(network, later):
    play = playing(network)
    key = network.bind(play, 40)
    later(20 * HOUR, play)
    receipt, second = again(network, play, key)
    assert receipt.status == 1
    later(3 * HOUR, play)
    receipt, third = again(network, play, second)
    assert receipt.status == 1
    assert record(network, third).payload == bytes(key)
    # Past the day by more than a clock that counts seconds can hide.
    later(HOUR + 5, play)
    for name in (key, second, third):
        receipt, _ = again(network, play, name)
        assert (receipt.status, receipt.error_code) == (0, "REQUEST_FORGOTTEN")
        assert f"{REMEMBERED_SECONDS} s" in receipt.error


def test_no_answer_outlives_the_day(network, later):
    play = playing(network)
    key = network.bind(play, 40)
    later(REMEMBERED_SECONDS - 60, play)
    receipt, other = again(network, play, key, seconds=300)
    assert receipt.status == 1
    assert record(network, other).expires_at == record(network, key).time + REMEMBERED_SECONDS
    later(120, play)
    assert "" not in {one.code for one in shares_of(network, other).values()}


def test_what_waited_until_its_time_was_over_is_asked_again(network, later):
    play = playing(network)
    emptied(network, play)
    _, waiting = ask(network, play, 1)
    later(HOUR, play)
    network.mute = False
    network.settle()
    assert record(network, waiting).status == QUEUED
    receipt, other = again(network, play, waiting)
    assert receipt.status == 1, receipt
    network.settle()
    found = record(network, other)
    assert (found.status, found.digest) == (BOUND, record(network, waiting).digest)


def test_hours_later_everything_is_checked_anew(network, later):
    play = playing(network)
    key = network.bind(play, 40)
    later(2 * HOUR, play)

    def why(**changes):
        receipt, made = again(network, play, key, **changes)
        assert receipt.status == 0
        assert record(network, made) is None
        return receipt.error

    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert "paused" in why()
    assert play.send(OWNER, "resume", play.wallet).status == 1
    assert play.grant(STRANGER).status == 1
    assert "no such request" in why(who=STRANGER)
    assert play.rule(policy(10**6, expires=format_moment(network.clock.now + 10**6))).status == 1
    assert "version 2" in why()
    other = network.bind(play, 41)
    assert play.send(OWNER, "grant", play.wallet, AGENT.address, network.clock.now + 60).status == 1
    later(HOUR, play)
    receipt, _ = again(network, play, other)
    assert receipt.status == 0
    assert "credential has expired" in receipt.error


def test_a_policy_that_has_expired_since_binds_nothing(network, later):
    play = playing(network)
    soon = format_moment(network.clock.now + HOUR)
    assert play.rule(policy(10**6, expires=soon)).status == 1
    key = network.bind(play, 40)
    assert again(network, play, key)[0].status == 1
    later(2 * HOUR, play)
    receipt, _ = again(network, play, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "policy expired" in receipt.error
