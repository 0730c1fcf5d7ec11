"""What was allowed may be asked again for a day, and after that by nobody; nothing counts twice."""

import time

import pytest

from keymoot.base.errors import Refused
from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.contracts.record import BOUND, QUEUED
from keymoot.policy.moment import format_moment
from tests.enclave.test_bindings import again, ask, emptied, record
from tests.enclave.test_cosigning import combined, shares_of
from tests.runtime.people import AGENT, OWNER, STRANGER, policy

HOUR = 3_600


@pytest.fixture
def later(monkeypatch):
    """Let hours pass, on every clock of this process."""
    real, real_ns, ahead = time.time, time.time_ns, [0]
    monkeypatch.setattr("time.time", lambda: real() + ahead[0])
    monkeypatch.setattr("time.time_ns", lambda: real_ns() + ahead[0] * 10**9)

    def pass_by(seconds, play):
        ahead[0] += seconds
        # A block is dated by the one before it: let one pass.
        assert play.send(OWNER, "resume", play.wallet).status == 1

    return pass_by


def playing(parliament):
    """Make a wallet whose credential lasts for days."""
    play = parliament.play()
    assert play.send(OWNER, "grant", play.wallet, AGENT.address, int(time.time()) + 10**6).status
    return play


def test_an_answer_that_never_came_is_asked_again_hours_later(parliament, later):
    play = playing(parliament)
    key = parliament.bind(play, 40)
    later(20 * HOUR, play)
    usage = play.view("usage", play.wallet)
    receipt, other = again(parliament, play, key)
    assert receipt.status == 1, receipt
    old, new = record(parliament, key), record(parliament, other)
    assert (new.status, new.method, new.digest) == (BOUND, ASK_AGAIN, old.digest)
    assert play.view("usage", play.wallet) == usage
    digest, _ = combined(parliament, other, shares_of(parliament, other))
    assert digest == old.digest
    # The old one itself gives nothing: its own time is over.
    assert "" not in {one.code for one in shares_of(parliament, key).values()}


def test_asking_again_does_not_move_the_day(parliament, later):
    play = playing(parliament)
    key = parliament.bind(play, 40)
    later(20 * HOUR, play)
    receipt, second = again(parliament, play, key)
    assert receipt.status == 1
    later(3 * HOUR, play)
    receipt, third = again(parliament, play, second)
    assert receipt.status == 1
    assert record(parliament, third).payload == bytes(key)
    # Past the day by more than a clock that counts seconds can hide.
    later(HOUR + 5, play)
    for name in (key, second, third):
        receipt, _ = again(parliament, play, name)
        assert (receipt.status, receipt.error_code) == (0, "REQUEST_FORGOTTEN")
        assert f"{REMEMBERED_SECONDS} s" in receipt.error


def test_no_answer_outlives_the_day(parliament, later):
    play = playing(parliament)
    key = parliament.bind(play, 40)
    later(REMEMBERED_SECONDS - 60, play)
    receipt, other = again(parliament, play, key, seconds=300)
    assert receipt.status == 1
    assert record(parliament, other).expires_at == record(parliament, key).time + REMEMBERED_SECONDS
    later(120, play)
    assert "" not in {one.code for one in shares_of(parliament, other).values()}


def test_what_waited_until_its_time_was_over_is_asked_again(parliament, later):
    play = playing(parliament)
    emptied(parliament, play)
    _, waiting = ask(parliament, play, 1)
    later(HOUR, play)
    parliament.mute = False
    parliament.settle()
    assert record(parliament, waiting).status == QUEUED
    receipt, other = again(parliament, play, waiting)
    assert receipt.status == 1, receipt
    parliament.settle()
    found = record(parliament, other)
    assert (found.status, found.digest) == (BOUND, record(parliament, waiting).digest)


def test_hours_later_everything_is_checked_anew(parliament, later):
    play = playing(parliament)
    key = parliament.bind(play, 40)
    later(2 * HOUR, play)

    def why(**changes):
        receipt, made = again(parliament, play, key, **changes)
        assert receipt.status == 0
        assert record(parliament, made) is None
        return receipt.error

    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert "paused" in why()
    assert play.send(OWNER, "resume", play.wallet).status == 1
    assert play.grant(STRANGER).status == 1
    assert "no such request" in why(who=STRANGER)
    assert play.rule(policy(10**6, expires=format_moment(int(time.time()) + 10**6))).status == 1
    assert "version 2" in why()
    other = parliament.bind(play, 41)
    assert play.send(OWNER, "grant", play.wallet, AGENT.address, int(time.time()) + 60).status == 1
    later(HOUR, play)
    with pytest.raises(Refused, match="credential has expired"):
        again(parliament, play, other)


def test_a_policy_that_has_expired_since_binds_nothing(parliament, later):
    play = playing(parliament)
    soon = format_moment(int(time.time()) + HOUR)
    assert play.rule(policy(10**6, expires=soon)).status == 1
    key = parliament.bind(play, 40)
    assert again(parliament, play, key)[0].status == 1
    later(2 * HOUR, play)
    receipt, _ = again(parliament, play, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "policy expired" in receipt.error
