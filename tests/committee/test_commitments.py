"""Nonce commitments on the ledger: posted ahead, bound once, burned with what they belong to."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import VerifyKey

from keymoot.base.errors import Malformed
from keymoot.base.secret import Secret
from keymoot.committee.errors import Unwanted
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.nonces.ledger import LOW, MAX_LEFT, MIN_LEFT
from keymoot.committee.nonces.record import (
    NONCE_BATCH_SIZE,
    SeatBits,
    SignerCommitment,
    SignerCommitments,
    commitments_of,
)
from keymoot.committee.roots import EDDSA
from keymoot.threshold import frost
from keymoot.threshold.ciphersuite import ED25519
from keymoot.threshold.frost import Commitment
from keymoot.threshold.rng import SeededRng
from tests.committee.bodies import fields_of
from tests.committee.network import CommitteeNetwork
from tests.examples import examples

MESSAGE = b"send one lamport to somebody"


@pytest.fixture
def net():
    return CommitteeNetwork.at_rest()


def bind(net, without=frozenset()):
    """Bind the next request, as a block does; every seat follows."""
    slots = net.ledger.nonces.choose(without)
    for one in (net.ledger, *net.views.values()):
        one.nonces.spend(slots)
    return slots


def signed(net, slots, message=MESSAGE):
    """Let the named signers answer; give their answers."""
    generation = net.ledger.state.record.generation
    root = net.ledger.state.root(EDDSA)
    work = frost.prepare(ED25519, root, 0, message, commitments_of(slots))
    answers = {}
    for one in slots:
        participant = net.participants[one.seat]
        nonces = participant.nonces.take(generation, one.number)
        if nonces is not None:
            answers[one.seat] = frost.sign(work, participant.shares[EDDSA], nonces)
    return work, answers


def verified(net, slots):
    work, answers = signed(net, slots)
    signature = frost.combine(work, answers)
    public = ED25519.group.encode(net.ledger.state.root(EDDSA).public)
    VerifyKey(public).verify(MESSAGE, signature)


def test_a_bound_request_is_signed_by_its_signers_once(net):
    for _ in range(5):
        slots = bind(net)
        verified(net, slots)
        assert signed(net, slots)[1] == {}


def test_seats_keep_enough_commitments_posted(net):
    for seat in net.participants:
        assert MIN_LEFT <= net.ledger.nonces.pool(seat).left <= MAX_LEFT
    for _ in range(40):
        bind(net)
    net.settle()
    for seat in net.participants:
        assert net.ledger.nonces.pool(seat).left >= MIN_LEFT


def test_no_commitment_is_bound_twice_and_all_take_turns(net):
    seen = set()
    for _ in range(60):
        for one in bind(net):
            assert (one.seat, one.number) not in seen
            seen.add((one.seat, one.number))
        net.settle()
    counts = [sum(1 for at, _ in seen if at == seat) for seat in net.participants]
    assert max(counts) - min(counts) <= 4


def test_without_commitments_nothing_is_bound(net):
    net.silent = set(net.participants)
    for _ in range(200):
        if net.ledger.nonces.choose() is None:
            break
        bind(net)
    else:
        raise AssertionError("commitments never run out")
    assert net.ledger.nonces.left() == 0
    net.silent = set()
    net.settle()
    verified(net, bind(net))


@pytest.mark.parametrize("place", [0, 1, 2])
def test_only_the_next_commitments_of_enough_seats_are_spent(net, place):
    commitments, slots = net.ledger.nonces, list(net.ledger.nonces.choose())
    one = slots[place]
    other = Commitment(one.commitment.binding, one.commitment.hiding)
    fourth = ({1, 2, 3, 4} - {slot.seat for slot in slots}).pop()
    wrong = [
        SignerCommitment(
            one.seat, one.number + 1, commitments.commitment(one.seat, one.number + 1)
        ),
        SignerCommitment(one.seat, one.number, other),
        SignerCommitment(9, one.number, one.commitment),
        slots[place - 1],
    ]
    before = sorted(net.pages)
    for bad in wrong:
        with pytest.raises(Unwanted):
            commitments.spend([*slots[:place], bad, *slots[place + 1 :]])
    with pytest.raises(Unwanted):
        commitments.spend(slots[:2])
    more = SignerCommitment(
        fourth, 0, commitments.commitment(fourth, commitments.pool(fourth).cursor)
    )
    with pytest.raises(Unwanted):
        commitments.spend([*slots, more])
    assert sorted(net.pages) == before
    commitments.spend(slots)
    with pytest.raises(Unwanted):
        commitments.spend(slots)


def test_who_is_left_out_is_not_named_while_others_are_enough(net):
    for seat in net.participants:
        assert seat not in {one.seat for one in bind(net, frozenset({seat}))}
    assert len(bind(net, frozenset({1, 2}))) == 3


def test_a_seat_that_posts_no_more_is_soon_asked_no_more(net):
    net.silent = {2}
    named = []
    for _ in range(120):
        named.append(2 in {one.seat for one in bind(net)})
        net.settle()
    assert not any(named[-20:])
    # Long before it has nothing left.
    assert net.ledger.nonces.pool(2).left == LOW - 1


def test_a_start_takes_its_commitments_with_it(net):
    old = dict(net.participants[3].nonces._held)
    net.restart(3)
    assert net.ledger.nonces.pool(3).left == 0
    net.settle()
    assert net.ledger.nonces.pool(3).left >= MIN_LEFT
    new = net.participants[3].nonces._held
    same = [name for name in old if name in new and old[name].commitment == new[name].commitment]
    assert not same
    verified(net, bind(net, frozenset({1})))


def test_an_epoch_burns_what_is_unbound_and_no_number_comes_again(net):
    ends = {seat: net.ledger.nonces.pool(seat).end for seat in net.participants}
    bound = bind(net)
    epoch = net.ledger.epochs.current.number
    for seat in net.participants:
        net.send(net.message(seat, Kind.END_EPOCH, NumberedBody(epoch).encode()))
    net.settle()
    assert net.ledger.epochs.current.number == epoch + 1
    for seat, participant in net.participants.items():
        pool = net.ledger.nonces.pool(seat)
        assert pool.cursor >= ends[seat]
        assert all(number >= ends[seat] for _, number in participant.nonces._held)
    assert all(one.number < ends[one.seat] for one in bound)
    verified(net, bind(net))


def test_a_generation_wipes_everything(net):
    old = net.ledger.state.record.generation
    net.send(net.recovery(set(net.participants)))
    net.settle()
    assert net.ledger.state.record.generation != old
    for participant in net.participants.values():
        assert {generation for generation, _ in participant.nonces._held} == {
            net.ledger.state.record.generation
        }
    verified(net, bind(net))


def test_what_no_block_took_up_is_said_again_as_it_was(net):
    participant = net.participants[1]
    for _ in range(40):
        bind(net)
    view = net.views[1]
    (first,) = [one for one in participant.due(view, net.height, net.time) if "nonces" in one.name]
    (said,) = first.run(SeededRng(Secret(b"1" * 32)))
    assert [
        one for one in participant.due(view, net.height, net.time + 1) if "nonces" in one.name
    ] == []
    (again,) = [
        one for one in participant.due(view, net.height, net.time + 60) if "nonces" in one.name
    ]
    assert again.run(SeededRng(Secret(b"2" * 32))) == [said]


@pytest.mark.parametrize(
    "change",
    [
        lambda batch, content: (batch + 1, content),
        lambda batch, content: (batch, content[:-1]),
        lambda batch, content: (batch, content + b"\0"),
        lambda batch, content: (max(batch - 1, 0), content),
    ],
)
def test_a_sheaf_out_of_turn_or_shape_is_refused(change):
    net = CommitteeNetwork()
    net.spoil = lambda at, kind, body: (
        NumberedBody(*change(*fields_of(NumberedBody.decode(body)))).encode()
        if at == 2 and kind is Kind.NONCES
        else body
    )
    net.settle(200)
    assert {type(error) for _, error in net.refused} <= {Unwanted, Malformed}
    assert net.ledger.nonces.pool(1).left >= MIN_LEFT
    # The three others sign all the same.
    net.participants[2].nonces._held.clear()
    verified(net, bind(net, frozenset({2})))


def test_more_than_enough_is_refused(net):
    pool = net.ledger.nonces.pool(1)
    body = NumberedBody(pool.end // NONCE_BATCH_SIZE, bytes(64 * NONCE_BATCH_SIZE)).encode()
    with pytest.raises(Unwanted, match="enough"):
        net.ledger.apply(net.message(1, Kind.NONCES, body), 10**6, net.time, net.ancestor)


def test_a_commitment_that_is_no_point_names_its_seat():
    net = CommitteeNetwork()
    net.spoil = lambda at, kind, body: (
        NumberedBody(NumberedBody.decode(body).number, b"\x02" * 64 * NONCE_BATCH_SIZE).encode()
        if at == 4 and kind is Kind.NONCES
        else body
    )
    net.settle()
    slots = bind(net, frozenset({1}))
    work_error = None
    try:
        signed(net, slots)
    except Exception as error:
        work_error = error
    assert work_error.party == 4
    bad = next(one for one in slots if one.seat == 4)
    net.send(net.message(1, Kind.BAD_NONCE, bad.encode()))
    assert [(one.seat, one.what) for one in net.ledger.state.record.cheats] == [
        (4, "committed to a nonce with no point")
    ]
    assert 4 not in {one.seat for one in bind(net)}
    verified(net, bind(net))
    # A second complaint changes nothing any more.
    net.send(net.message(2, Kind.BAD_NONCE, bad.encode()))
    assert len(net.ledger.state.record.cheats) == 1


def test_a_false_complaint_names_the_accuser(net):
    good = SignerCommitment(3, 5, net.ledger.nonces.commitment(3, 5))
    net.send(net.message(2, Kind.BAD_NONCE, good.encode()))
    assert [one.seat for one in net.ledger.state.record.cheats] == [2]


def test_a_complaint_that_comes_after_its_seat_started_anew_puts_nobody_out():
    # Seat 4 posts no points, and good ones in its next start: under the same numbers.
    net, no_point = CommitteeNetwork(), b"\x02" * 32
    net.spoil = lambda at, kind, body: (
        NumberedBody(NumberedBody.decode(body).number, no_point * 2 * NONCE_BATCH_SIZE).encode()
        if at == 4 and kind is Kind.NONCES
        else body
    )
    net.settle()
    bad = next(one for one in bind(net, frozenset({1})) if one.seat == 4)
    net.spoil = lambda at, kind, body: body
    net.restart(4)
    net.settle()
    now = net.ledger.nonces.commitment(4, bad.number)
    assert no_point not in (now.hiding, now.binding)
    # Whoever met the bad one complains only now.
    for seat in (2, 3):
        net.send(net.message(seat, Kind.BAD_NONCE, bad.encode()))
    assert not net.ledger.state.record.out
    verified(net, bind(net))


@pytest.mark.parametrize(("seat", "number"), [(3, 10**6), (9, 0), (0, 0)])
def test_a_complaint_over_nothing_blames_nobody(net, seat, number):
    nothing = SignerCommitment(seat, number, Commitment(b"\x02" * 32, b"\x02" * 32))
    net.send(net.message(2, Kind.BAD_NONCE, nothing.encode()))
    assert not net.ledger.state.record.cheats
    assert isinstance(net.refused[-1][1], Unwanted)


@given(st.frozensets(st.integers(1, 64)))
def test_sets_of_seats_come_back(seats):
    assert SeatBits(SeatBits.of(seats)).seats == seats


@settings(max_examples=examples(200))
@given(st.binary(max_size=200))
def test_slots_have_one_form(raw):
    try:
        found = SignerCommitments.decode(raw).slots
    except Malformed:
        return
    assert SignerCommitments(tuple(found)).encode() == raw


def assert_no_posting(net, seat):
    batch = net.ledger.nonces.pool(seat).end // NONCE_BATCH_SIZE
    body = NumberedBody(batch, bytes(64 * NONCE_BATCH_SIZE)).encode()
    assert net.refusal(net.message(seat, Kind.NONCES, body)) == "Unwanted"
    assert str(net.refused[-1][1]) == f"seat {seat} posts no commitments now"
    assert net.ledger.nonces.pool(seat).end == batch * NONCE_BATCH_SIZE


def test_nobody_posts_commitments_before_there_is_a_root_to_sign_for():
    assert_no_posting(CommitteeNetwork(), 1)


def test_who_is_out_posts_no_commitments(net):
    accused = next(slot for slot in bind(net) if slot.seat != 2)
    net.send(net.message(2, Kind.BAD_NONCE, accused.encode()))
    assert 2 in net.ledger.state.record.out
    assert_no_posting(net, 2)
