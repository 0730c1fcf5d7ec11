"""A seat's sealing keys: forward at a switch, back at a recovery, erased when all hold."""

from dataclasses import replace

import pytest

from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import Kind
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.reshare.epoch_keys import EpochKeys, KeyRotation, Role
from keymoot.threshold.secp256k1 import SECP256K1
from tests.committee.members import ready
from tests.committee.network import NETWORK, CommitteeNetwork


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
    def net(self):
        net = ready()
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.HELD and participant == 1 else body
        )
        net.turn_keys = lambda _: None
        return net

    def at(self, net, seat=2):
        return net.participants[seat].key_rotation(net.ledger)

    def test_forward_and_back(self, net):
        assert self.at(net) is None
        old, before = (
            net.participants[2].keys.living,
            CommitteeMachine(MemoryPages(dict(net.pages)), NETWORK),
        )
        net.turn()
        net.settle()
        net.pass_time(24)
        assert self.at(net) == KeyRotation(Role.NEXT, Role.LIVING, 0)
        keys = net.participants[2].keys
        keys.take(keys.next, scalar(9), keys.living, 0)
        # one does not hold its shares: the old key stays
        assert self.at(net) is None
        assert keys.previous is old
        # and a state from before the switch turns nothing back
        assert net.participants[2].key_rotation(before) is None
        net.send(net.recovery({1, 2, 3, 4}, anew=set()))
        assert self.at(net) == KeyRotation(Role.PREVIOUS, None, 1)
        keys.take(keys.previous, scalar(10), None, 1)
        assert self.at(net) is None
        assert keys.living is old

    def test_on_while_the_epoch_before_is_still_needed(self, net):
        for number in (0, 1):
            net.turn()
            net.settle()
            net.pass_time(24)
            role = Role.PREVIOUS if number else Role.LIVING
            for at, participant in net.participants.items():
                assert self.at(net, at) == KeyRotation(Role.NEXT, role, 0)
                keys = participant.keys
                keys.take(keys.next, net.scalar(), keys.previous or keys.living, 0)
            net.settle()

    def test_settled_only_when_the_last_one_holds(self, net):
        net.turn()
        net.settle()
        net.pass_time(24)
        keys = net.participants[2].keys
        keys.take(keys.next, scalar(9), keys.living, 0)
        assert self.at(net) is None
        net.spoil = lambda participant, kind, body: body
        net.participants[1]._done.clear()
        net.settle()
        assert self.at(net) == KeyRotation(Role.LIVING, None, 0)

    def test_an_older_state_erases_nothing(self, net):
        """A start that begins at an older block sees an epoch before: it waits for its own."""
        net.turn()
        net.settle()
        net.pass_time(24)
        keys = net.participants[2].keys
        keys.take(scalar(20), scalar(21), scalar(22), 0)
        assert self.at(net) is None
        for number in (20, 21, 22):
            assert keys.secret_of(point(scalar(number)))

    def test_who_posted_no_next_key_goes_on_with_the_one_it_has(self):
        net = CommitteeNetwork()
        net.turn_keys = lambda _: None
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.EPOCH_KEY and participant == 2 else body
        )
        net.settle()
        sealing = net.ledger.state.seat(2).sealing
        net.spoil = lambda participant, kind, body: (
            None if (kind, participant) in ((Kind.EPOCH_KEY, 2), (Kind.HELD, 1)) else body
        )
        net.turn()
        net.settle()
        net.pass_time(24)
        assert net.ledger.epochs.current.number == 1
        assert net.ledger.state.seat(2).sealing == sealing
        assert net.ledger.epochs.previous.seat(2).sealing == sealing
        # It would else seal the same again with every block.
        assert self.at(net) is None

    def test_nobody_elses_seat_turns_our_keys(self, net):
        participant = net.participants[2]
        net.turn()
        net.settle()
        net.pass_time(24)
        assert self.at(net) is not None
        stranger = replace(net.ledger.state.seat(2), identity=net.ledger.state.seat(3).identity)
        net.ledger.state.put_seat(2, stranger)
        assert participant.key_rotation(net.ledger) is None

    def test_no_next_key_is_posted_before_the_keys_have_turned_back(self, net):
        """What was posted would be erased by the turn."""
        net.turn()
        net.settle()
        net.pass_time(24)
        for participant in net.participants.values():
            participant.keys.take(participant.keys.next, net.scalar(), participant.keys.living, 0)
        net.settle()
        net.send(net.recovery({1, 2, 3, 4}, anew=set()))
        net.settle()
        assert not any(seat.next for seat in net.ledger.state.seats().values())
        for participant in net.participants.values():
            participant.keys.take(participant.keys.previous, net.scalar(), None, 1)
        net.settle()
        for at, seat in net.ledger.state.seats().items():
            assert seat.next == net.participants[at].keys.points[1]
