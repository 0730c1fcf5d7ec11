"""The state key's version: when it is raised, who is asked, and what secret comes of it."""

import pytest

from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind
from keymoot.committee.roots import DERIVE
from keymoot.committee.signers import settled
from keymoot.committee.statekey.record import (
    AskBody,
    HeldBody,
    next_name,
    state_input,
    state_secret,
)
from keymoot.committee.statekey.version import version_in
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate
from tests.committee.asking import one_time_key, said, secrets, standing
from tests.committee.members import check, ready
from tests.committee.network import NETWORK


def five():
    net = ready()
    net.change([5])
    assert net.ledger.state.record.members == (1, 2, 3, 4, 5)
    assert standing(net).version == 0
    return net


def keeping(net, kind, seat):
    """Keep what a seat says of a kind back."""
    net.spoil = lambda at, said, body: None if (said, at) == (kind, seat) else body


def by_algebra(net, version, name):
    """The secret of a version from all shares of the root, as only a test computes it."""
    shares = {at: one.shares[DERIVE].secret for at, one in net.participants.items() if one.shares}
    root = net.ledger.state.root(DERIVE)
    point = derived.point_of(root, state_input(NETWORK, version, name))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def test_a_leaver_raises_it_and_the_others_come_to_the_same_new_secret():
    net = five()
    before = secrets(net)
    net.change((), [2])
    now = standing(net)
    assert now.version == 1
    assert not now.exposed
    assert now.holders == now.told == {1, 3, 4, 5}
    assert net.ledger.state_key.coming is None
    assert [one.name for one in version_in(net.ledger.state.pages).former] == [FIRST_NAME]
    after = {at: secret for at, secret in secrets(net).items() if at != 2}
    assert set(after.values()) == {by_algebra(net, 1, now.name)}
    assert secrets(net)[2] == before[2] != after[1]
    check(net, (1, 3, 4, 5), 2)


def test_who_has_left_is_not_heard():
    net = five()
    keeping(net, Kind.STATE_HELD, 3)
    net.change((), [2])
    coming = net.ledger.state_key.coming
    assert coming.status.holders == {1, 4, 5}
    _, to = one_time_key()
    for kind, body in (
        (Kind.STATE_ASK, AskBody(2, 0, coming.name, to.first, to.second, bytes(64)).encode()),
        (Kind.STATE_HELD, HeldBody(coming.name).encode()),
    ):
        assert net.refusal(net.message(2, kind, body)) == "NotSeated"


def test_not_while_a_recovery_may_go_back_to_it():
    net = five()
    keeping(net, Kind.HELD, 3)
    net.change((), [2])
    net.pass_time(12)
    assert net.ledger.state.record.members == (1, 3, 4, 5)
    assert not settled(net.ledger)
    assert standing(net).exposed
    assert net.ledger.state_key.coming is None
    asks = len(said(net, Kind.STATE_ASK))
    net.pass_time(12)
    assert len(said(net, Kind.STATE_ASK)) == asks
    # With the last one that holds its shares it begins.
    net.spoil = lambda _, kind, body: body
    net.restart(3)
    net.settle()
    assert settled(net.ledger)
    assert standing(net).version == 1


@pytest.mark.parametrize("kind", [Kind.STATE_HELD, Kind.STATE_ASK])
def test_every_member_has_to_hold_it(kind):
    net = five()
    keeping(net, kind, 3)
    net.change((), [2])
    net.pass_time(60)
    assert standing(net).version == 0
    assert standing(net).holders == {1, 3, 4, 5}
    assert net.ledger.state_key.coming.status.holders == {1, 4, 5}
    net.spoil = lambda _, kind, body: body
    net.restart(3)
    net.settle()
    assert standing(net).version == 1
    assert standing(net).holders == {1, 3, 4, 5}


def test_who_never_holds_it_is_voted_out_and_then_it_is_raised_without_it():
    net = five()
    net.change([6])
    keeping(net, Kind.STATE_HELD, 3)
    net.change((), [2])
    first = net.ledger.state_key.coming.name
    assert standing(net).version == 0
    net.spoil = lambda _, kind, body: body
    net.silent = {3}
    net.part(3, [1, 4, 5, 6])
    net.turn()
    for _ in range(4):
        net.pass_time(12)
    assert net.ledger.state.record.members == (1, 4, 5, 6)
    # It has the version that was to come: there is another one.
    assert standing(net).version == 1
    assert standing(net).name != first
    assert secrets(net)[1] == by_algebra(net, 1, standing(net).name)
    assert secrets(net)[3] != secrets(net)[1]


def test_a_generation_drops_the_version_that_was_to_come():
    net = five()
    keeping(net, Kind.STATE_HELD, 3)
    net.change((), [2])
    first = net.ledger.state_key.coming.name
    net.spoil = lambda _, kind, body: body
    net.send(net.recovery({1, 3, 4, 5}))
    net.settle()
    assert standing(net).version == 1
    assert standing(net).name != first
    assert standing(net).holders == {1, 3, 4, 5}


def test_a_newcomer_that_is_dropped_with_the_secret_raises_it():
    net = ready()
    net.arrive(5)
    net.admit(5)
    net.settle()
    assert 5 in standing(net).holders
    net.send(net.recovery({1, 2, 3, 4}))
    net.settle()
    assert standing(net).version == 1
    assert standing(net).holders == {1, 2, 3, 4}


def test_one_that_never_asked_does_not():
    net = ready()
    keeping(net, Kind.STATE_ASK, 5)
    net.arrive(5)
    net.admit(5)
    net.settle()
    net.send(net.recovery({1, 2, 3, 4}))
    net.settle()
    assert standing(net).version == 0
    assert not standing(net).exposed


def test_a_newcomer_that_comes_meanwhile_gets_both():
    net = five()
    keeping(net, Kind.STATE_HELD, 3)
    net.change((), [2])
    net.arrive(6)
    net.admit(6)
    net.settle()
    assert 6 in standing(net).holders
    assert 6 in net.ledger.state_key.coming.status.holders
    net.spoil = lambda _, kind, body: body
    net.restart(3)
    net.settle()
    assert standing(net).version == 1
    assert standing(net).holders == {1, 3, 4, 5, 6}


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
