"""Renewals: when, what is told of a failure, and how seldom it is tried again."""

import threading
from itertools import count

import pytest

from keymoot.agent.errors import NetworkRefused, NetworkUnreachable
from keymoot.base.units import Seconds, UnixSeconds
from keymoot.daemon.registrar import Registrar, reason_of
from keymoot.daemon.renewal import FIRST_RETRY_SECONDS, LONGEST_RETRY_SECONDS, Renewal
from tests.daemon.conftest import Asking
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
    now = 1_789_992_800.0 + wrong
    assert Renewal.of(UnixSeconds(1_790_000_000), Seconds(7_200), now).due_at == now + 3_600


@pytest.mark.parametrize("error", [OSError(5, "device"), RuntimeError("defect"), MemoryError()])
def test_whatever_fails_the_thread_goes_on_and_says_so(error):
    instance, said, failed = MemoryInstance(), [], threading.Event()
    hours = count(1_000, 3_600)
    keeping = Registrar(instance, dict, said.append, lambda: float(next(hours)))
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
    assert REFUSED.reason == reason_of(REFUSED) == "MEASUREMENT_REFUSED"
    assert NetworkRefused(3, "no").reason == ""
    assert reason_of(NetworkRefused(3, "no")) == "NETWORK_REFUSED"


def put_out(keeping, instance, why):
    """Have the ledger say no to an instance, and the registrar hear of it."""
    instance.against = why
    instance.refusal = NetworkRefused(3, "no", {"reason": why})
    keeping.doubt()


def passed(keeping, clock, seconds):
    clock.time += seconds
    keeping.step()


def test_an_instance_that_was_put_out_registers_again_as_soon_as_it_may():
    instance = MemoryInstance()
    keeping, said, clock = registrar(instance)
    put_out(keeping, instance, "MEASUREMENT_EVICTED")
    passed(keeping, clock, 2)
    assert keeping.out == "MEASUREMENT_EVICTED"
    assert "as soon as the app's policy admits it" in said[0]
    passed(keeping, clock, 2)
    assert keeping.out == "MEASUREMENT_EVICTED"
    asked = len(instance.asked)
    assert asked == 1
    for _ in range(10):
        passed(keeping, clock, 1)  # later each time: two more attempts in ten seconds
    assert len(instance.asked) == asked + 1
    instance.refusal = None
    passed(keeping, clock, LONGEST_RETRY_SECONDS)
    assert keeping.out == ""
    assert said[-1] == "registered again"


def test_who_was_put_out_for_ever_goes_on_under_new_keys():
    instance = MemoryInstance()
    keeping, said, clock = registrar(instance)
    put_out(keeping, instance, "INSTANCE_EVICTED")
    passed(keeping, clock, 2)
    passed(keeping, clock, 2)
    assert [asked[0] for asked in instance.asked] == ["begin_anew", "register"]
    assert (keeping.out, said[-1]) == ("", "registered again")


def test_who_is_put_out_again_and_again_waits_longer_each_time():
    """Each start costs tokens, and an admin who does this means it."""
    instance = MemoryInstance()
    keeping, _, clock = registrar(instance)
    waits = []
    for _ in range(4):
        put_out(keeping, instance, "INSTANCE_EVICTED")
        passed(keeping, clock, 2)
        waits.append(keeping.tries_in_seconds)
        passed(keeping, clock, waits[-1])
        assert keeping.out == ""
    assert waits == [2, 4, 8, 16]


def test_who_is_out_says_so_in_a_clear_word_and_asks_nobody():
    instance = MemoryInstance()
    ask = Asking(instance)
    ask.daemon.registrar.out = "MEASUREMENT_EVICTED"
    wish = {"key_id": "a", "kind": "raw-256"}
    refused = ask("POST", "/rofl/v1/keys/generate", wish)
    assert refused.status == 400
    assert b"MEASUREMENT_EVICTED" in refused.body
    assert b"registers it again" in refused.body
    signed = ask.json("POST", "/v1/wallets/mine/sign/message", {"message": "hi"}, status=403)
    assert signed["error"]["code"] == "INSTANCE_OUT"
    assert ask.json("GET", "/v1/instance")["objection"] == "MEASUREMENT_EVICTED"
    assert instance.asked == []


def test_a_refusal_of_who_asks_wakes_the_registrar_and_one_of_what_is_asked_does_not():
    instance = MemoryInstance()
    ask = Asking(instance)
    woken = ask.daemon.registrar._wake
    wish = {"key_id": "a", "kind": "raw-256"}
    instance.gives = False
    ask("POST", "/rofl/v1/keys/generate", wish)
    assert not woken.is_set()

    def refused(name, kind):
        raise NetworkRefused(3, "out", {"reason": "REGISTRATION_EXPIRED"})

    instance.derive = refused
    ask("POST", "/rofl/v1/keys/generate", wish)
    assert woken.is_set()


def test_a_network_that_is_away_puts_nobody_out():
    instance = MemoryInstance()
    keeping, said, clock = registrar(instance)

    def away():
        raise NetworkUnreachable("http://x", "refused")

    instance.objection = away
    passed(keeping, clock, 40)
    assert (keeping.out, said) == ("", [])
    instance.refusal = NetworkUnreachable("http://x", "refused")
    clock.time = instance.expires_at + 1.0
    keeping.step()
    assert keeping.out == "REGISTRATION_EXPIRED"
