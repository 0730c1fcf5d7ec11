"""Generations and starts on the ledger: what was said before them is worth nothing after."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.base.contained import Unexecutable
from keymoot.base.units import Height, UnixSeconds
from keymoot.moot.assembly import write_boot
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.message import Kind
from keymoot.moot.stock import Stock
from keymoot.threshold.first_round import FirstDealing
from tests.moot.members import ready
from tests.moot.town import Town


def test_old_dealings_do_not_decode_as_new_ones():
    town = Town()
    seen = []
    town.spoil = lambda _, kind, body: (seen.append((kind, body)), body)[1]
    town.settle()
    first = next(body for kind, body in seen if kind is Kind.FIRST)
    _, content = read_numbered(first)
    assert FirstDealing.decode(rlp.decode(content))
    town.say(town.recovery({1, 2, 3, 4}))
    # the undone dealing, replayed by its own seat in the new generation, is another session's
    town.say(town.message(1, Kind.FIRST, write_numbered(0, content)))
    town.settle()
    for _ in range(3):
        town.pass_time(16)
    assert town.ledger.stock.left()
    assert {one.seat for one in town.ledger.hall.head.cheats} == {1}


def test_certificates_serve_once():
    town = ready()
    message = town.recovery({1, 2, 3, 4})
    town.say(message)
    first = town.ledger.hall.head.generation
    assert town.refusal(message) == "WrongGeneration"
    assert town.refusal(replace(message, generation=first)) == "WrongGeneration"
    assert town.ledger.hall.head.generation == first


@pytest.mark.parametrize("signers", [{1, 2}, set(), {1, 2, 9}])
def test_a_recovery_needs_enough_signers(signers):
    town = ready()
    town.identities[9] = town.identities[1]
    assert town.refusal(town.recovery({1, 2, 3, 4}, signers)) == "NotSeated"


def test_a_recovery_seats_nobody_who_did_not_sign_it():
    # Whoever runs the machines would else have a key of his own dealt to, instead of seat 4.
    town = ready()
    before = town.ledger.hall.head.generation
    assert town.refusal(town.recovery({1, 2, 3, 4}, {1, 2, 3})) == "NotSeated"
    assert town.ledger.hall.head.generation == before
    town.say(town.recovery({1, 2, 3}, {1, 2, 3, 4}))
    assert town.ledger.hall.seat(4).boot is None
    assert town.ledger.hall.head.generation != before


def test_an_old_start_cannot_come_again():
    town = ready()
    town.restart(1)
    first = town.log[-1]
    town.restart(1)
    assert town.refusal(first) == "Unwanted"


def test_what_goes_wrong_in_the_middle_changes_nothing(monkeypatch):
    """A fault of ours is found after the seat has its new start: neither counts."""
    town = ready()
    town.restart(1)
    body = write_boot(town.parties[1].boot.public, town.boot().public)
    boot = town.message(1, Kind.BOOT, body)
    before = dict(town.pages)

    def fails(*_):
        raise ZeroDivisionError

    monkeypatch.setattr(Stock, "started_anew", fails)
    with pytest.raises(Unexecutable):
        town.ledger.apply(boot, Height(town.height + 1), UnixSeconds(town.time), town.ancestor)
    assert dict(town.pages) == before
    monkeypatch.undo()
    assert town.refusal(boot) == ""
    assert dict(town.pages) != before


def test_messages_of_an_old_generation_are_refused_for_that_alone():
    town = ready()
    old = [message for message in town.log if message.seat == 2 and message.kind is not Kind.BOOT]
    # Seat 2 goes on with the keys of its start: its signatures are as good as before.
    town.say(town.recovery({1, 2, 3, 4}, anew={1, 3}))
    assert old
    for message in old:
        assert town.refusal(message) == "WrongGeneration"
