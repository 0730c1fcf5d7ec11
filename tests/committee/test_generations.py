"""Generations and starts on the ledger: what was said before them is worth nothing after."""

from dataclasses import replace

import pytest

from keymoot.base.contained import Unexecutable
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.presign.ledger import Stock
from keymoot.committee.seat import NewSession
from keymoot.threshold.first_round import FirstDealing
from tests.committee.bodies import fields_of
from tests.committee.members import ready
from tests.committee.network import CommitteeNetwork


def test_old_dealings_do_not_decode_as_new_ones():
    net = CommitteeNetwork()
    seen = []
    net.spoil = lambda _, kind, body: (seen.append((kind, body)), body)[1]
    net.settle()
    first = next(body for kind, body in seen if kind is Kind.FIRST)
    _, content = fields_of(NumberedBody.decode(first))
    assert FirstDealing.decode(content)
    net.send(net.recovery({1, 2, 3, 4}))
    # the undone dealing, replayed by its own seat in the new generation, is another session's
    net.send(net.message(1, Kind.FIRST, NumberedBody(0, content).encode()))
    net.settle()
    for _ in range(3):
        net.pass_time(16)
    assert net.ledger.stock.left()
    assert {one.seat for one in net.ledger.state.record.cheats} == {1}


def test_certificates_serve_once():
    net = ready()
    message = net.recovery({1, 2, 3, 4})
    net.send(message)
    first = net.ledger.state.record.generation
    assert net.refusal(message) == "WrongGeneration"
    assert net.refusal(replace(message, generation=first)) == "WrongGeneration"
    assert net.ledger.state.record.generation == first


@pytest.mark.parametrize("signers", [{1, 2}, set(), {1, 2, 9}])
def test_a_recovery_needs_enough_signers(signers):
    net = ready()
    net.identities[9] = net.identities[1]
    assert net.refusal(net.recovery({1, 2, 3, 4}, signers)) == "NotSeated"


def test_a_recovery_seats_nobody_who_did_not_sign_it():
    # Whoever runs the machines would else have a key of his own dealt to, instead of seat 4.
    net = ready()
    before = net.ledger.state.record.generation
    assert net.refusal(net.recovery({1, 2, 3, 4}, {1, 2, 3})) == "NotSeated"
    assert net.ledger.state.record.generation == before
    net.send(net.recovery({1, 2, 3}, {1, 2, 3, 4}))
    assert net.ledger.state.seat(4).session is None
    assert net.ledger.state.record.generation != before


def test_an_old_start_cannot_come_again():
    net = ready()
    net.restart(1)
    first = net.log[-1]
    net.restart(1)
    assert net.refusal(first) == "Unwanted"


def test_what_goes_wrong_in_the_middle_changes_nothing(monkeypatch):
    """A fault of ours is found after the seat has its new start: neither counts."""
    net = ready()
    net.restart(1)
    body = NewSession(net.participants[1].session.public.signing, net.session().public).encode()
    session = net.message(1, Kind.SESSION, body)
    before = dict(net.pages)

    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Stock, "started_anew", fails)
    with pytest.raises(Unexecutable):
        net.ledger.apply(session, Height(net.height + 1), UnixSeconds(net.time), net.ancestor)
    assert dict(net.pages) == before
    monkeypatch.undo()
    assert net.refusal(session) == ""
    assert dict(net.pages) != before


def test_messages_of_an_old_generation_are_refused_for_that_alone():
    net = ready()
    old = [message for message in net.log if message.seat == 2 and message.kind is not Kind.SESSION]
    # Seat 2 goes on with the keys of its start: its signatures are as good as before.
    net.send(net.recovery({1, 2, 3, 4}, anew={1, 3}))
    assert old
    for message in old:
        assert net.refusal(message) == "WrongGeneration"
