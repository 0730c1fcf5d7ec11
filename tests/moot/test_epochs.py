"""The end of an epoch: new shares of the same keys, and what of the old ones is left."""

from itertools import combinations

import pytest

from keymoot.base import rlp
from keymoot.base.units import Height
from keymoot.moot.body import write_numbered
from keymoot.moot.epoch import Stage
from keymoot.moot.genesis import EPOCH_SECONDS
from keymoot.moot.keygen import write_verdict
from keymoot.moot.message import Kind
from keymoot.moot.roots import ECDSA, ROOTS
from keymoot.moot.turn import read_dealings, read_turn, write_dealings, write_turn
from keymoot.threshold import dealing as dealings
from keymoot.threshold import reshare
from keymoot.threshold.dice import Dice
from keymoot.threshold.errors import Cheated
from keymoot.threshold.polynomial import lagrange
from tests.moot.town import Town


def ready(size=4, seed=1):
    town = Town(size, seed)
    town.settle()
    return town


def publics(town):
    return [kind.group.encode(town.ledger.hall.root(kind.name).public) for kind in ROOTS]


def vote(town, seats=None):
    body = write_numbered(town.ledger.turning.epoch.number)
    town.say(*(town.message(seat, Kind.TURN, body) for seat in seats or list(town.parties)[:3]))


def secret_of(town, shares, kind):
    """Interpolate a root's private key from shares, as only a test does."""
    group, seats = kind.group, sorted(shares)
    weights = lagrange(group.ORDER, seats)
    return group.add_scalars([group.scale(weights[at], shares[at].secret) for at in seats])


def shares_of(town, kind, seats):
    return {at: town.parties[at].shares[kind.name] for at in seats}


@pytest.mark.parametrize("size", [4, 7])
def test_the_keys_stay_and_the_shares_are_others(size):
    town = ready(size)
    before = publics(town)
    old = {kind.name: shares_of(town, kind, town.parties) for kind in ROOTS}
    vote(town, list(town.parties)[: town.ledger.hall.committee.present])
    assert town.ledger.turning.epoch.stage is Stage.DEALING
    town.settle()
    assert town.ledger.turning.epoch.number == 1
    assert publics(town) == before
    for kind in ROOTS:
        root = town.ledger.hall.root(kind.name)
        new = shares_of(town, kind, town.parties)
        for at, share in new.items():
            assert share.secret.expose() != old[kind.name][at].secret.expose()
            assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
        # any degree+1 new ones give the key; new and old ones together do not
        need = root.degree + 1
        for chosen in list(combinations(town.parties, need))[:6]:
            some = {at: new[at] for at in chosen}
            assert kind.group.equal(kind.group.base(secret_of(town, some, kind)), root.public)
            mixed = {**some, chosen[0]: old[kind.name][chosen[0]]}
            assert not kind.group.equal(kind.group.base(secret_of(town, mixed, kind)), root.public)
    assert not town.ledger.hall.head.cheats


def test_time_ends_an_epoch():
    town = ready()
    town.pass_time(EPOCH_SECONDS - 10)
    assert town.ledger.turning.epoch.number == 0
    assert not any(party.waits(town.views[at], town.time) for at, party in town.parties.items())
    town.time += 20
    assert all(party.waits(town.views[at], town.time) for at, party in town.parties.items())
    town.say(town.message(2, Kind.TICK, b""))
    town.settle()
    assert town.ledger.turning.epoch.number == 1
    town.pass_time(EPOCH_SECONDS + 10)
    assert town.ledger.turning.epoch.number == 2


def test_too_few_votes_end_no_epoch_and_a_seat_votes_once():
    town = ready()
    vote(town, [1, 2])
    vote(town, [2])
    message, error = town.refused[-1]
    assert (message.seat, message.kind) == (2, Kind.TURN)
    assert "voted" in str(error)
    assert town.ledger.turning.epoch.stage is Stage.LIVING
    vote(town, [4])
    assert town.ledger.turning.epoch.stage is Stage.DEALING


def test_votes_and_keys_of_an_epoch_cannot_be_said_again_in_the_next():
    town = ready()
    keys = [message for message in town.log if message.kind is Kind.EPOCH_KEY]
    vote(town)
    votes = [message for message in town.log if message.kind is Kind.TURN]
    town.settle()
    posted = {at: town.ledger.hall.seat(at).next for at in town.parties}
    town.say(*votes)
    town.say(*keys)
    assert {str(error).split(",")[0] for _, error in town.refused[-7:]} == {
        "epoch 1 lives",
        "epoch 2 comes next",
    }
    assert town.ledger.turning.epoch.wants == frozenset()
    assert posted == {at: town.ledger.hall.seat(at).next for at in town.parties}


def test_unbound_stock_burns_and_no_number_comes_again():
    town = ready()
    numbers = town.ledger.stock.page.next
    for one in (town.ledger, *town.views.values()):
        bound = one.take(Height(town.height), town.time)
    assert bound.batch < numbers
    vote(town)
    while town.ledger.turning.epoch.number == 0:
        town.say(*town.duties())
    assert not town.ledger.stock.page.ready
    assert min(town.ledger.stock.page.open) >= numbers
    town.settle()
    assert town.ledger.stock.left()
    for party in town.parties.values():
        assert all(number >= numbers for _, number in party.presigner._presignatures)


def test_fresh_keys_are_posted_an_epoch_ahead_and_old_ones_are_gone():
    town = ready()
    for at, party in town.parties.items():
        assert town.ledger.hall.seat(at).next == party.keys.points[1]
    old = {at: party.keys.living.expose() for at, party in town.parties.items()}
    vote(town)
    town.settle()
    for at, party in town.parties.items():
        seat = town.ledger.hall.seat(at)
        assert (seat.sealing, seat.next) == party.keys.points
        assert old[at] not in (party.keys.living.expose(), party.keys.next.expose())


def test_a_seat_that_started_anew_computes_its_shares_from_the_living_dealings():
    town = ready()
    vote(town)
    town.settle()
    held = town.parties[3].shares[ECDSA].secret.expose()
    town.restart(3)
    assert not town.parties[3].shares
    town.settle()
    assert town.parties[3].shares[ECDSA].secret.expose() == held


def test_all_recover_after_a_generation_began_since_the_epoch():
    town = ready()
    vote(town)
    town.settle()
    before = publics(town)
    town.say(town.recovery({1, 2, 3, 4}))
    town.settle()
    assert all(len(party.shares) == len(ROOTS) for party in town.parties.values())
    assert publics(town) == before
    vote(town)
    town.settle()
    assert town.ledger.turning.epoch.number == 2
    assert publics(town) == before


def test_an_absent_seat_has_its_shares_when_it_is_back():
    town = ready()
    town.silent = {4}
    vote(town)
    town.settle()
    for _ in range(4):
        town.pass_time(12)
    assert town.ledger.turning.epoch.number == 1
    town.silent = set()
    town.settle()
    root = town.ledger.hall.root(ECDSA)
    share = town.parties[4].shares[ECDSA]
    assert share.root.encode() == root.encode()
    assert not town.ledger.hall.head.cheats


def test_the_keys_of_an_old_epoch_open_nothing_of_the_new_one():
    town = ready()
    old = town.parties[2].keys.living
    vote(town)
    town.settle()
    turn = town.ledger.turning.living()
    given = town.ledger.turning.dealings(1)
    for place in range(len(ROOTS)):
        to = turn.recipients(place)
        for dealer, made in given.items():
            points = dealings.decode_points(to.group, dealer, made[place].commitments)
            with pytest.raises(Cheated):
                dealings.receive(to, dealer, 2, old, made[place], points)
    # and nothing that the ledger keeps opens with it
    assert town.ledger.founding.openings() == {}


@pytest.mark.parametrize("place", range(4))
def test_who_deals_something_else_than_his_share_is_named(place):
    town = ready()
    other = ready(seed=2)

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = read_turn(body)
            made = list(read_dealings(content))
            shares, kind_ = other.parties[2].shares, ROOTS[place]
            to = town.ledger.turning.turn().recipients(place)
            made[place] = reshare.deal(to, shares[kind_.name], Dice(town.secret()))
            return write_turn(number, attempt, write_dealings(tuple(made)))
        return body

    town.spoil = spoil
    before = publics(town)
    vote(town)
    town.settle()
    town.pass_time(12)
    cheats = town.ledger.hall.head.cheats
    assert [(one.seat, one.what) for one in cheats] == [(2, "dealt something else than his share")]
    assert town.ledger.turning.epoch.number == 1
    assert publics(town) == before


@pytest.mark.parametrize("victims", [(1,), (1, 3), (1, 3, 4)])
def test_a_bad_box_is_complained_over_and_names_its_dealer(victims):
    town = ready()

    def spoil(seat, kind, body):
        if seat == 2 and kind is Kind.RESHARE:
            number, attempt, content = read_turn(body)
            item = rlp.decode(content)
            boxes = item[0][1]
            # some boxes of the first root get another last byte
            flat = boxes[-1]
            for victim in victims:
                box = flat[victim - 1]
                flat[victim - 1] = box[:-1] + bytes([box[-1] ^ 1])
            return write_turn(number, attempt, rlp.encode(item))
        return body

    town.spoil = spoil
    vote(town)
    town.settle()
    town.pass_time(12)
    assert [one.seat for one in town.ledger.hall.head.cheats] == [2]
    assert town.ledger.turning.epoch.number == 1
    assert all(len(party.shares) == len(ROOTS) for party in town.parties.values())


def test_a_false_complaint_names_the_accuser():
    town = ready()
    stolen = []

    def spoil(seat, kind, body):
        if seat == 3 and kind is Kind.RESHARE_VERDICT:
            number, attempt, _ = read_turn(body)
            turn, given = town.ledger.turning.turn(), town.ledger.turning.dealings(number)
            to, secret = turn.recipients(0), town.parties[3].keys.next
            one = dealings.complain(to, 1, 3, secret, given[1][0], Dice(town.secret()))
            stolen.append(one)
            return write_turn(number, attempt, write_verdict([(0, one)]))
        return body

    town.spoil = spoil
    vote(town)
    town.settle()
    town.pass_time(12)
    assert stolen
    assert [(one.seat, one.what) for one in town.ledger.hall.head.cheats] == [
        (3, "complained over a good share")
    ]
    assert town.ledger.turning.epoch.number == 1


def test_with_too_few_the_old_shares_serve_on_and_it_is_tried_again():
    town = ready()
    town.silent = {3, 4}
    vote(town)
    town.settle()
    for _ in range(3):
        town.pass_time(12)
    epoch = town.ledger.turning.epoch
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, Stage.LIVING, 1)
    assert town.ledger.stock.left()
    assert town.ledger.turning.dealings(1) == {}
    town.silent = set()
    vote(town)
    town.settle()
    assert town.ledger.turning.epoch.number == 1


def test_messages_of_another_attempt_are_not_wanted_and_name_nobody():
    town = ready()
    town.silent = {3, 4}
    vote(town)
    town.settle()
    dealt = next(message for message in town.log if message.kind is Kind.RESHARE)
    for _ in range(3):
        town.pass_time(12)
    town.silent = set()
    vote(town)
    town.say(dealt)
    assert "another attempt" in str(town.refused[-1][1])
    assert not town.ledger.hall.head.cheats


def test_a_generation_drops_what_an_attempt_has_dealt():
    town = ready()
    vote(town)
    town.say(*town.duties())
    assert town.ledger.turning.dealings(1)
    town.say(town.recovery({1, 2, 3, 4}))
    epoch = town.ledger.turning.epoch
    assert (epoch.number, epoch.stage) == (0, Stage.LIVING)
    assert town.ledger.turning.dealings(1) == {}
    town.settle()
    assert all(len(party.shares) == len(ROOTS) for party in town.parties.values())


def test_two_holders_are_too_few():
    town = ready()
    town.spoil = lambda seat, kind, body: None if kind is Kind.HELD and seat > 2 else body
    vote(town)
    town.settle()
    assert town.ledger.turning.epoch.stage is Stage.HOLDING
    assert len(town.ledger.turning.epoch.votes) == 2
    old = {at: party.shares[ECDSA].secret.expose() for at, party in town.parties.items()}
    for _ in range(2):
        town.pass_time(12)
    epoch = town.ledger.turning.epoch
    assert (epoch.number, epoch.stage, epoch.attempt) == (0, Stage.LIVING, 1)
    assert old == {at: party.shares[ECDSA].secret.expose() for at, party in town.parties.items()}


def test_a_vote_for_other_roots_counts_for_nothing():
    town = ready()

    def spoil(seat, kind, body):
        if kind is Kind.HELD and seat in (1, 2):
            number, attempt, _ = read_turn(body)
            return write_turn(number, attempt, bytes(32))
        return body

    town.spoil = spoil
    vote(town)
    town.settle()
    assert town.ledger.turning.epoch.number == 0
    assert town.ledger.turning.epoch.attempt == 1


def test_who_voted_for_other_roots_is_no_holder_after_the_switch():
    """A recovery goes back for it: it has said nothing of the shares that live."""
    town = ready()

    def spoil(seat, kind, body):
        if kind is Kind.HELD and seat == 1:
            number, attempt, _ = read_turn(body)
            return write_turn(number, attempt, bytes(32))
        return body

    town.spoil = spoil
    vote(town)
    while town.ledger.turning.epoch.stage is not Stage.HOLDING:
        town.say(*town.duties())
    held = [one for one in town.duties() if one.kind is Kind.HELD]
    town.say(*sorted(held, key=lambda one: one.seat))
    assert town.ledger.turning.epoch.number == 1
    assert town.ledger.turning.before.page.holders == {2, 3, 4}
