"""Requests and presignatures: waiting for stock in order, and asking again."""

from keymoot.base.errors import Refused
from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED, REFUSED
from keymoot.enclave import messages
from keymoot.runtime import execute
from keymoot.runtime.release import find_record
from tests.enclave.shares import combined, shares_of
from tests.runtime.people import AGENT, OWNER, STRANGER, payment


def record(network, key):
    return find_record(network.state(), key)


def ask(network, scenario, value):
    raw, key = network.request(scenario, payment(value, value).unsigned_bytes())
    return network.send(raw), key


def again(network, scenario, key, who=AGENT, **changes):
    raw, name = network.request(scenario, bytes(key), ASK_AGAIN, who, **changes)
    return network.send(raw), name


def quota(scenario):
    return scenario.show()[4]


# -- waiting


def emptied(network, scenario):
    """Bind what is in stock while enclaves deal nothing more."""
    network.mute = True
    left = network.machine.stock.left()
    for value in range(left):
        receipt, key = ask(network, scenario, 100 + value)
        assert receipt.status == 1
        assert record(network, key).status == BOUND
    assert network.machine.stock.left() == 0


def test_with_no_stock_requests_wait_and_are_bound_in_their_order(network):
    scenario = network.scenario()
    emptied(network, scenario)
    keys = [ask(network, scenario, value)[1] for value in (1, 2, 3, 4, 5)]
    assert {record(network, key).status for key in keys} == {QUEUED}
    # Budget is reserved while they wait.
    receipt, late = ask(network, scenario, 10**6)
    assert receipt.status == 0
    assert record(network, late).status == REFUSED
    network.mute = False
    network.settle()
    found = [record(network, key) for key in keys]
    assert {one.status for one in found} == {BOUND}
    names = [one.bound_to for one in found]
    assert names == sorted(set(names))
    _, signature = combined(network, keys[0], shares_of(network, keys[0]))
    assert signature


def test_who_comes_later_does_not_go_before_those_who_wait(network):
    scenario = network.scenario()
    emptied(network, scenario)
    _, first = ask(network, scenario, 1)
    network.mute = False
    network.settle()
    _, second = ask(network, scenario, 2)
    names = [record(network, key).bound_to for key in (first, second)]
    assert names == sorted(names)


# -- asking again


def test_asked_again_the_same_digest_gets_another_presignature_and_no_budget_twice(network):
    scenario = network.scenario()
    key = network.bind(scenario, 40)
    usage = scenario.view("usage", scenario.wallet)
    first = combined(network, key, shares_of(network, key))
    before = quota(scenario)
    receipt, other = again(network, scenario, key)
    assert receipt.status == 1
    old, new = record(network, key), record(network, other)
    assert (new.status, new.digest, new.rule) == (BOUND, old.digest, old.rule)
    assert new.bound_to != old.bound_to
    assert new.expires_at <= old.time + REMEMBERED_SECONDS
    assert scenario.view("usage", scenario.wallet) == usage
    assert quota(scenario) < before
    second = combined(network, other, shares_of(network, other))
    assert first[0] == second[0]
    assert bytes(first[1])[:32] != bytes(second[1])[:32]
    # The log shows both, and that the second was asked again.
    assert [record(network, one).method for one in (key, other)] == [old.method, ASK_AGAIN]


def test_asked_again_without_stock_it_waits_behind_those_who_wait(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    emptied(network, scenario)
    _, first = ask(network, scenario, 1)
    receipt, other = again(network, scenario, key)
    assert receipt.status == 1
    assert record(network, other).status == QUEUED
    network.mute = False
    network.settle()
    found = record(network, other)
    assert (found.status, found.digest) == (BOUND, record(network, key).digest)
    assert record(network, first).bound_to < found.bound_to
    assert combined(network, other, shares_of(network, other))


def test_what_cannot_be_asked_again(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    assert scenario.grant(STRANGER).status == 1

    def why(name, **changes):
        receipt, made = again(network, scenario, name, **changes)
        assert receipt.status == 0
        assert record(network, made) is None
        return receipt.error

    assert "no such request" in why(key, who=STRANGER)
    assert "no such request" in why(b"\x55" * 32)
    assert "32 bytes" in why(b"\x55" * 31)
    assert "32 bytes" in why(b"")
    receipt, refused = ask(network, scenario, 10**7)
    assert receipt.status == 0
    assert "was refused" in why(refused)
    emptied(network, scenario)
    _, waiting = ask(network, scenario, 1)
    assert "waits for stock" in why(waiting)
    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    assert "paused" in why(key)
    assert scenario.send(OWNER, "resume", scenario.wallet).status == 1


def test_again_of_again_and_of_a_withdrawal(network):
    scenario = network.scenario()
    key = network.bind(scenario)
    _, second = again(network, scenario, key)
    receipt, third = again(network, scenario, second)
    assert receipt.status == 1
    found = [record(network, one) for one in (key, second, third)]
    assert len({one.bound_to for one in found}) == 3
    assert len({one.digest for one in found}) == 1


def test_a_message_stays_in_force_when_those_who_wait_cannot_be_bound(network, monkeypatch):
    def refuse(*_):
        raise Refused("nobody is bound")

    monkeypatch.setattr(execute, "bind_waiting", refuse)
    epoch = network.machine.epochs.current.number
    for one in network.boxes.values():
        one.ask(messages.TURN, b"")
    network.settle()
    assert network.machine.epochs.current.number == epoch + 1
    monkeypatch.undo()
    # Nobody has parted from the ledger: the enclaves sign what is bound now.
    scenario = network.scenario()
    key = network.bind(scenario)
    answers = shares_of(network, key)
    assert not [one.code for one in answers.values() if one.code]
