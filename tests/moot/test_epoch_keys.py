"""A seat's sealing keys: forward at a switch, back at a recovery, erased when all hold."""

from dataclasses import replace

import pytest

from keymoot.moot.assembly import Assembly
from keymoot.moot.epoch_keys import EpochKeys, KeyTurn, Role
from keymoot.moot.message import Kind
from keymoot.moot.pages import MemoryPages
from keymoot.threshold.secp256k1 import SECP256K1
from tests.moot.members import ready
from tests.moot.town import NETWORK, Town


def scalar(number):
    return SECP256K1.scalar(bytes([number]) * 32)


def point(secret):
    return SECP256K1.encode(SECP256K1.base(secret))


def test_all_three_open():
    keys = EpochKeys(scalar(1), scalar(2), scalar(3))
    for number in (1, 2, 3):
        assert keys.secret_of(point(scalar(number))).expose() == scalar(number).expose()
    assert keys.secret_of(point(scalar(4))) is None
    assert EpochKeys(scalar(1), scalar(2)).secret_of(point(scalar(3))) is None


class TestInTheLedgersState:
    @pytest.fixture
    def town(self):
        town = ready()
        town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 1 else body
        town.turn_keys = lambda _: None
        return town

    def at(self, town, seat=2):
        return town.parties[seat].key_turn(town.ledger)

    def test_forward_and_back(self, town):
        assert self.at(town) is None
        old, before = town.parties[2].keys.living, Assembly(MemoryPages(dict(town.pages)), NETWORK)
        town.turn()
        town.settle()
        town.pass_time(24)
        assert self.at(town) == KeyTurn(Role.NEXT, Role.LIVING, 0)
        keys = town.parties[2].keys
        keys.take(keys.next, scalar(9), keys.living, 0)
        # one does not hold its shares: the old key stays
        assert self.at(town) is None
        assert keys.previous is old
        # and a state from before the switch turns nothing back
        assert town.parties[2].key_turn(before) is None
        town.say(town.recovery({1, 2, 3, 4}, anew=set()))
        assert self.at(town) == KeyTurn(Role.PREVIOUS, None, 1)
        keys.take(keys.previous, scalar(10), None, 1)
        assert self.at(town) is None
        assert keys.living is old

    def test_on_while_the_epoch_before_is_still_needed(self, town):
        for number in (0, 1):
            town.turn()
            town.settle()
            town.pass_time(24)
            role = Role.PREVIOUS if number else Role.LIVING
            for at, party in town.parties.items():
                assert self.at(town, at) == KeyTurn(Role.NEXT, role, 0)
                keys = party.keys
                keys.take(keys.next, town.scalar(), keys.previous or keys.living, 0)
            town.settle()

    def test_settled_only_when_the_last_one_holds(self, town):
        town.turn()
        town.settle()
        town.pass_time(24)
        keys = town.parties[2].keys
        keys.take(keys.next, scalar(9), keys.living, 0)
        assert self.at(town) is None
        town.spoil = lambda party, kind, body: body
        town.parties[1]._done.clear()
        town.settle()
        assert self.at(town) == KeyTurn(Role.LIVING, None, 0)

    def test_an_older_state_erases_nothing(self, town):
        """A start that begins at an older block sees an epoch before: it waits for its own."""
        town.turn()
        town.settle()
        town.pass_time(24)
        keys = town.parties[2].keys
        keys.take(scalar(20), scalar(21), scalar(22), 0)
        assert self.at(town) is None
        for number in (20, 21, 22):
            assert keys.secret_of(point(scalar(number)))

    def test_who_posted_no_next_key_goes_on_with_the_one_it_has(self):
        town = Town()
        town.turn_keys = lambda _: None
        town.spoil = lambda party, kind, body: (
            None if kind is Kind.EPOCH_KEY and party == 2 else body
        )
        town.settle()
        sealing = town.ledger.hall.seat(2).sealing
        town.spoil = lambda party, kind, body: (
            None if (kind, party) in ((Kind.EPOCH_KEY, 2), (Kind.HELD, 1)) else body
        )
        town.turn()
        town.settle()
        town.pass_time(24)
        assert town.ledger.turning.epoch.number == 1
        assert town.ledger.hall.seat(2).sealing == sealing
        assert town.ledger.turning.before.seat(2).sealing == sealing
        # It would else seal the same again with every block.
        assert self.at(town) is None

    def test_nobody_elses_seat_turns_our_keys(self, town):
        party = town.parties[2]
        town.turn()
        town.settle()
        town.pass_time(24)
        assert self.at(town) is not None
        stranger = replace(town.ledger.hall.seat(2), identity=town.ledger.hall.seat(3).identity)
        town.ledger.hall.put_seat(2, stranger)
        assert party.key_turn(town.ledger) is None

    def test_no_next_key_is_posted_before_the_keys_have_turned_back(self, town):
        """What was posted would be erased by the turn."""
        town.turn()
        town.settle()
        town.pass_time(24)
        for party in town.parties.values():
            party.keys.take(party.keys.next, town.scalar(), party.keys.living, 0)
        town.settle()
        town.say(town.recovery({1, 2, 3, 4}, anew=set()))
        town.settle()
        assert not any(seat.next for seat in town.ledger.hall.seats().values())
        for party in town.parties.values():
            party.keys.take(party.keys.previous, town.scalar(), None, 1)
        town.settle()
        for at, seat in town.ledger.hall.seats().items():
            assert seat.next == town.parties[at].keys.points[1]
