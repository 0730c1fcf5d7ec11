"""CommitteeNetworks that come to the state key, and what tests know of it that no seat does."""

from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind, NumberedBody
from keymoot.committee.roots import DERIVE
from keymoot.committee.statekey.record import state_input, state_secret
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.polynomial import interpolate
from keymoot.threshold.rng import SeededRng
from tests.committee.network import NETWORK, CommitteeNetwork


def one_time_key(number=5):
    return derived.asker(SeededRng(Secret(bytes([number]) * 32)))


def founded(size=4, seed=1, silent=()):
    if not silent:
        return CommitteeNetwork.at_rest(size, seed)
    net = CommitteeNetwork(size, seed, silent=set(silent))
    net.settle()
    net.pass_time(120)
    net.settle()
    return net


def before_asks(size=4, seed=1, silent=()):
    """A net whose seats have their roots, and have not said anything of the state key."""
    net = CommitteeNetwork(size, seed, silent=set(silent))
    net.spoil = lambda _, kind, body: None if kind is Kind.STATE_ASK else body
    net.settle()
    if silent:
        net.pass_time(120)
        net.settle()
    for participant in net.participants.values():
        participant._done = {name: None for name in participant._done if not name.endswith("/ask")}
    net.spoil = lambda participant, kind, body: body
    return net


def secret_by_algebra(net):
    """The state secret from all shares of the root, as only a test computes it."""
    shares = {at: one.shares[DERIVE].secret for at, one in net.participants.items() if one.shares}
    root = net.ledger.state.root(DERIVE)
    point = derived.point_of(root, state_input(NETWORK, 0))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def secrets(net):
    return {at: secret.expose() for at, secret in net.keeps.items()}


def standing(net):
    return net.ledger.state_key.status


def said(net, kind):
    refused = {id(message) for message, _ in net.refused}
    return [one for one in net.log if one.kind is kind and id(one) not in refused]


def step(net):
    """One round: everyone does what is due, and all of it comes into one block."""
    net.send(*net.tasks())


def until(net, kind, seat=None):
    """Go on until a message of some kind is about to be said; give everything about to be."""
    for _ in range(20):
        due = net.tasks()
        if any(one.kind is kind and seat in (None, one.seat) for one in due):
            return due
        net.send(*due)
    raise AssertionError("nobody says it")


def turn(net, seats):
    number = net.ledger.epochs.current.number
    net.send(*(net.message(seat, Kind.END_EPOCH, NumberedBody(number).encode()) for seat in seats))
    net.settle()
    assert net.ledger.epochs.current.number == number + 1
