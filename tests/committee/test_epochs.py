"""The end of an epoch: new shares of the same keys, and what of the old ones is left."""

from itertools import combinations

import pytest

from keymoot.base import rlp
from keymoot.base.units import Height, UnixSeconds
from keymoot.committee.genesis import EPOCH_SECONDS
from keymoot.committee.keygen.record import RootComplaint, RootVerdict
from keymoot.committee.messages import AttemptBody, Kind, NumberedBody
from keymoot.committee.reshare.record import RETRY_SECONDS, Epoch, EpochStage, RootDealings
from keymoot.committee.roots import ECDSA, ROOTS
from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import lagrange
from keymoot.threshold.rng import SeededRng
from tests.committee.bodies import fields_of
from tests.committee.network import CommitteeNetwork


def ready(size=4, seed=1):
    return CommitteeNetwork.at_rest(size, seed)


def publics(net):
    return [kind.group.encode(net.ledger.state.root(kind.name).public) for kind in ROOTS]


def vote(net, seats=None):
    body = NumberedBody(net.ledger.epochs.current.number).encode()
    net.send(
        *(net.message(seat, Kind.END_EPOCH, body) for seat in seats or list(net.participants)[:3])
    )


def secret_of(net, shares, kind):
    """Interpolate a root's private key from shares, as only a test does."""
    group, seats = kind.group, sorted(shares)
    weights = lagrange(group.ORDER, seats)
    return group.add_scalars([group.scale(weights[at], shares[at].secret) for at in seats])


def shares_of(net, kind, seats):
    return {at: net.participants[at].shares[kind.name] for at in seats}


@pytest.mark.parametrize("size", [4, 7])
def test_the_keys_stay_and_the_shares_are_others(size):
    net = ready(size)
    before = publics(net)
    old = {kind.name: shares_of(net, kind, net.participants) for kind in ROOTS}
    vote(net, list(net.participants)[: net.ledger.state.committee.present])
    assert net.ledger.epochs.current.stage is EpochStage.DEALING
    net.settle()
    assert net.ledger.epochs.current.number == 1
    assert publics(net) == before
    for kind in ROOTS:
        root = net.ledger.state.root(kind.name)
        new = shares_of(net, kind, net.participants)
        for at, share in new.items():
            assert share.secret.expose() != old[kind.name][at].secret.expose()
            assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
        # any degree+1 new ones give the key; new and old ones together do not
        need = root.degree + 1
        for chosen in list(combinations(net.participants, need))[:6]:
            some = {at: new[at] for at in chosen}
            assert kind.group.equal(kind.group.base(secret_of(net, some, kind)), root.public)
            mixed = {**some, chosen[0]: old[kind.name][chosen[0]]}
            assert not kind.group.equal(kind.group.base(secret_of(net, mixed, kind)), root.public)
    assert not net.ledger.state.record.cheats


def test_time_ends_an_epoch():
    net = ready()
    net.pass_time(EPOCH_SECONDS - 10)
    assert net.ledger.epochs.current.number == 0
    assert not any(
        participant.waits(net.views[at], net.time) for at, participant in net.participants.items()
    )
    net.time += 20
    assert all(
        participant.waits(net.views[at], net.time) for at, participant in net.participants.items()
    )
    net.send(net.message(2, Kind.TICK, b""))
    net.settle()
    assert net.ledger.epochs.current.number == 1
    net.pass_time(EPOCH_SECONDS + 10)
    assert net.ledger.epochs.current.number == 2


def test_too_few_votes_end_no_epoch_and_a_seat_votes_once():
    net = ready()
    vote(net, [1, 2])
    vote(net, [2])
    message, error = net.refused[-1]
    assert (message.seat, message.kind) == (2, Kind.END_EPOCH)
    assert "voted" in str(error)
    assert net.ledger.epochs.current.stage is EpochStage.LIVING
    vote(net, [4])
    assert net.ledger.epochs.current.stage is EpochStage.DEALING


def test_votes_and_keys_of_an_epoch_cannot_be_said_again_in_the_next():
    net = ready()
    keys = [message for message in net.log if message.kind is Kind.EPOCH_KEY]
    vote(net)
    votes = [message for message in net.log if message.kind is Kind.END_EPOCH]
    net.settle()
    posted = {at: net.ledger.state.seat(at).next for at in net.participants}
    net.send(*votes)
    net.send(*keys)
    assert {str(error).split(",")[0] for _, error in net.refused[-7:]} == {
        "epoch 1 lives",
        "epoch 2 comes next",
    }
    assert net.ledger.epochs.current.wants == frozenset()
    assert posted == {at: net.ledger.state.seat(at).next for at in net.participants}


def test_unbound_stock_burns_and_no_number_comes_again():
    net = ready()
    numbers = net.ledger.stock.page.next
    for one in (net.ledger, *net.views.values()):
        bound = one.take(Height(net.height), net.time)
    assert bound.batch < numbers
    vote(net)
    while net.ledger.epochs.current.number == 0:
        net.send(*net.tasks())
    assert not net.ledger.stock.page.ready
    assert min(net.ledger.stock.page.open) >= numbers
    net.settle()
    assert net.ledger.stock.left()
    for participant in net.participants.values():
        assert all(number >= numbers for _, number in participant.presign._presignatures)


def test_fresh_keys_are_posted_an_epoch_ahead_and_old_ones_are_gone():
    net = ready()
    for at, participant in net.participants.items():
        assert net.ledger.state.seat(at).next == participant.keys.points[1]
    old = {at: participant.keys.living.expose() for at, participant in net.participants.items()}
    vote(net)
    net.settle()
    for at, participant in net.participants.items():
        seat = net.ledger.state.seat(at)
        assert (seat.sealing, seat.next) == participant.keys.points
        assert old[at] not in (participant.keys.living.expose(), participant.keys.next.expose())


def test_a_seat_that_started_anew_computes_its_shares_from_the_living_dealings():
    net = ready()
    vote(net)
    net.settle()
    held = net.participants[3].shares[ECDSA].secret.expose()
    net.restart(3)
    assert not net.participants[3].shares
    net.settle()
    assert net.participants[3].shares[ECDSA].secret.expose() == held


def test_all_recover_after_a_generation_began_since_the_epoch():
    net = ready()
    vote(net)
    net.settle()
    before = publics(net)
    net.send(net.recovery({1, 2, 3, 4}))
    net.settle()
    assert all(len(participant.shares) == len(ROOTS) for participant in net.participants.values())
    assert publics(net) == before
    vote(net)
    net.settle()
    assert net.ledger.epochs.current.number == 2
    assert publics(net) == before


def test_an_absent_seat_has_its_shares_when_it_is_back():
    net = ready()
    net.silent = {4}
    vote(net)
    net.settle()
    for _ in range(4):
        net.pass_time(12)
    assert net.ledger.epochs.current.number == 1
    net.silent = set()
    net.settle()
    root = net.ledger.state.root(ECDSA)
    share = net.participants[4].shares[ECDSA]
    assert share.root.encode() == root.encode()
    assert not net.ledger.state.record.cheats


def test_the_keys_of_an_old_epoch_open_nothing_of_the_new_one():
    net = ready()
    old = net.participants[2].keys.living
    vote(net)
    net.settle()
    turn = net.ledger.epochs.living_round()
    given = net.ledger.epochs.dealings(1)
    for place in range(len(ROOTS)):
        to = turn.recipients(place)
        for dealer, made in given.items():
            points = dealings.decode_points(to.group, dealer, made[place].commitments)
            with pytest.raises(Cheated):
                dealings.receive(to, dealer, 2, old, made[place], points)
    # and nothing that the ledger keeps opens with it
    assert net.ledger.keygen.openings() == {}


@pytest.mark.parametrize("place", range(4))
def test_who_deals_something_else_than_his_share_is_named(place):
    net = ready()
    other = ready(seed=2)

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = fields_of(AttemptBody.decode(body))
            made = list(RootDealings.decode(content).dealings)
            shares, kind_ = other.participants[2].shares, ROOTS[place]
            to = net.ledger.epochs.next_round().recipients(place)
            made[place] = reshare.deal(to, shares[kind_.name], SeededRng(net.secret()))
            return AttemptBody(number, attempt, RootDealings(tuple(made)).encode()).encode()
        return body

    net.spoil = spoil
    before = publics(net)
    vote(net)
    net.settle()
    net.pass_time(12)
    cheats = net.ledger.state.record.cheats
    assert [(one.seat, one.what) for one in cheats] == [(2, "dealt something else than his share")]
    assert net.ledger.epochs.current.number == 1
    assert publics(net) == before


@pytest.mark.parametrize("victims", [(1,), (1, 3), (1, 3, 4)])
def test_a_bad_box_is_complained_over_and_names_its_dealer(victims):
    net = ready()

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = fields_of(AttemptBody.decode(body))
            item = rlp.decode(content)
            boxes = item[0][1]
            # some boxes of the first root get another last byte
            flat = boxes[-1]
            for victim in victims:
                box = flat[victim - 1]
                flat[victim - 1] = box[:-1] + bytes([box[-1] ^ 1])
            return AttemptBody(number, attempt, rlp.encode(item)).encode()
        return body

    net.spoil = spoil
    vote(net)
    net.settle()
    net.pass_time(12)
    assert [one.seat for one in net.ledger.state.record.cheats] == [2]
    assert net.ledger.epochs.current.number == 1
    assert all(len(participant.shares) == len(ROOTS) for participant in net.participants.values())


def test_a_false_complaint_names_the_accuser():
    net = ready()
    stolen = []

    def spoil(seat, kind, body):
        if seat == 3 and kind is Kind.RESHARE_VERDICT:
            number, attempt, _ = fields_of(AttemptBody.decode(body))
            turn, given = net.ledger.epochs.next_round(), net.ledger.epochs.dealings(number)
            to, secret = turn.recipients(0), net.participants[3].keys.next
            one = dealings.complain(to, 1, 3, secret, given[1][0], SeededRng(net.secret()))
            stolen.append(one)
            return AttemptBody(
                number, attempt, RootVerdict((RootComplaint(0, one),)).encode()
            ).encode()
        return body

    net.spoil = spoil
    vote(net)
    net.settle()
    net.pass_time(12)
    assert stolen
    assert [(one.seat, one.what) for one in net.ledger.state.record.cheats] == [
        (3, "complained over a good share")
    ]
    assert net.ledger.epochs.current.number == 1


def test_with_too_few_the_old_shares_serve_on_and_it_is_tried_again():
    net = ready()
    net.silent = {3, 4}
    vote(net)
    net.settle()
    for _ in range(3):
        net.pass_time(12)
    epoch = net.ledger.epochs.current
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, EpochStage.LIVING, 1)
    assert net.ledger.stock.left()
    assert net.ledger.epochs.dealings(1) == {}
    net.silent = set()
    vote(net)
    net.settle()
    assert net.ledger.epochs.current.number == 1


def test_messages_of_another_attempt_are_not_wanted_and_name_nobody():
    net = ready()
    net.silent = {3, 4}
    vote(net)
    net.settle()
    dealt = next(message for message in net.log if message.kind is Kind.RESHARE)
    for _ in range(3):
        net.pass_time(12)
    net.silent = set()
    vote(net)
    net.send(dealt)
    assert "another attempt" in str(net.refused[-1][1])
    assert not net.ledger.state.record.cheats


def test_a_generation_drops_what_an_attempt_has_dealt():
    net = ready()
    vote(net)
    net.send(*net.tasks())
    assert net.ledger.epochs.dealings(1)
    net.send(net.recovery({1, 2, 3, 4}))
    epoch = net.ledger.epochs.current
    assert (epoch.number, epoch.stage) == (0, EpochStage.LIVING)
    assert net.ledger.epochs.dealings(1) == {}
    net.settle()
    assert all(len(participant.shares) == len(ROOTS) for participant in net.participants.values())


def test_two_holders_are_too_few():
    net = ready()
    net.spoil = lambda seat, kind, body: None if kind is Kind.HELD and seat > 2 else body
    vote(net)
    net.settle()
    assert net.ledger.epochs.current.stage is EpochStage.HOLDING
    assert len(net.ledger.epochs.current.votes) == 2
    old = {
        at: participant.shares[ECDSA].secret.expose()
        for at, participant in net.participants.items()
    }
    for _ in range(2):
        net.pass_time(12)
    epoch = net.ledger.epochs.current
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, EpochStage.LIVING, 1)
    assert old == {
        at: participant.shares[ECDSA].secret.expose()
        for at, participant in net.participants.items()
    }


def test_a_vote_for_other_roots_counts_for_nothing():
    net = ready()

    def spoil(seat, kind, body):
        if kind is Kind.HELD and seat in (1, 2):
            number, attempt, _ = fields_of(AttemptBody.decode(body))
            return AttemptBody(number, attempt, bytes(32)).encode()
        return body

    net.spoil = spoil
    vote(net)
    net.settle()
    assert net.ledger.epochs.current.number == 0
    assert net.ledger.epochs.current.attempt == 1


def test_who_voted_for_other_roots_is_no_holder_after_the_switch():
    """A recovery goes back for it: it has said nothing of the shares that live."""
    net = ready()

    def spoil(seat, kind, body):
        if kind is Kind.HELD and seat == 1:
            number, attempt, _ = fields_of(AttemptBody.decode(body))
            return AttemptBody(number, attempt, bytes(32)).encode()
        return body

    net.spoil = spoil
    vote(net)
    while net.ledger.epochs.current.stage is not EpochStage.HOLDING:
        net.send(*net.tasks())
    held = [one for one in net.tasks() if one.kind is Kind.HELD]
    net.send(*sorted(held, key=lambda one: one.seat))
    assert net.ledger.epochs.current.number == 1
    assert net.ledger.epochs.previous.page.holders == {2, 3, 4}


def test_an_attempt_that_failed_is_not_made_again_at_once():
    began, failed = UnixSeconds(1_000), UnixSeconds(1_000 + EPOCH_SECONDS)
    epoch = Epoch(1, Height(1), began, EpochStage.LIVING, Height(1), began)
    assert not epoch.over(UnixSeconds(failed - 1), EPOCH_SECONDS)
    assert epoch.over(failed, EPOCH_SECONDS)
    again = epoch.dropped(Height(9), failed)
    assert not again.over(UnixSeconds(failed + RETRY_SECONDS - 1), EPOCH_SECONDS)
    assert again.over(UnixSeconds(failed + RETRY_SECONDS), EPOCH_SECONDS)
