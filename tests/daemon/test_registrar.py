"""Renewals: when, what is told of a failure, and how seldom it is tried again."""

import threading

import pytest

from keymoot.agent.errors import NetworkRefused
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.daemon.backoff import Backoff
from keymoot.daemon.registrar import Registrar, reason_of
from keymoot.daemon.renewal import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Renewal
from tests.daemon.instance import MemoryInstance

REFUSED = NetworkRefused(3, "this code is not the app's", {"reason": "MEASUREMENT_REFUSED"})


class Clock:
    def __init__(self):
        self.time = 1_000.0

    def __call__(self):
        return self.time


def registrar(instance):
    said, clock = [], Clock()
    instance.expires_at = UnixSeconds(1_100)
    return Registrar(instance, dict, said.append, clock), said, clock


def test_a_registration_is_renewed_halfway():
    assert Renewal.of(UnixSeconds(1_100), Seconds(100), 1_000.0).due_at == 1_050
    assert Renewal.of(UnixSeconds(1_001), Seconds(1), 1_000.0).due_at == 1_005


@pytest.mark.parametrize("wrong", [-(10**9), -20_000, 20_000, 10**9])
def test_a_host_whose_clock_is_wrong_renews_as_often_as_others(wrong):
    """Behind it would let the registration end; ahead it would spend all it has on renewals."""
    due = Renewal.of(UnixSeconds(1_790_000_000), Seconds(7_200), 1_789_992_800.0 + wrong).due_at
    assert due - (1_789_992_800.0 + wrong) == 3_600


@pytest.mark.parametrize("error", [OSError(5, "device"), RuntimeError("defect"), MemoryError()])
def test_whatever_fails_the_thread_goes_on_and_says_so(error):
    instance, said, failed = MemoryInstance(), [], threading.Event()
    keeping = Registrar(instance, dict, said.append, lambda: 10.0**6)
    keeping._renewal = Renewal(UnixSeconds(0), 0.0, Backoff(0.001, 0.001))
    renewed, register = threading.Event(), instance.register

    def told(metadata):
        if not failed.is_set():
            failed.set()
            raise error
        register(metadata)
        renewed.set()
        return UnixSeconds(10**9)

    instance.register = told
    keeping.start()
    assert renewed.wait(240)
    keeping.stop()
    assert type(error).__name__ in said[0]
    assert "is not renewed" in said[0]


def test_what_fails_is_tried_again_later_each_time():
    renewal, now, waits = Renewal.of(UnixSeconds(1_100), Seconds(100), 1_000.0), 1_050.0, []
    for _ in range(10):
        renewal = renewal.failed(now)
        waits.append(renewal.due_at - now)
        now = renewal.due_at
    assert waits[:3] == [FIRST_RETRY_SECONDS, 2 * FIRST_RETRY_SECONDS, 4 * FIRST_RETRY_SECONDS]
    assert waits[-2:] == [LONGEST_RETRY_SECONDS] * 2
    assert renewal.expires_at == 1_100


def test_a_failure_is_said_once_and_so_is_its_end():
    instance = MemoryInstance()
    keeping, said, _ = registrar(instance)
    instance.refusal = REFUSED
    keeping.tend()
    keeping.tend()
    assert len(said) == 1
    assert "MEASUREMENT_REFUSED" in said[0]
    instance.refusal = None
    keeping.tend()
    assert said[1:] == ["registered again"]
    assert keeping.expires_at == instance.expires_at


def test_the_thread_renews_when_it_is_due():
    instance = MemoryInstance()
    keeping, _, clock = registrar(instance)
    renewed = threading.Event()
    register = instance.register

    def told(metadata):
        register(metadata)
        renewed.set()
        return UnixSeconds(10**9)

    instance.register = told
    clock.time = 1_051.0
    keeping.start()
    assert renewed.wait(240)
    keeping.stop()


def test_a_refusal_has_the_contracts_word():
    assert reason_of(REFUSED) == "MEASUREMENT_REFUSED"
    assert reason_of(NetworkRefused(3, "no")) == "NETWORK_REFUSED"
