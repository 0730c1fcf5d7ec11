"""Requests and presignatures: waiting for stock in order, and asking again."""

from keymoot.base.errors import Refused
from keymoot.base.request import ASK_AGAIN, REMEMBERED_SECONDS
from keymoot.contracts.record import BOUND, QUEUED, REFUSED
from keymoot.enclave import messages
from keymoot.runtime import execute
from keymoot.runtime.release import find_record
from tests.enclave.test_cosigning import combined, shares_of
from tests.runtime.people import AGENT, OWNER, STRANGER, payment


def record(parliament, key):
    return find_record(parliament.ledger.state(), key)


def ask(parliament, play, value):
    raw, key = parliament.request(play, payment(value, value).unsigned_bytes())
    return parliament.send(raw), key


def again(parliament, play, key, who=AGENT, **changes):
    raw, name = parliament.request(play, bytes(key), ASK_AGAIN, who, **changes)
    return parliament.send(raw), name


def quota(play):
    return play.show()[4]


# -- waiting


def emptied(parliament, play):
    """Bind what is in stock while enclaves deal nothing more."""
    parliament.mute = True
    left = parliament.assembly.stock.left()
    for value in range(left):
        receipt, key = ask(parliament, play, 100 + value)
        assert receipt.status == 1
        assert record(parliament, key).status == BOUND
    assert parliament.assembly.stock.left() == 0


def test_with_no_stock_requests_wait_and_are_bound_in_their_order(parliament):
    play = parliament.play()
    emptied(parliament, play)
    keys = [ask(parliament, play, value)[1] for value in (1, 2, 3, 4, 5)]
    assert {record(parliament, key).status for key in keys} == {QUEUED}
    # Budget is reserved while they wait.
    receipt, late = ask(parliament, play, 10**6)
    assert receipt.status == 0
    assert record(parliament, late).status == REFUSED
    parliament.mute = False
    parliament.settle()
    found = [record(parliament, key) for key in keys]
    assert {one.status for one in found} == {BOUND}
    names = [one.bound_to for one in found]
    assert names == sorted(set(names))
    _, signature = combined(parliament, keys[0], shares_of(parliament, keys[0]))
    assert signature


def test_who_comes_later_does_not_go_before_those_who_wait(parliament):
    play = parliament.play()
    emptied(parliament, play)
    _, first = ask(parliament, play, 1)
    parliament.mute = False
    parliament.settle()
    _, second = ask(parliament, play, 2)
    names = [record(parliament, key).bound_to for key in (first, second)]
    assert names == sorted(names)


# -- asking again


def test_asked_again_the_same_digest_gets_another_presignature_and_no_budget_twice(parliament):
    play = parliament.play()
    key = parliament.bind(play, 40)
    usage = play.view("usage", play.wallet)
    first = combined(parliament, key, shares_of(parliament, key))
    before = quota(play)
    receipt, other = again(parliament, play, key)
    assert receipt.status == 1
    old, new = record(parliament, key), record(parliament, other)
    assert (new.status, new.digest, new.rule) == (BOUND, old.digest, old.rule)
    assert new.bound_to != old.bound_to
    assert new.expires_at <= old.time + REMEMBERED_SECONDS
    assert play.view("usage", play.wallet) == usage
    assert quota(play) < before
    second = combined(parliament, other, shares_of(parliament, other))
    assert first[0] == second[0]
    assert bytes(first[1])[:32] != bytes(second[1])[:32]
    # The log shows both, and that the second was asked again.
    assert [record(parliament, one).method for one in (key, other)] == [old.method, ASK_AGAIN]


def test_asked_again_without_stock_it_waits_behind_those_who_wait(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    emptied(parliament, play)
    _, first = ask(parliament, play, 1)
    receipt, other = again(parliament, play, key)
    assert receipt.status == 1
    assert record(parliament, other).status == QUEUED
    parliament.mute = False
    parliament.settle()
    found = record(parliament, other)
    assert (found.status, found.digest) == (BOUND, record(parliament, key).digest)
    assert record(parliament, first).bound_to < found.bound_to
    assert combined(parliament, other, shares_of(parliament, other))


def test_what_cannot_be_asked_again(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    assert play.grant(STRANGER).status == 1

    def why(name, **changes):
        receipt, made = again(parliament, play, name, **changes)
        assert receipt.status == 0
        assert record(parliament, made) is None
        return receipt.error

    assert "no such request" in why(key, who=STRANGER)
    assert "no such request" in why(b"\x55" * 32)
    assert "32 bytes" in why(b"\x55" * 31)
    assert "32 bytes" in why(b"")
    receipt, refused = ask(parliament, play, 10**7)
    assert receipt.status == 0
    assert "was refused" in why(refused)
    emptied(parliament, play)
    _, waiting = ask(parliament, play, 1)
    assert "waits for stock" in why(waiting)
    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert "paused" in why(key)
    assert play.send(OWNER, "resume", play.wallet).status == 1


def test_again_of_again_and_of_a_withdrawal(parliament):
    play = parliament.play()
    key = parliament.bind(play)
    _, second = again(parliament, play, key)
    receipt, third = again(parliament, play, second)
    assert receipt.status == 1
    found = [record(parliament, one) for one in (key, second, third)]
    assert len({one.bound_to for one in found}) == 3
    assert len({one.digest for one in found}) == 1


def test_a_message_stays_in_force_when_those_who_wait_cannot_be_bound(parliament, monkeypatch):
    def refuse(*_):
        raise Refused("nobody is bound")

    monkeypatch.setattr(execute, "bind_waiting", refuse)
    epoch = parliament.assembly.turning.epoch.number
    for one in parliament.delegates.values():
        one.ask(messages.TURN, b"")
    parliament.settle()
    assert parliament.assembly.turning.epoch.number == epoch + 1
    monkeypatch.undo()
    # Nobody has parted from the ledger: the enclaves sign what is bound now.
    play = parliament.play()
    key = parliament.bind(play)
    answers = shares_of(parliament, key)
    assert not [one.code for one in answers.values() if one.code]
