"""The keeper of a process, as dialogues: events in, commands out, on a clock of its own."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.daemon.backoff import Backoff
from keymoot.daemon.keeper import (
    FIRST_WAIT_SECONDS,
    GRACE_SECONDS,
    LONGEST_WAIT_SECONDS,
    WELL_SECONDS,
    Began,
    Done,
    Ended,
    Keeper,
    Restarting,
    Send,
    StartProcess,
    TimeCame,
    Told,
)


def begun() -> Keeper:
    keeper = Keeper()
    assert keeper.handle(Began(), 0.0) == [StartProcess()]
    return keeper


def test_who_ends_well_is_done():
    assert begun().handle(Ended(0), 5.0) == [Done(0)]


def test_who_fails_is_started_again_later_each_time():
    keeper, now, waits = begun(), 0.0, []
    for _ in range(9):
        (told,) = keeper.handle(Ended(1), now)
        waits.append(told.seconds)
        assert keeper.wakes_at == now + told.seconds
        assert keeper.handle(TimeCame(), now + told.seconds - 0.01) == []
        now += told.seconds
        assert keeper.handle(TimeCame(), now) == [StartProcess()]
        assert keeper.wakes_at is None
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_who_ran_well_begins_with_the_shortest_wait():
    keeper = begun()
    keeper.handle(Ended(-9), 0.0)
    keeper.handle(TimeCame(), 1.0)
    assert keeper.handle(Ended(1), 2.0) == [Restarting(1, 2 * FIRST_WAIT_SECONDS)]
    keeper.handle(TimeCame(), 4.0)
    assert keeper.handle(Ended(1), 4.0 + WELL_SECONDS) == [Restarting(1, FIRST_WAIT_SECONDS)]


def test_a_signal_to_stop_goes_on_and_its_end_is_ours():
    keeper = begun()
    assert keeper.handle(Told(signal.SIGTERM), 1.0) == [Send(signal.SIGTERM)]
    assert keeper.wakes_at == 1.0 + GRACE_SECONDS
    assert keeper.handle(Ended(7), 2.0) == [Done(7)]


def test_who_does_not_stop_is_killed():
    keeper = begun()
    keeper.handle(Told(signal.SIGINT), 1.0)
    assert keeper.handle(TimeCame(), 1.0 + GRACE_SECONDS) == [Send(signal.SIGKILL)]
    assert keeper.wakes_at is None
    assert keeper.handle(Ended(-9), 12.0) == [Done(137)]


def test_a_second_signal_does_not_lengthen_the_grace():
    keeper = begun()
    keeper.handle(Told(signal.SIGTERM), 1.0)
    assert keeper.handle(Told(signal.SIGINT), 5.0) == [Send(signal.SIGINT)]
    assert keeper.wakes_at == 1.0 + GRACE_SECONDS


def test_who_waits_to_be_started_is_not_started_to_be_stopped():
    keeper = begun()
    keeper.handle(Ended(1), 1.0)
    assert keeper.handle(Told(signal.SIGUSR1), 1.2) == []
    assert keeper.handle(Told(signal.SIGTERM), 1.5) == [Done(128 + signal.SIGTERM)]


def test_other_signals_go_on_and_nothing_ends():
    keeper = begun()
    assert keeper.handle(Told(signal.SIGUSR1), 1.0) == [Send(signal.SIGUSR1)]
    assert keeper.wakes_at is None


EVENTS = st.sampled_from([Ended(0), Ended(1), Ended(-11), Told(15), Told(10), TimeCame()])


@given(st.lists(st.tuples(EVENTS, st.floats(0, 100)), max_size=30))
def test_whatever_comes_there_is_one_process_or_none(events):
    keeper, now, running = begun(), 0.0, True
    for event, later in events:
        if isinstance(event, Ended) and not running:
            continue
        now = max(now, keeper.wakes_at or 0) if isinstance(event, TimeCame) else now + later
        running = running and not isinstance(event, Ended)
        for command in keeper.handle(event, now):
            if isinstance(command, StartProcess):
                assert not running
                running = True
            if isinstance(command, Send):
                assert running
            if isinstance(command, Done):
                assert not running
                return
        # nothing is forgotten: somebody runs, or somebody will be started
        assert running or keeper.wakes_at is not None
        assert keeper.wakes_at is None or keeper.wakes_at <= now + LONGEST_WAIT_SECONDS


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 2), (2, 4), (9, 300), (9_999, 300)])
def test_waits_double_up_to_a_most(failures, seconds):
    assert Backoff(2.0, 300.0, failures).seconds == seconds
