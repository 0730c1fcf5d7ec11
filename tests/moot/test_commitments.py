"""Nonce commitments on the ledger: posted ahead, bound once, burned with what they belong to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.commitments import LOW, MAX_LEFT, MIN_LEFT, SHEAF_SIZE, write_complaint
from keymoot.moot.errors import Unwanted
from keymoot.moot.message import Kind
from keymoot.moot.roots import EDDSA
from keymoot.moot.slot import (
    Slot,
    commitments_of,
    read_seats,
    read_slots,
    write_seats,
    write_slots,
)
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.dice import Dice
from keymoot.threshold.frost import Commitment
from tests.moot.town import Town

MESSAGE = b"send one lamport to somebody"


@pytest.fixture
def town():
    made = Town()
    made.settle()
    return made


def bind(town, without=frozenset()):
    """Bind the next request, as a block does; every seat follows."""
    slots = town.ledger.commitments.choose(without)
    for one in (town.ledger, *town.views.values()):
        one.commitments.spend(slots)
    return slots


def signed(town, slots, message=MESSAGE):
    """Let the named signers answer; give their answers."""
    generation = town.ledger.hall.head.generation
    root = town.ledger.hall.root(EDDSA)
    work = frost.prepare(ED25519, root, 0, message, commitments_of(slots))
    answers = {}
    for one in slots:
        party = town.parties[one.seat]
        nonces = party.committer.take(generation, one.number)
        if nonces is not None:
            answers[one.seat] = frost.sign(work, party.shares[EDDSA], nonces)
    return work, answers


def verified(town, slots):
    work, answers = signed(town, slots)
    signature = frost.combine(work, answers)
    public = ED25519.group.encode(town.ledger.hall.root(EDDSA).public)
    VerifyKey(public).verify(MESSAGE, signature)


def test_a_bound_request_is_signed_by_its_signers_once(town):
    for _ in range(5):
        slots = bind(town)
        verified(town, slots)
        assert signed(town, slots)[1] == {}


def test_seats_keep_enough_commitments_posted(town):
    for seat in town.parties:
        assert MIN_LEFT <= town.ledger.commitments.row(seat).left <= MAX_LEFT
    for _ in range(40):
        bind(town)
    town.settle()
    for seat in town.parties:
        assert town.ledger.commitments.row(seat).left >= MIN_LEFT


def test_no_commitment_is_bound_twice_and_all_take_turns(town):
    seen = set()
    for _ in range(60):
        for one in bind(town):
            assert (one.seat, one.number) not in seen
            seen.add((one.seat, one.number))
        town.settle()
    counts = [sum(1 for at, _ in seen if at == seat) for seat in town.parties]
    assert max(counts) - min(counts) <= 4


def test_without_commitments_nothing_is_bound(town):
    town.silent = set(town.parties)
    for _ in range(200):
        if town.ledger.commitments.choose() is None:
            break
        bind(town)
    else:
        raise AssertionError("commitments never run out")
    assert town.ledger.commitments.left() == 0
    town.silent = set()
    town.settle()
    verified(town, bind(town))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_only_the_next_commitments_of_enough_seats_are_spent(town, place):
    commitments, slots = town.ledger.commitments, list(town.ledger.commitments.choose())
    one = slots[place]
    other = Commitment(one.commitment.binding, one.commitment.hiding)
    fourth = ({1, 2, 3, 4} - {slot.seat for slot in slots}).pop()
    wrong = [
        Slot(one.seat, one.number + 1, commitments.commitment(one.seat, one.number + 1)),
        Slot(one.seat, one.number, other),
        Slot(9, one.number, one.commitment),
        slots[place - 1],
    ]
    before = sorted(town.pages)
    for bad in wrong:
        with pytest.raises(Unwanted):
            commitments.spend([*slots[:place], bad, *slots[place + 1 :]])
    with pytest.raises(Unwanted):
        commitments.spend(slots[:2])
    more = Slot(fourth, 0, commitments.commitment(fourth, commitments.row(fourth).cursor))
    with pytest.raises(Unwanted):
        commitments.spend([*slots, more])
    assert sorted(town.pages) == before
    commitments.spend(slots)
    with pytest.raises(Unwanted):
        commitments.spend(slots)


def test_who_is_left_out_is_not_named_while_others_are_enough(town):
    for seat in town.parties:
        assert seat not in {one.seat for one in bind(town, frozenset({seat}))}
    assert len(bind(town, frozenset({1, 2}))) == 3


def test_a_seat_that_posts_no_more_is_soon_asked_no_more(town):
    town.silent = {2}
    named = []
    for _ in range(120):
        named.append(2 in {one.seat for one in bind(town)})
        town.settle()
    assert not any(named[-20:])
    # Long before it has nothing left.
    assert town.ledger.commitments.row(2).left == LOW - 1


def test_a_start_takes_its_commitments_with_it(town):
    old = dict(town.parties[3].committer._held)
    town.restart(3)
    assert town.ledger.commitments.row(3).left == 0
    town.settle()
    assert town.ledger.commitments.row(3).left >= MIN_LEFT
    new = town.parties[3].committer._held
    same = [name for name in old if name in new and old[name].commitment == new[name].commitment]
    assert not same
    verified(town, bind(town, frozenset({1})))


def test_an_epoch_burns_what_is_unbound_and_no_number_comes_again(town):
    ends = {seat: town.ledger.commitments.row(seat).end for seat in town.parties}
    bound = bind(town)
    epoch = town.ledger.turning.epoch.number
    for seat in town.parties:
        town.say(town.message(seat, Kind.TURN, write_numbered(epoch)))
    town.settle()
    assert town.ledger.turning.epoch.number == epoch + 1
    for seat, party in town.parties.items():
        row = town.ledger.commitments.row(seat)
        assert row.cursor >= ends[seat]
        assert all(number >= ends[seat] for _, number in party.committer._held)
    assert all(one.number < ends[one.seat] for one in bound)
    verified(town, bind(town))


def test_a_generation_wipes_everything(town):
    old = town.ledger.hall.head.generation
    town.say(town.recovery(set(town.parties)))
    town.settle()
    assert town.ledger.hall.head.generation != old
    for party in town.parties.values():
        assert {generation for generation, _ in party.committer._held} == {
            town.ledger.hall.head.generation
        }
    verified(town, bind(town))


def test_what_no_block_took_up_is_said_again_as_it_was(town):
    party = town.parties[1]
    for _ in range(40):
        bind(town)
    view = town.views[1]
    (first,) = [one for one in party.due(view, town.height, town.time) if "nonces" in one.name]
    (said,) = first.run(Dice(Secret(b"1" * 32)))
    assert [
        one for one in party.due(view, town.height, town.time + 1) if "nonces" in one.name
    ] == []
    (again,) = [one for one in party.due(view, town.height, town.time + 60) if "nonces" in one.name]
    assert again.run(Dice(Secret(b"2" * 32))) == [said]


@pytest.mark.parametrize(
    "change",
    [
        lambda sheaf, content: (sheaf + 1, content),
        lambda sheaf, content: (sheaf, content[:-1]),
        lambda sheaf, content: (sheaf, content + b"\0"),
        lambda sheaf, content: (max(sheaf - 1, 0), content),
    ],
)
def test_a_sheaf_out_of_turn_or_shape_is_refused(change):
    town = Town()
    town.spoil = lambda at, kind, body: (
        write_numbered(*change(*read_numbered(body))) if at == 2 and kind is Kind.NONCES else body
    )
    town.settle(200)
    assert {type(error) for _, error in town.refused} <= {Unwanted, Malformed}
    assert town.ledger.commitments.row(1).left >= MIN_LEFT
    # The three others sign all the same.
    town.parties[2].committer._held.clear()
    verified(town, bind(town, frozenset({2})))


def test_more_than_enough_is_refused(town):
    row = town.ledger.commitments.row(1)
    body = write_numbered(row.end // SHEAF_SIZE, bytes(64 * SHEAF_SIZE))
    with pytest.raises(Unwanted, match="enough"):
        town.ledger.apply(town.message(1, Kind.NONCES, body), 10**6, town.time, town.ancestor)


def test_a_commitment_that_is_no_point_names_its_seat():
    town = Town()
    town.spoil = lambda at, kind, body: (
        write_numbered(read_numbered(body)[0], b"\x02" * 64 * SHEAF_SIZE)
        if at == 4 and kind is Kind.NONCES
        else body
    )
    town.settle()
    slots = bind(town, frozenset({1}))
    work_error = None
    try:
        signed(town, slots)
    except Exception as error:
        work_error = error
    assert work_error.party == 4
    bad = next(one for one in slots if one.seat == 4)
    town.say(town.message(1, Kind.BAD_NONCE, write_complaint(bad)))
    assert [(one.seat, one.what) for one in town.ledger.hall.head.cheats] == [
        (4, "committed to a nonce with no point")
    ]
    assert 4 not in {one.seat for one in bind(town)}
    verified(town, bind(town))
    # A second complaint changes nothing any more.
    town.say(town.message(2, Kind.BAD_NONCE, write_complaint(bad)))
    assert len(town.ledger.hall.head.cheats) == 1


def test_a_false_complaint_names_the_accuser(town):
    good = Slot(3, 5, town.ledger.commitments.commitment(3, 5))
    town.say(town.message(2, Kind.BAD_NONCE, write_complaint(good)))
    assert [one.seat for one in town.ledger.hall.head.cheats] == [2]


def test_a_complaint_that_comes_after_its_seat_started_anew_puts_nobody_out():
    # Seat 4 posts no points, and good ones in its next start: under the same numbers.
    town, no_point = Town(), b"\x02" * 32
    town.spoil = lambda at, kind, body: (
        write_numbered(read_numbered(body)[0], no_point * 2 * SHEAF_SIZE)
        if at == 4 and kind is Kind.NONCES
        else body
    )
    town.settle()
    bad = next(one for one in bind(town, frozenset({1})) if one.seat == 4)
    town.spoil = lambda at, kind, body: body
    town.restart(4)
    town.settle()
    now = town.ledger.commitments.commitment(4, bad.number)
    assert no_point not in (now.hiding, now.binding)
    # Whoever met the bad one complains only now.
    for seat in (2, 3):
        town.say(town.message(seat, Kind.BAD_NONCE, write_complaint(bad)))
    assert not town.ledger.hall.head.out
    verified(town, bind(town))


@pytest.mark.parametrize(("seat", "number"), [(3, 10**6), (9, 0), (0, 0)])
def test_a_complaint_over_nothing_blames_nobody(town, seat, number):
    nothing = Slot(seat, number, Commitment(b"\x02" * 32, b"\x02" * 32))
    town.say(town.message(2, Kind.BAD_NONCE, write_complaint(nothing)))
    assert not town.ledger.hall.head.cheats
    assert isinstance(town.refused[-1][1], Unwanted)


@given(st.frozensets(st.integers(1, 64)))
def test_sets_of_seats_come_back(seats):
    assert read_seats(write_seats(seats)) == seats


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_slots_have_one_form(raw):
    try:
        found = read_slots(raw)
    except Malformed:
        return
    assert write_slots(found) == raw
