"""One that speaks last, having seen what the others said: he gains nothing, and stops nothing."""

from dataclasses import replace

import pytest

from keymoot.committee.messages import (
    AttemptBody,
    Kind,
    NumberedBody,
)
from keymoot.committee.reshare.record import RootDealings
from keymoot.committee.roots import ROOTS
from keymoot.threshold import dealing as dealings
from keymoot.threshold.first_round import FirstDealing
from keymoot.threshold.polynomial import lagrange
from keymoot.threshold.rng import SeededRng
from keymoot.threshold.secp256k1 import SECP256K1
from tests.committee.bodies import fields_of
from tests.committee.members import publics, ready
from tests.committee.network import CommitteeNetwork

LAST = 2
"""Who waits for all others. He is always among the dealers whose dealings are used."""


def held_back(net, kind):
    """Let one seat's messages of a kind wait; give where they are found."""
    waiting = []

    def spoil(seat, said, body):
        if (seat, said) != (LAST, kind):
            return body
        waiting.append(body)
        return None

    net.spoil = spoil
    return waiting


def through(group, constant, at, value, degree, rng):
    """Draw a polynomial with a constant and one more value that are given."""
    coefficients = [constant, 0, *map(group.open, rng.scalars(group, "rest", degree - 1))]
    rest = sum(one * at**power for power, one in enumerate(coefficients))
    coefficients[1] = (value - rest) * pow(at, -1, group.ORDER) % group.ORDER
    return list(map(group.hide, coefficients))


def zero_dealing(net, place, dealt):
    """Deal one's share such that, after all others' dealings, one's own new share is zero."""
    turn, kind, rng = net.ledger.epochs.next_round(), ROOTS[place], SeededRng(net.secret())
    to, group, participant = turn.recipients(place), kind.group, net.participants[LAST]
    weights = lagrange(group.ORDER, sorted({*dealt, LAST})[: turn.roots[place].degree + 1])
    others = 0
    for dealer in weights.keys() - {LAST}:
        made = dealt[dealer][place]
        points = dealings.decode_points(group, dealer, made.commitments)
        share = dealings.receive(to, dealer, LAST, participant.keys.next, made, points)
        others += weights[dealer] * group.open(share)
    value = -others * pow(weights[LAST], -1, group.ORDER)
    own = group.open(participant.shares[kind.name].secret)
    return dealings.deal(to, LAST, through(group, own, LAST, value, to.degree, rng), rng)


@pytest.mark.parametrize("place", range(len(ROOTS)))
def test_a_new_share_of_zero_stops_nobody(place):
    """Its verification share is the identity, which has no encoding."""
    net = ready()
    before, waiting = publics(net), held_back(net, Kind.RESHARE)
    net.turn()
    net.settle()
    number, attempt, content = fields_of(AttemptBody.decode(waiting[0]))
    made = list(RootDealings.decode(content).dealings)
    made[place] = zero_dealing(net, place, net.ledger.epochs.dealings(number))
    said = net.message(
        LAST,
        Kind.RESHARE,
        AttemptBody(number, attempt, RootDealings(tuple(made)).encode()).encode(),
    )
    net.silent = {LAST}
    net.send(said)
    for _ in range(3):
        net.pass_time(16)
    # 1. The epoch ends as it should, though he has a share of zero.
    assert net.ledger.epochs.current.number == 1
    root = net.ledger.state.root(ROOTS[place].name)
    assert root.group.is_identity(root.share_of(LAST))
    assert publics(net) == before
    # 2. Without him presignatures are dealt, and the next epoch begins.
    assert net.ledger.stock.left()
    net.turn()
    for _ in range(4):
        net.pass_time(16)
    assert net.ledger.epochs.current.number == 2
    assert not root.group.is_identity(net.ledger.state.root(ROOTS[place].name).share_of(LAST))
    assert publics(net) == before
    assert not net.ledger.state.record.cheats


def test_a_nonce_that_the_last_dealer_cancels_names_him():
    """With R the identity there is no presignature: the others must not wait for it in vain."""
    net = CommitteeNetwork()
    waiting = held_back(net, Kind.FIRST)
    net.settle()
    number, content = fields_of(NumberedBody.decode(waiting[0]))
    own = FirstDealing.decode(content)
    stock = net.ledger.stock
    given = [stock.dealing(number, 1, seat) for seat in stock.batch(number).first]
    others = [FirstDealing.decode(one) for one in given]
    assert len(others) == net.ledger.state.committee.random_dealers - 1
    _, *rest = SECP256K1.decode_all(own.plain[0])
    constants = [SECP256K1.decode_all(one.plain[0])[0] for one in others]
    cancelling = SECP256K1.encode_all([SECP256K1.negate(SECP256K1.sum(constants)), *rest])
    spoiled = replace(own, plain=(cancelling, *own.plain[1:]))
    net.send(net.message(LAST, Kind.FIRST, NumberedBody(number, spoiled.encode()).encode()))
    net.spoil = lambda seat, kind, body: body
    net.settle()
    assert {one.seat for one in net.ledger.state.record.cheats} == {LAST}
    assert net.ledger.stock.batch(number) is None
    net.pass_time(16)
    assert net.ledger.stock.left()
