"""Who comes in, who is put out, and what liars and the silent change about it."""

from dataclasses import replace

import pytest

from keymoot.committee.keygen.record import RootComplaint, RootVerdict
from keymoot.committee.membership.record import MAX_INVITED
from keymoot.committee.messages import AttemptBody, Kind
from keymoot.committee.reshare.record import EpochStage
from tests.committee.bodies import fields_of
from tests.committee.members import check, publics, ready


def test_without_enough_votes_a_newcomer_is_not_heard_and_gets_no_dealing():
    net = ready()
    net.arrive(5)
    net.admit(5, [1, 2])
    net.settle()
    assert not [one for one in net.log if one.kind is Kind.JOIN]
    # nor when it asks all the same
    net.vote(Kind.ADMIT, net.participants[5].identity.public, [3])
    join = next(one for one in net.tasks() if one.kind is Kind.JOIN)
    again = ready()
    again.arrive(5)
    again.send(join)
    assert "invited" in str(again.refused[-1][1])
    # what was asked in the name of another is not heard either
    forged = join.signed(net.identities[1])
    net.send(forged)
    assert "identity" in str(net.refused[-1][1])
    again.admit(5, [1, 2])
    again.turn()
    again.settle()
    check(again, (1, 2, 3, 4), 1)
    assert not again.ledger.epochs.membership.page.invited


def test_a_seat_votes_once_and_for_a_few():
    net = ready()
    net.arrive(5)
    net.admit(5, [1, 1])
    assert "already" in str(net.refused[-1][1])
    for at in range(MAX_INVITED):
        net.vote(Kind.ADMIT, bytes([at]) * 32, [1])
    assert "at most" in str(net.refused[-1][1])
    assert len(net.ledger.epochs.membership.page.invited) == MAX_INVITED


def test_votes_and_wishes_of_an_epoch_cannot_be_said_again_in_the_next():
    net = ready()
    net.arrive(5)
    net.admit(5, [1, 2])
    net.part(4)
    net.vote(Kind.PART, bytes([1]), [2, 3])
    said = [one for one in net.log if one.kind in (Kind.ADMIT, Kind.PART)]
    net.arrive(6)
    net.admit(6)
    net.settle()
    net.turn()
    net.settle()
    check(net, (1, 2, 3, 6), 1)
    before = len(net.refused)
    net.send(*said)
    assert len(net.refused) == before + len(said)
    assert not net.ledger.epochs.membership.page.invited
    assert not net.ledger.epochs.membership.page.leaving


def test_members_put_one_out_that_says_nothing():
    net = ready(5)
    net.silent = {2}
    net.part(2, [1, 3, 4])
    assert net.ledger.epochs.membership.page.leaving == ()
    net.part(2, [5])
    assert net.ledger.epochs.membership.page.leaving == (2,)
    net.turn()
    for _ in range(3):
        net.pass_time(12)
    net.settle()
    assert net.ledger.state.record.members == (1, 3, 4, 5)


def test_never_fewer_than_four():
    net = ready(5)
    for seat in (3, 1, 5):
        net.part(seat)
    net.settle()
    net.turn()
    net.settle()
    # who wanted to first may go
    check(net, (1, 2, 4, 5), 1)
    net.change([], [1])
    check(net, (1, 2, 4, 5), 2)


def test_seats_and_keys_that_are_taken_are_refused():
    net = ready()
    net.change([], [])
    for seat, why in ((4, "not vacant"), (0, "numbers from"), (65, "numbers from")):
        net.arrive(9)
        net.admit(9)
        join = next(one for one in net.tasks() if one.kind is Kind.JOIN)
        net.send(replace(join, seat=seat).signed(net.identities[9]))
        assert why in str(net.refused[-1][1])
    net.send(join)
    assert set(net.ledger.epochs.membership.page.joining) == {9}
    # a member cannot be invited to a second seat
    net.vote(Kind.ADMIT, net.participants[1].identity.public, [2])
    assert "sits already" in str(net.refused[-1][1])


# -- faults


@pytest.mark.parametrize("silent", [{1}, {5}])
def test_a_silent_member_or_newcomer_among_enough_does_not_stop_it(silent):
    net = ready()
    before = publics(net)
    net.arrive(5)
    net.admit(5, [2, 3, 4])
    net.settle()
    net.silent = silent
    net.turn()
    net.settle()
    for _ in range(4):
        net.pass_time(12)
    assert net.ledger.state.record.members == (1, 2, 3, 4, 5)
    assert publics(net) == before
    net.silent = set()
    net.settle()
    net.pass_time(12)
    check(net, (1, 2, 3, 4, 5), 1)


def test_newcomers_that_never_hold_are_dropped_and_the_next_attempt_is_without_them():
    net = ready()
    for seat in (5, 6, 7):
        net.arrive(seat)
        net.admit(seat)
    net.settle()
    # two of three go: with f=2 the committee of seven would need one of them
    net.silent = {5, 6, 7}
    net.turn()
    net.settle()
    for _ in range(3):
        net.pass_time(12)
    epoch = net.ledger.epochs.current
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, EpochStage.LIVING, 1)
    assert not net.ledger.epochs.membership.page.joining
    assert not net.ledger.epochs.membership.page.invited
    assert net.ledger.stock.left()
    # what was said for them does not serve again
    net.send(*(one for one in net.log if one.kind in (Kind.ADMIT, Kind.JOIN)))
    assert not net.ledger.epochs.membership.page.joining
    net.turn()
    net.settle()
    assert net.ledger.state.record.members == (1, 2, 3, 4)
    assert net.ledger.epochs.current.number == 1


def test_newcomers_that_hold_stay_admitted_when_others_did_not():
    net = ready()
    for seat in (5, 6, 7):
        net.arrive(seat)
        net.admit(seat)
    net.settle()

    def spoil(seat, kind, body):
        return None if kind is Kind.HELD and seat in (1, 5, 6) else body

    net.spoil = spoil
    net.turn()
    net.settle()
    for _ in range(3):
        net.pass_time(12)
    assert net.ledger.epochs.current.attempt == 1
    assert set(net.ledger.epochs.membership.page.joining) == {7}
    net.spoil = lambda seat, kind, body: body
    net.turn()
    net.settle()
    check(net, (1, 2, 3, 4, 7), 1)


def test_a_lying_newcomer_is_named_and_comes_in_no_more():
    from keymoot.threshold import dealing as dealings
    from keymoot.threshold.rng import SeededRng

    net = ready()
    net.arrive(5)
    net.admit(5)
    net.settle()

    def spoil(seat, kind, body):
        if seat == 5 and kind is Kind.RESHARE_VERDICT:
            number, attempt, _ = fields_of(AttemptBody.decode(body))
            turn, given = net.ledger.epochs.next_round(), net.ledger.epochs.dealings(number)
            to, secret = turn.recipients(0), net.participants[5].keys.next
            one = dealings.complain(to, 1, 5, secret, given[1][0], SeededRng(net.secret()))
            return AttemptBody(
                number, attempt, RootVerdict((RootComplaint(0, one),)).encode()
            ).encode()
        return None if seat == 5 else body

    net.spoil = spoil
    net.turn()
    net.settle()
    for _ in range(3):
        net.pass_time(12)
    assert {one.seat for one in net.ledger.state.record.cheats} == {5}
    assert net.ledger.epochs.current.number == 1


def test_a_leaver_that_deals_a_bad_share_is_named_by_a_newcomer():
    from keymoot.base import rlp

    net = ready(5)

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = fields_of(AttemptBody.decode(body))
            item = rlp.decode(content)
            flat = item[0][1][-1]
            flat[5] = flat[5][:-1] + bytes([flat[5][-1] ^ 1])
            return AttemptBody(number, attempt, rlp.encode(item)).encode()
        return body

    net.spoil = spoil
    net.change([6], [2])
    net.pass_time(12)
    assert {(one.seat, one.what) for one in net.ledger.state.record.cheats} == {
        (2, "dealt a bad share")
    }
    assert net.ledger.state.record.members == (1, 3, 4, 5, 6)
