"""A newcomer has the state secret before it is a member, or it does not become one."""

import pytest

from keymoot.moot.epoch import Stage
from keymoot.moot.message import Kind
from keymoot.moot.signers import settled
from keymoot.moot.statekey import read_ask, write_ask, write_held
from keymoot.store.keys import FIRST_NAME
from tests.moot.asking import said, secrets, standing, until
from tests.moot.members import check, publics, ready


def admitted(*seats, size=4):
    """A town in which these are admitted, and have not said anything of the state key."""
    town = ready(size)
    town.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
    for seat in seats:
        town.arrive(seat)
        town.admit(seat)
    town.settle()
    town.spoil = lambda seat, kind, body: body
    for seat in seats:
        again(town, seat)
    assert set(town.ledger.turning.admitting.page.joining) == set(seats)
    return town


def again(town, seat):
    """Have a party say again what somebody kept back."""
    party = town.parties[seat]
    party._done = {name: None for name in party._done if not name.startswith("state/")}


def keeping(town, kind, *seats):
    """Keep back what these say of a kind."""
    town.spoil = lambda seat, said, body: None if said is kind and seat in seats else body


def stage(town):
    return town.ledger.turning.epoch.stage


def joining(town):
    return set(town.ledger.turning.admitting.page.joining)


class TestBeforeItIsAMember:
    def test_it_asks_and_holds_while_the_epoch_lives(self):
        town = admitted(5)
        town.settle()
        assert stage(town) is Stage.LIVING
        assert standing(town).holders == {1, 2, 3, 4, 5}
        assert secrets(town)[5] == secrets(town)[1]
        # Members answered it, and nobody else did.
        assert not town.parties[5].shares
        town.turn()
        town.settle()
        check(town, (1, 2, 3, 4, 5), 1)
        # It did not have to say so a second time.
        assert len([one for one in said(town, Kind.STATE_HELD) if one.seat == 5]) == 1

    def test_who_is_only_invited_is_not_answered(self):
        town = ready()
        town.arrive(5)
        town.admit(5, [1, 2])
        town.settle()
        assert not said(town, Kind.JOIN)
        assert 5 not in town.keeps
        message = town.message(5, Kind.STATE_HELD, write_held(FIRST_NAME))
        assert town.refusal(message) == "NotSeated"

    def test_members_wait_for_it_when_they_hold_their_shares(self):
        town = admitted(5, 6, 7, 8)
        keeping(town, Kind.STATE_HELD, 8)
        for seat in (1, 2, 3, 4):
            town.part(seat)
        town.turn()
        town.settle()
        # All eight have said that they hold their shares: it is one secret that is missing.
        assert stage(town) is Stage.HOLDING
        assert town.ledger.turning.awaited == {8}
        town.spoil = lambda seat, kind, body: body
        again(town, 8)
        town.settle()
        check(town, (5, 6, 7, 8), 1)
        # They held them before the switch, so there is nothing to go back for after it.
        assert settled(town.ledger)

    def test_what_was_kept_from_before_goes_too_when_all_hold_before_a_switch(self):
        town = ready()
        keeping(town, Kind.HELD, 3)
        town.turn()
        town.settle()
        town.pass_time(24)
        assert not settled(town.ledger)
        town.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
        town.arrive(5)
        town.admit(5)
        town.settle()
        keeping(town, Kind.STATE_HELD, 5)
        again(town, 5)
        town.turn()
        town.settle()
        assert (stage(town), town.ledger.turning.awaited) == (Stage.HOLDING, {5})
        town.spoil = lambda seat, kind, body: body
        again(town, 5)
        town.settle()
        check(town, (1, 2, 3, 4, 5), 2)
        assert settled(town.ledger)

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_one_starts_anew_at_each_step(self, kind):
        town = admitted(5, 6, 7, 8)
        due = until(town, kind, None if kind is Kind.STATE_ANSWER else 6)
        town.restart(6)
        town.say(*due)
        for seat in (1, 2, 3, 4):
            town.part(seat)
        town.settle()
        assert standing(town).holders == set(range(1, 9))
        town.turn()
        town.settle()
        check(town, (5, 6, 7, 8), 1)

    def test_its_old_start_is_not_answered(self):
        town = admitted(5)
        due = until(town, Kind.STATE_ASK, 5)
        ask = next(one for one in due if one.kind is Kind.STATE_ASK)
        town.restart(5)
        assert town.refusal(ask) == "NotSeated"
        assert town.ledger.handout.ask(5) is None


class TestThatNeverHolds:
    def test_it_stops_one_attempt_and_the_next_is_without_it(self):
        town = admitted(5, 6)
        before = publics(town)
        keeping(town, Kind.STATE_HELD, 6)
        town.turn()
        town.settle()
        assert stage(town) is Stage.HOLDING
        for _ in range(2):
            town.pass_time(12)
        assert (stage(town), town.ledger.turning.epoch.attempt) == (Stage.LIVING, 1)
        assert joining(town) == {5}
        town.turn()
        town.settle()
        check(town, (1, 2, 3, 4, 5), 1)
        assert publics(town) == before

    def test_what_it_said_and_asked_goes_with_it(self):
        town = admitted(5)
        # It holds the secret, and says nothing of its shares. A member does not either.
        town.settle()
        keeping(town, Kind.HELD, 1, 5)
        town.turn()
        town.settle()
        for _ in range(2):
            town.pass_time(12)
        assert joining(town) == set()
        assert standing(town).holders == {1, 2, 3, 4}
        # Another enclave takes the number: it has said nothing yet.
        town.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
        town.keeps.pop(5)
        town.arrive(5)
        town.admit(5)
        town.settle()
        assert joining(town) == {5}
        assert standing(town).holders == {1, 2, 3, 4}
        assert 5 not in standing(town).asked

    def test_its_ask_does_not_serve_in_another_attempt(self):
        town = admitted(5)
        ask = next(one for one in until(town, Kind.STATE_ASK, 5) if one.kind is Kind.STATE_ASK)
        town.say(ask)
        town.settle()
        keeping(town, Kind.HELD, 1, 5)
        town.turn()
        town.settle()
        for _ in range(2):
            town.pass_time(12)
        town.spoil = lambda seat, kind, body: body
        town.admit(5)
        town.settle()
        assert 5 in standing(town).holders
        # It was dropped with the secret, so the version was raised; it asked for the newer one.
        assert standing(town).version == 1
        assert town.refusal(ask) == "Unwanted"
        when, _, to, signature = read_ask(ask.body)
        renamed = write_ask(when, standing(town).name, to, signature)
        assert town.refusal(town.message(5, Kind.STATE_ASK, renamed)) == "Unwanted"
        assert "attempt" in str(town.refused[-1][1])
        assert 5 in standing(town).holders

    def test_one_that_asks_again_is_awaited_again(self):
        town = admitted(5)
        town.settle()
        town.spoil = lambda seat, kind, body: None if kind is Kind.HELD and seat < 3 else body
        town.turn()
        town.settle()
        town.keeps.pop(5)
        town.restart(5)
        town.spoil = lambda seat, kind, body: None if kind is Kind.STATE_HELD else body
        for seat in (1, 2):
            town.parties[seat]._done.clear()
        due = until(town, Kind.STATE_ASK, 5)
        # It has lost the secret, and says so just before all others hold their shares.
        town.say(*sorted(due, key=lambda one: one.kind is not Kind.STATE_ASK))
        town.settle()
        assert stage(town) is Stage.HOLDING
        assert town.ledger.turning.awaited == {5}
        town.spoil = lambda seat, kind, body: body
        again(town, 5)
        town.settle()
        check(town, (1, 2, 3, 4, 5), 1)


class TestMembersThatStay:
    def test_one_that_has_lost_it_does_not_stop_the_others(self):
        town = ready()
        keeping(town, Kind.STATE_ASK, 2)
        town.keeps.pop(2)
        town.restart(2)
        town.settle()
        keeping(town, Kind.STATE_HELD, 2)
        again(town, 2)
        town.settle()
        assert standing(town).holders == {1, 3, 4}
        town.turn()
        town.settle()
        assert town.ledger.turning.epoch.number == 1

    def test_with_two_too_few_are_left_and_the_epoch_lives_on(self):
        town = ready()
        keeping(town, Kind.STATE_HELD, 2, 3)
        for seat in (2, 3):
            town.keeps.pop(seat)
            town.restart(seat)
        town.settle()
        assert standing(town).holders == {1, 4}
        town.turn()
        town.settle()
        assert stage(town) is Stage.HOLDING
        for _ in range(2):
            town.pass_time(12)
        assert (town.ledger.turning.epoch.number, stage(town)) == (0, Stage.LIVING)
        # They are let go, and others come; whoever comes has it.
        town.spoil = lambda seat, kind, body: body
        for seat in (2, 3):
            again(town, seat)
        town.settle()
        town.turn()
        town.settle()
        check(town, (1, 2, 3, 4), 1)


@pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
def test_a_generation_takes_nobody_in_and_the_newcomer_comes_again(kind):
    town = admitted(5)
    due = until(town, kind, None if kind is Kind.STATE_ANSWER else 5)
    town.say(town.recovery({1, 2, 3, 4}))
    assert not joining(town)
    assert not town.ledger.handout.asks()
    town.say(*due)
    town.settle()
    assert standing(town).holders == {1, 2, 3, 4}
    town.admit(5)
    town.settle()
    assert standing(town).holders == {1, 2, 3, 4, 5}
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 4, 5), 1)


def test_what_is_on_the_pages_is_named():
    town = admitted(5)
    town.say(*until(town, Kind.STATE_ANSWER))
    names = set(town.ledger.names())
    assert {name for name, _ in town.pages} <= names
    assert "state/ask/5" in names
