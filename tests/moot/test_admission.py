"""Who comes in, who is put out, and what liars and the silent change about it."""

from dataclasses import replace

import pytest

from keymoot.moot.admission import MAX_INVITED
from keymoot.moot.epoch import Stage
from keymoot.moot.message import Kind
from keymoot.moot.turn import read_turn, write_turn
from tests.moot.members import check, publics, ready


def test_without_enough_votes_a_newcomer_is_not_heard_and_gets_no_dealing():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 2])
    town.settle()
    assert not [one for one in town.log if one.kind is Kind.JOIN]
    # nor when it asks all the same
    town.vote(Kind.ADMIT, town.parties[5].papers.public, [3])
    join = next(one for one in town.duties() if one.kind is Kind.JOIN)
    again = ready()
    again.arrive(5)
    again.say(join)
    assert "invited" in str(again.refused[-1][1])
    # what was asked in the name of another is not heard either
    forged = join.signed(town.identities[1])
    town.say(forged)
    assert "identity" in str(town.refused[-1][1])
    again.admit(5, [1, 2])
    again.turn()
    again.settle()
    check(again, (1, 2, 3, 4), 1)
    assert not again.ledger.turning.admitting.page.invited


def test_a_seat_votes_once_and_for_a_few():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 1])
    assert "already" in str(town.refused[-1][1])
    for at in range(MAX_INVITED):
        town.vote(Kind.ADMIT, bytes([at]) * 32, [1])
    assert "at most" in str(town.refused[-1][1])
    assert len(town.ledger.turning.admitting.page.invited) == MAX_INVITED


def test_votes_and_wishes_of_an_epoch_cannot_be_said_again_in_the_next():
    town = ready()
    town.arrive(5)
    town.admit(5, [1, 2])
    town.part(4)
    town.vote(Kind.PART, bytes([1]), [2, 3])
    said = [one for one in town.log if one.kind in (Kind.ADMIT, Kind.PART)]
    town.arrive(6)
    town.admit(6)
    town.settle()
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 6), 1)
    before = len(town.refused)
    town.say(*said)
    assert len(town.refused) == before + len(said)
    assert not town.ledger.turning.admitting.page.invited
    assert not town.ledger.turning.admitting.page.leaving


def test_members_put_one_out_that_says_nothing():
    town = ready(5)
    town.silent = {2}
    town.part(2, [1, 3, 4])
    assert town.ledger.turning.admitting.page.leaving == ()
    town.part(2, [5])
    assert town.ledger.turning.admitting.page.leaving == (2,)
    town.turn()
    for _ in range(3):
        town.pass_time(12)
    town.settle()
    assert town.ledger.hall.head.members == (1, 3, 4, 5)


def test_never_fewer_than_four():
    town = ready(5)
    for seat in (3, 1, 5):
        town.part(seat)
    town.settle()
    town.turn()
    town.settle()
    # who wanted to first may go
    check(town, (1, 2, 4, 5), 1)
    town.change([], [1])
    check(town, (1, 2, 4, 5), 2)


def test_seats_and_keys_that_are_taken_are_refused():
    town = ready()
    town.change([], [])
    for seat, why in ((4, "not vacant"), (0, "numbers from"), (65, "numbers from")):
        town.arrive(9)
        town.admit(9)
        join = next(one for one in town.duties() if one.kind is Kind.JOIN)
        town.say(replace(join, seat=seat).signed(town.identities[9]))
        assert why in str(town.refused[-1][1])
    town.say(join)
    assert set(town.ledger.turning.admitting.page.joining) == {9}
    # a member cannot be invited to a second seat
    town.vote(Kind.ADMIT, town.parties[1].papers.public, [2])
    assert "sits already" in str(town.refused[-1][1])


# -- faults


@pytest.mark.parametrize("silent", [{1}, {5}])
def test_a_silent_member_or_newcomer_among_enough_does_not_stop_it(silent):
    town = ready()
    before = publics(town)
    town.arrive(5)
    town.admit(5, [2, 3, 4])
    town.settle()
    town.silent = silent
    town.turn()
    town.settle()
    for _ in range(4):
        town.pass_time(12)
    assert town.ledger.hall.head.members == (1, 2, 3, 4, 5)
    assert publics(town) == before
    town.silent = set()
    town.settle()
    town.pass_time(12)
    check(town, (1, 2, 3, 4, 5), 1)


def test_newcomers_that_never_hold_are_dropped_and_the_next_attempt_is_without_them():
    town = ready()
    for seat in (5, 6, 7):
        town.arrive(seat)
        town.admit(seat)
    town.settle()
    # two of three go: with f=2 the assembly of seven would need one of them
    town.silent = {5, 6, 7}
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    epoch = town.ledger.turning.epoch
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, Stage.LIVING, 1)
    assert not town.ledger.turning.admitting.page.joining
    assert not town.ledger.turning.admitting.page.invited
    assert town.ledger.stock.left()
    # what was said for them does not serve again
    town.say(*(one for one in town.log if one.kind in (Kind.ADMIT, Kind.JOIN)))
    assert not town.ledger.turning.admitting.page.joining
    town.turn()
    town.settle()
    assert town.ledger.hall.head.members == (1, 2, 3, 4)
    assert town.ledger.turning.epoch.number == 1


def test_newcomers_that_hold_stay_admitted_when_others_did_not():
    town = ready()
    for seat in (5, 6, 7):
        town.arrive(seat)
        town.admit(seat)
    town.settle()

    def spoil(seat, kind, body):
        return None if kind is Kind.HELD and seat in (1, 5, 6) else body

    town.spoil = spoil
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    assert town.ledger.turning.epoch.attempt == 1
    assert set(town.ledger.turning.admitting.page.joining) == {7}
    town.spoil = lambda seat, kind, body: body
    town.turn()
    town.settle()
    check(town, (1, 2, 3, 4, 7), 1)


def test_a_lying_newcomer_is_named_and_comes_in_no_more():
    from keymoot.moot.keygen import write_verdict
    from keymoot.threshold import dealing as dealings
    from keymoot.threshold.dice import Dice

    town = ready()
    town.arrive(5)
    town.admit(5)
    town.settle()

    def spoil(seat, kind, body):
        if seat == 5 and kind is Kind.RESHARE_VERDICT:
            number, attempt, _ = read_turn(body)
            turn, given = town.ledger.turning.turn(), town.ledger.turning.dealings(number)
            to, secret = turn.recipients(0), town.parties[5].keys.next
            one = dealings.complain(to, 1, 5, secret, given[1][0], Dice(town.secret()))
            return write_turn(number, attempt, write_verdict([(0, one)]))
        return None if seat == 5 else body

    town.spoil = spoil
    town.turn()
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    assert {one.seat for one in town.ledger.hall.head.cheats} == {5}
    assert town.ledger.turning.epoch.number == 1


def test_a_leaver_that_deals_a_bad_share_is_named_by_a_newcomer():
    from keymoot.base import rlp

    town = ready(5)

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = read_turn(body)
            item = rlp.decode(content)
            flat = item[0][1][-1]
            flat[5] = flat[5][:-1] + bytes([flat[5][-1] ^ 1])
            return write_turn(number, attempt, rlp.encode(item))
        return body

    town.spoil = spoil
    town.change([6], [2])
    town.pass_time(12)
    assert {(one.seat, one.what) for one in town.ledger.hall.head.cheats} == {
        (2, "dealt a bad share")
    }
    assert town.ledger.hall.head.members == (1, 3, 4, 5, 6)
