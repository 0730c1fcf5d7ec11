"""One that speaks last, having seen what the others said: he gains nothing, and stops nothing."""

from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.moot.body import read_numbered, write_numbered
from keymoot.moot.message import Kind
from keymoot.moot.roots import ROOTS
from keymoot.moot.turn import read_dealings, read_turn, write_dealings, write_turn
from keymoot.threshold import dealing as dealings
from keymoot.threshold.dice import Dice
from keymoot.threshold.first_round import FirstDealing
from keymoot.threshold.polynomial import lagrange
from keymoot.threshold.secp256k1 import SECP256K1
from tests.moot.members import publics, ready
from tests.moot.town import Town

LAST = 2
"""Who waits for all others. He is always among the dealers whose dealings are used."""


def held_back(town, kind):
    """Let one seat's messages of a kind wait; give where they are found."""
    waiting = []

    def spoil(seat, said, body):
        if (seat, said) != (LAST, kind):
            return body
        waiting.append(body)
        return None

    town.spoil = spoil
    return waiting


def through(group, constant, at, value, degree, dice):
    """Draw a polynomial with a constant and one more value that are given."""
    coefficients = [constant, 0, *map(group.open, dice.scalars(group, "rest", degree - 1))]
    rest = sum(one * at**power for power, one in enumerate(coefficients))
    coefficients[1] = (value - rest) * pow(at, -1, group.ORDER) % group.ORDER
    return list(map(group.hide, coefficients))


def zero_dealing(town, place, dealt):
    """Deal one's share such that, after all others' dealings, one's own new share is zero."""
    turn, kind, dice = town.ledger.turning.turn(), ROOTS[place], Dice(town.secret())
    to, group, party = turn.recipients(place), kind.group, town.parties[LAST]
    weights = lagrange(group.ORDER, sorted({*dealt, LAST})[: turn.roots[place].degree + 1])
    others = 0
    for dealer in weights.keys() - {LAST}:
        made = dealt[dealer][place]
        points = dealings.decode_points(group, dealer, made.commitments)
        share = dealings.receive(to, dealer, LAST, party.keys.next, made, points)
        others += weights[dealer] * group.open(share)
    value = -others * pow(weights[LAST], -1, group.ORDER)
    own = group.open(party.shares[kind.name].secret)
    return dealings.deal(to, LAST, through(group, own, LAST, value, to.degree, dice), dice)


@pytest.mark.parametrize("place", range(len(ROOTS)))
def test_a_new_share_of_zero_stops_nobody(place):
    """Its verification share is the identity, which has no encoding."""
    town = ready()
    before, waiting = publics(town), held_back(town, Kind.RESHARE)
    town.turn()
    town.settle()
    number, attempt, content = read_turn(waiting[0])
    made = list(read_dealings(content))
    made[place] = zero_dealing(town, place, town.ledger.turning.dealings(number))
    said = town.message(
        LAST, Kind.RESHARE, write_turn(number, attempt, write_dealings(tuple(made)))
    )
    town.silent = {LAST}
    town.say(said)
    for _ in range(3):
        town.pass_time(16)
    # 1. The epoch ends as it should, though he has a share of zero.
    assert town.ledger.turning.epoch.number == 1
    root = town.ledger.hall.root(ROOTS[place].name)
    assert root.group.is_identity(root.share_of(LAST))
    assert publics(town) == before
    # 2. Without him presignatures are dealt, and the next epoch begins.
    assert town.ledger.stock.left()
    town.turn()
    for _ in range(4):
        town.pass_time(16)
    assert town.ledger.turning.epoch.number == 2
    assert not root.group.is_identity(town.ledger.hall.root(ROOTS[place].name).share_of(LAST))
    assert publics(town) == before
    assert not town.ledger.hall.head.cheats


def test_a_nonce_that_the_last_dealer_cancels_names_him():
    """With R the identity there is no presignature: the others must not wait for it in vain."""
    town = Town()
    waiting = held_back(town, Kind.FIRST)
    town.settle()
    number, content = read_numbered(waiting[0])
    own = FirstDealing.decode(rlp.decode(content))
    stock = town.ledger.stock
    given = [stock.dealing(number, 1, seat) for seat in stock.batch(number).first]
    others = [FirstDealing.decode(rlp.decode(one)) for one in given]
    assert len(others) == town.ledger.hall.committee.random_dealers - 1
    _, *rest = SECP256K1.decode_all(own.plain[0])
    constants = [SECP256K1.decode_all(one.plain[0])[0] for one in others]
    cancelling = SECP256K1.encode_all([SECP256K1.negate(SECP256K1.sum(constants)), *rest])
    spoiled = replace(own, plain=(cancelling, *own.plain[1:]))
    town.say(town.message(LAST, Kind.FIRST, write_numbered(number, rlp.encode(spoiled.encode()))))
    town.spoil = lambda seat, kind, body: body
    town.settle()
    assert {one.seat for one in town.ledger.hall.head.cheats} == {LAST}
    assert town.ledger.stock.batch(number) is None
    town.pass_time(16)
    assert town.ledger.stock.left()
