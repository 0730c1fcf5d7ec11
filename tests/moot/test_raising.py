"""The state key's version: when it is raised, who is asked, and what secret comes of it."""

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.moot.message import Kind
from keymoot.moot.roots import DERIVE
from keymoot.moot.signers import settled
from keymoot.moot.statekey import (
    Standing,
    former_in,
    next_name,
    state_input,
    state_secret,
    write_ask,
    write_held,
)
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate
from tests.moot.asking import one_time_key, said, secrets, standing
from tests.moot.members import check, ready
from tests.moot.town import NETWORK


def five():
    town = ready()
    town.change([5])
    assert town.ledger.hall.head.members == (1, 2, 3, 4, 5)
    assert standing(town).version == 0
    return town


def keeping(town, kind, seat):
    """Keep what a seat says of a kind back."""
    town.spoil = lambda at, said, body: None if (said, at) == (kind, seat) else body


def by_algebra(town, version, name):
    """The secret of a version from all shares of the root, as only a test computes it."""
    shares = {at: one.shares[DERIVE].secret for at, one in town.parties.items() if one.shares}
    root = town.ledger.hall.root(DERIVE)
    point = derived.point_of(root, state_input(NETWORK, version, name))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def test_a_leaver_raises_it_and_the_others_come_to_the_same_new_secret():
    town = five()
    before = secrets(town)
    town.change((), [2])
    now = standing(town)
    assert now.version == 1
    assert not now.exposed
    assert now.holders == now.told == {1, 3, 4, 5}
    assert town.ledger.handout.coming is None
    assert [one.name for one in former_in(town.ledger.hall.pages)] == [FIRST_NAME]
    after = {at: secret for at, secret in secrets(town).items() if at != 2}
    assert set(after.values()) == {by_algebra(town, 1, now.name)}
    assert secrets(town)[2] == before[2] != after[1]
    check(town, (1, 3, 4, 5), 2)


def test_who_has_left_is_not_heard():
    town = five()
    keeping(town, Kind.STATE_HELD, 3)
    town.change((), [2])
    coming = town.ledger.handout.coming
    assert coming.standing.holders == {1, 4, 5}
    _, to = one_time_key()
    for kind, body in (
        (Kind.STATE_ASK, write_ask((2, 0), coming.name, to, bytes(64))),
        (Kind.STATE_HELD, write_held(coming.name)),
    ):
        assert town.refusal(town.message(2, kind, body)) == "NotSeated"


def test_not_while_a_recovery_may_go_back_to_it():
    town = five()
    keeping(town, Kind.HELD, 3)
    town.change((), [2])
    town.pass_time(12)
    assert town.ledger.hall.head.members == (1, 3, 4, 5)
    assert not settled(town.ledger)
    assert standing(town).exposed
    assert town.ledger.handout.coming is None
    asks = len(said(town, Kind.STATE_ASK))
    town.pass_time(12)
    assert len(said(town, Kind.STATE_ASK)) == asks
    # With the last one that holds its shares it begins.
    town.spoil = lambda _, kind, body: body
    town.restart(3)
    town.settle()
    assert settled(town.ledger)
    assert standing(town).version == 1


@pytest.mark.parametrize("kind", [Kind.STATE_HELD, Kind.STATE_ASK])
def test_every_member_has_to_hold_it(kind):
    town = five()
    keeping(town, kind, 3)
    town.change((), [2])
    town.pass_time(60)
    assert standing(town).version == 0
    assert standing(town).holders == {1, 3, 4, 5}
    assert town.ledger.handout.coming.standing.holders == {1, 4, 5}
    town.spoil = lambda _, kind, body: body
    town.restart(3)
    town.settle()
    assert standing(town).version == 1
    assert standing(town).holders == {1, 3, 4, 5}


def test_who_never_holds_it_is_voted_out_and_then_it_is_raised_without_it():
    town = five()
    town.change([6])
    keeping(town, Kind.STATE_HELD, 3)
    town.change((), [2])
    first = town.ledger.handout.coming.name
    assert standing(town).version == 0
    town.spoil = lambda _, kind, body: body
    town.silent = {3}
    town.part(3, [1, 4, 5, 6])
    town.turn()
    for _ in range(4):
        town.pass_time(12)
    assert town.ledger.hall.head.members == (1, 4, 5, 6)
    # It has the version that was to come: there is another one.
    assert standing(town).version == 1
    assert standing(town).name != first
    assert secrets(town)[1] == by_algebra(town, 1, standing(town).name)
    assert secrets(town)[3] != secrets(town)[1]


def test_a_generation_drops_the_version_that_was_to_come():
    town = five()
    keeping(town, Kind.STATE_HELD, 3)
    town.change((), [2])
    first = town.ledger.handout.coming.name
    town.spoil = lambda _, kind, body: body
    town.say(town.recovery({1, 3, 4, 5}))
    town.settle()
    assert standing(town).version == 1
    assert standing(town).name != first
    assert standing(town).holders == {1, 3, 4, 5}


def test_a_newcomer_that_is_dropped_with_the_secret_raises_it():
    town = ready()
    town.arrive(5)
    town.admit(5)
    town.settle()
    assert 5 in standing(town).holders
    town.say(town.recovery({1, 2, 3, 4}))
    town.settle()
    assert standing(town).version == 1
    assert standing(town).holders == {1, 2, 3, 4}


def test_one_that_never_asked_does_not():
    town = ready()
    keeping(town, Kind.STATE_ASK, 5)
    town.arrive(5)
    town.admit(5)
    town.settle()
    town.say(town.recovery({1, 2, 3, 4}))
    town.settle()
    assert standing(town).version == 0
    assert not standing(town).exposed


def test_a_newcomer_that_comes_meanwhile_gets_both():
    town = five()
    keeping(town, Kind.STATE_HELD, 3)
    town.change((), [2])
    town.arrive(6)
    town.admit(6)
    town.settle()
    assert 6 in standing(town).holders
    assert 6 in town.ledger.handout.coming.standing.holders
    town.spoil = lambda _, kind, body: body
    town.restart(3)
    town.settle()
    assert standing(town).version == 1
    assert standing(town).holders == {1, 3, 4, 5, 6}


def test_a_name_is_every_part_of_what_it_stands_for():
    first = (NETWORK, 1, Hash32(b"g" * 32), 3)
    others = [
        (type(NETWORK)(b"\x32" * 32), *first[1:]),
        (NETWORK, 2, *first[2:]),
        (*first[:2], Hash32(b"h" * 32), 3),
        (*first[:3], 4),
    ]
    assert len({next_name(*one) for one in (first, *others)} | {FIRST_NAME}) == 6
    inputs = {state_input(NETWORK, *one) for one in ((0,), (1,), (0, Bytes32(b"n" * 32)))}
    assert len(inputs) == 3


def test_a_standing_is_read_back():
    one = Standing(3, Bytes32(b"n" * 32), told=frozenset({1, 9}), exposed=True)
    assert Standing.decode(one.encode()) == one
