"""A newcomer has the state secret before it is a member, or it does not become one."""

from dataclasses import replace

import pytest

from keymoot.committee.messages import Kind
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.signers import settled
from keymoot.committee.statekey.record import AskBody, HeldBody
from keymoot.store.keys import FIRST_NAME
from tests.committee.asking import said, secrets, standing, until
from tests.committee.members import check, publics, ready


def admitted(*seats, size=4):
    """A net in which these are admitted, and have not said anything of the state key."""
    net = ready(size)
    net.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
    for seat in seats:
        net.arrive(seat)
        net.admit(seat)
    net.settle()
    net.spoil = lambda seat, kind, body: body
    for seat in seats:
        again(net, seat)
    assert set(net.ledger.epochs.membership.page.joining) == set(seats)
    return net


def again(net, seat):
    """Have a participant say again what somebody kept back."""
    participant = net.participants[seat]
    participant._done = {name: None for name in participant._done if not name.startswith("state/")}


def keeping(net, kind, *seats):
    """Keep back what these say of a kind."""
    net.spoil = lambda seat, said, body: None if said is kind and seat in seats else body


def stage(net):
    return net.ledger.epochs.current.stage


def joining(net):
    return set(net.ledger.epochs.membership.page.joining)


class TestBeforeItIsAMember:
    def test_it_asks_and_holds_while_the_epoch_lives(self):
        net = admitted(5)
        net.settle()
        assert stage(net) is EpochStage.LIVING
        assert standing(net).holders == {1, 2, 3, 4, 5}
        assert secrets(net)[5] == secrets(net)[1]
        # Members answered it, and nobody else did.
        assert not net.participants[5].shares
        net.turn()
        net.settle()
        check(net, (1, 2, 3, 4, 5), 1)
        # It did not have to say so a second time.
        assert len([one for one in said(net, Kind.STATE_HELD) if one.seat == 5]) == 1

    def test_who_is_only_invited_is_not_answered(self):
        net = ready()
        net.arrive(5)
        net.admit(5, [1, 2])
        net.settle()
        assert not said(net, Kind.JOIN)
        assert 5 not in net.keeps
        message = net.message(5, Kind.STATE_HELD, HeldBody(FIRST_NAME).encode())
        assert net.refusal(message) == "NotSeated"

    def test_members_wait_for_it_when_they_hold_their_shares(self):
        net = admitted(5, 6, 7, 8)
        keeping(net, Kind.STATE_HELD, 8)
        for seat in (1, 2, 3, 4):
            net.part(seat)
        net.turn()
        net.settle()
        # All eight have said that they hold their shares: it is one secret that is missing.
        assert stage(net) is EpochStage.HOLDING
        assert net.ledger.epochs.awaited == {8}
        net.spoil = lambda seat, kind, body: body
        again(net, 8)
        net.settle()
        check(net, (5, 6, 7, 8), 1)
        # They held them before the switch, so there is nothing to go back for after it.
        assert settled(net.ledger)

    def test_what_was_kept_from_before_goes_too_when_all_hold_before_a_switch(self):
        net = ready()
        keeping(net, Kind.HELD, 3)
        net.turn()
        net.settle()
        net.pass_time(24)
        assert not settled(net.ledger)
        net.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
        net.arrive(5)
        net.admit(5)
        net.settle()
        keeping(net, Kind.STATE_HELD, 5)
        again(net, 5)
        net.turn()
        net.settle()
        assert (stage(net), net.ledger.epochs.awaited) == (EpochStage.HOLDING, {5})
        net.spoil = lambda seat, kind, body: body
        again(net, 5)
        net.settle()
        check(net, (1, 2, 3, 4, 5), 2)
        assert settled(net.ledger)

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_one_starts_anew_at_each_step(self, kind):
        net = admitted(5, 6, 7, 8)
        due = until(net, kind, None if kind is Kind.STATE_ANSWER else 6)
        net.restart(6)
        net.send(*due)
        for seat in (1, 2, 3, 4):
            net.part(seat)
        net.settle()
        assert standing(net).holders == set(range(1, 9))
        net.turn()
        net.settle()
        check(net, (5, 6, 7, 8), 1)

    def test_its_old_start_is_not_answered(self):
        net = admitted(5)
        due = until(net, Kind.STATE_ASK, 5)
        ask = next(one for one in due if one.kind is Kind.STATE_ASK)
        net.restart(5)
        assert net.refusal(ask) == "NotSeated"
        assert net.ledger.state_key.ask(5) is None


class TestThatNeverHolds:
    def test_it_stops_one_attempt_and_the_next_is_without_it(self):
        net = admitted(5, 6)
        before = publics(net)
        keeping(net, Kind.STATE_HELD, 6)
        net.turn()
        net.settle()
        assert stage(net) is EpochStage.HOLDING
        for _ in range(2):
            net.pass_time(12)
        assert (stage(net), net.ledger.epochs.current.attempt) == (EpochStage.LIVING, 1)
        assert joining(net) == {5}
        net.turn()
        net.settle()
        check(net, (1, 2, 3, 4, 5), 1)
        assert publics(net) == before

    def test_what_it_said_and_asked_goes_with_it(self):
        net = admitted(5)
        # It holds the secret, and says nothing of its shares. A member does not either.
        net.settle()
        keeping(net, Kind.HELD, 1, 5)
        net.turn()
        net.settle()
        for _ in range(2):
            net.pass_time(12)
        assert joining(net) == set()
        assert standing(net).holders == {1, 2, 3, 4}
        # Another enclave takes the number: it has said nothing yet.
        net.spoil = lambda seat, kind, body: None if kind is Kind.STATE_ASK else body
        net.keeps.pop(5)
        net.arrive(5)
        net.admit(5)
        net.settle()
        assert joining(net) == {5}
        assert standing(net).holders == {1, 2, 3, 4}
        assert 5 not in standing(net).asked

    def test_its_ask_does_not_serve_in_another_attempt(self):
        net = admitted(5)
        ask = next(one for one in until(net, Kind.STATE_ASK, 5) if one.kind is Kind.STATE_ASK)
        net.send(ask)
        net.settle()
        keeping(net, Kind.HELD, 1, 5)
        net.turn()
        net.settle()
        for _ in range(2):
            net.pass_time(12)
        net.spoil = lambda seat, kind, body: body
        net.admit(5)
        net.settle()
        assert 5 in standing(net).holders
        # It was dropped with the secret, so the version was raised; it asked for the newer one.
        assert standing(net).version == 1
        assert net.refusal(ask) == "Unwanted"
        renamed = replace(AskBody.decode(ask.body), name=standing(net).name).encode()
        assert net.refusal(net.message(5, Kind.STATE_ASK, renamed)) == "Unwanted"
        assert "attempt" in str(net.refused[-1][1])
        assert 5 in standing(net).holders

    def test_one_that_asks_again_is_awaited_again(self):
        net = admitted(5)
        net.settle()
        net.spoil = lambda seat, kind, body: None if kind is Kind.HELD and seat < 3 else body
        net.turn()
        net.settle()
        net.keeps.pop(5)
        net.restart(5)
        net.spoil = lambda seat, kind, body: None if kind is Kind.STATE_HELD else body
        for seat in (1, 2):
            net.participants[seat]._done.clear()
        due = until(net, Kind.STATE_ASK, 5)
        # It has lost the secret, and says so just before all others hold their shares.
        net.send(*sorted(due, key=lambda one: one.kind is not Kind.STATE_ASK))
        net.settle()
        assert stage(net) is EpochStage.HOLDING
        assert net.ledger.epochs.awaited == {5}
        net.spoil = lambda seat, kind, body: body
        again(net, 5)
        net.settle()
        check(net, (1, 2, 3, 4, 5), 1)


class TestMembersThatStay:
    def test_one_that_has_lost_it_does_not_stop_the_others(self):
        net = ready()
        keeping(net, Kind.STATE_ASK, 2)
        net.keeps.pop(2)
        net.restart(2)
        net.settle()
        keeping(net, Kind.STATE_HELD, 2)
        again(net, 2)
        net.settle()
        assert standing(net).holders == {1, 3, 4}
        net.turn()
        net.settle()
        assert net.ledger.epochs.current.number == 1

    def test_with_two_too_few_are_left_and_the_epoch_lives_on(self):
        net = ready()
        keeping(net, Kind.STATE_HELD, 2, 3)
        for seat in (2, 3):
            net.keeps.pop(seat)
            net.restart(seat)
        net.settle()
        assert standing(net).holders == {1, 4}
        net.turn()
        net.settle()
        assert stage(net) is EpochStage.HOLDING
        for _ in range(2):
            net.pass_time(12)
        assert (net.ledger.epochs.current.number, stage(net)) == (0, EpochStage.LIVING)
        # They are let go, and others come; whoever comes has it.
        net.spoil = lambda seat, kind, body: body
        for seat in (2, 3):
            again(net, seat)
        net.settle()
        net.turn()
        net.settle()
        check(net, (1, 2, 3, 4), 1)


@pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
def test_a_generation_takes_nobody_in_and_the_newcomer_comes_again(kind):
    net = admitted(5)
    due = until(net, kind, None if kind is Kind.STATE_ANSWER else 5)
    net.send(net.recovery({1, 2, 3, 4}))
    assert not joining(net)
    assert not net.ledger.state_key.asks()
    net.send(*due)
    net.settle()
    assert standing(net).holders == {1, 2, 3, 4}
    net.admit(5)
    net.settle()
    assert standing(net).holders == {1, 2, 3, 4, 5}
    net.turn()
    net.settle()
    check(net, (1, 2, 3, 4, 5), 1)


def test_what_is_on_the_pages_is_named():
    net = admitted(5)
    net.send(*until(net, Kind.STATE_ANSWER))
    names = set(net.ledger.names())
    assert {name for name, _ in net.pages} <= names
    assert "state/ask/5" in names
