"""Towns that come to the state key, and what tests know of it that no seat does."""

from keymoot.base.secret import Secret
from keymoot.moot.body import write_numbered
from keymoot.moot.message import Kind
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import state_input, state_secret
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.dice import Dice
from keymoot.threshold.polynomial import interpolate
from tests.moot.town import NETWORK, Town


def one_time_key(number=5):
    return derived.asker(Dice(Secret(bytes([number]) * 32)))


def founded(size=4, seed=1, silent=()):
    town = Town(size, seed, silent=set(silent))
    town.settle()
    if silent:
        town.pass_time(120)
        town.settle()
    return town


def before_asks(size=4, seed=1, silent=()):
    """A town whose seats have their roots, and have not said anything of the state key."""
    town = Town(size, seed, silent=set(silent))
    town.spoil = lambda _, kind, body: None if kind is Kind.STATE_ASK else body
    town.settle()
    if silent:
        town.pass_time(120)
        town.settle()
    for party in town.parties.values():
        party._done = {name: None for name in party._done if not name.endswith("/ask")}
    town.spoil = lambda party, kind, body: body
    return town


def secret_by_algebra(town):
    """The state secret from all shares of the root, as only a test computes it."""
    shares = {at: one.shares[DERIVE].secret for at, one in town.parties.items() if one.shares}
    root = town.ledger.hall.root(DERIVE)
    point = derived.point_of(root, state_input(NETWORK, 0))
    return state_secret(Secret(G1.encode(G1.multiply(interpolate(G2, shares), point)))).expose()


def secrets(town):
    return {at: secret.expose() for at, secret in town.keeps.items()}


def standing(town):
    return town.ledger.handout.standing


def said(town, kind):
    refused = {id(message) for message, _ in town.refused}
    return [one for one in town.log if one.kind is kind and id(one) not in refused]


def step(town):
    """One round: everyone does what is due, and all of it comes into one block."""
    town.say(*town.duties())


def until(town, kind, seat=None):
    """Go on until a message of some kind is about to be said; give everything about to be."""
    for _ in range(20):
        due = town.duties()
        if any(one.kind is kind and seat in (None, one.seat) for one in due):
            return due
        town.say(*due)
    raise AssertionError("nobody says it")


def turn(town, seats):
    number = town.ledger.turning.epoch.number
    town.say(*(town.message(seat, Kind.TURN, write_numbered(number)) for seat in seats))
    town.settle()
    assert town.ledger.turning.epoch.number == number + 1
