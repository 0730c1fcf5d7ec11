"""Recovery orders: of which chain, of which generation, by whom, and back to which shares."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.committee.errors import NotSeated, WrongGeneration
from keymoot.committee.messages import Kind, NodeMessage
from keymoot.committee.recovery.order import RecoveryOrder, SignedRecoveryOrder
from keymoot.committee.signers import settled
from keymoot.crypto import ed25519
from tests.committee.members import ready
from tests.committee.network import NETWORK


def order(net, seats=(1, 2, 3, 4), signers=None, **terms):
    """An order over what is there, with some terms changed."""
    head, base = net.ledger.state.record, net.height
    sessions = {at: net.participants[at].session.public for at in seats}
    made = RecoveryOrder(
        NETWORK, head.generation, Height(base), net.block(base) or Hash32(bytes(32)), sessions
    )
    made = replace(made, **terms)
    signed = {
        at: ed25519.sign(net.identities[at], made.digest())
        for at in (seats if signers is None else signers)
    }
    body = SignedRecoveryOrder(made, signed).encode()
    return NodeMessage(NETWORK, head.generation, 0, Kind.RECOVER, body)


@pytest.fixture
def net():
    return ready()


class TestTheBase:
    def test_the_block_before_and_older_ones(self, net):
        for base in (net.height, 1):
            assert net.refusal(order(net, base=Height(base), block=net.block(base))) == ""
        assert net.ledger.state.record.recoveries == 2

    def test_not_another_branch(self, net):
        said = order(net, block=Hash32(b"x" * 32))
        assert net.refusal(said) == "Unwanted"
        assert "not the one that the recovery builds on" in str(net.refused[-1][1])
        assert not net.ledger.state.record.recoveries

    def test_not_its_own_block_nor_a_later_one(self, net):
        net.ancestor = lambda height: Hash32(height.to_bytes(32, "big"))
        for ahead in (1, 2):
            height = net.height + ahead
            said = order(net, base=Height(height), block=Hash32(height.to_bytes(32, "big")))
            assert net.refusal(said) == "Unwanted"

    def test_not_one_that_nobody_remembers(self, net):
        net.ancestor = lambda _: None
        assert net.refusal(order(net)) == "Unwanted"

    def test_not_the_genesis(self, net):
        """Its slot may hold the network's id: that is no certified block."""
        net.ancestor = lambda _: Hash32(NETWORK)
        assert net.refusal(order(net, base=Height(0), block=Hash32(NETWORK))) == "Unwanted"

    def test_below_the_switch_of_an_epoch(self, net):
        below = net.height
        net.turn()
        net.settle()
        assert net.ledger.epochs.current.number == 1
        assert settled(net.ledger)
        assert net.refusal(order(net, base=Height(below), block=net.block(below))) == ""
        # all hold the new shares, so they serve on
        assert net.ledger.epochs.current.number == 1


class TestWhoOrders:
    def test_ends_the_present_generation(self, net):
        first = order(net)
        assert net.refusal(first) == ""
        assert net.refusal(first) == "WrongGeneration"
        again = NodeMessage(
            NETWORK, net.ledger.state.record.generation, 0, Kind.RECOVER, first.body
        )
        assert net.refusal(again) == "WrongGeneration"

    def test_waits_for_a_generation_that_is_not_certified_yet(self, net):
        """The order before it may be in the tail: only the block that holds it knows."""
        first = order(net)
        digest = SignedRecoveryOrder.decode(first.body).terms.digest()
        second = replace(order(net, previous=digest), generation=digest)
        net.ledger.check_waiting(second)
        assert net.refusal(second) == "WrongGeneration"
        assert net.refusal(first, second) == ""
        assert net.ledger.state.record.recoveries == 2
        with pytest.raises(WrongGeneration):
            net.ledger.check_waiting(second)
        foreign = replace(second, network=NetworkId(b"x" * 32))
        with pytest.raises(WrongGeneration):
            net.ledger.check_waiting(foreign)
        with pytest.raises(NotSeated):
            net.ledger.check_waiting(order(net, seats=(1, 2)))

    def test_ends_no_other_generation(self, net):
        """An order that was endorsed in a generation which another one ended."""
        said = order(net, previous=Hash32(b"x" * 32))
        assert said.generation == net.ledger.state.record.generation
        assert net.refusal(said) == "WrongGeneration"

    def test_of_this_network(self, net):
        assert net.refusal(order(net, network=NetworkId(b"x" * 32))) == "WrongGeneration"

    @pytest.mark.parametrize("signers", [(), (1,), (1, 2), (1, 2, 2)])
    def test_too_few_sign(self, net, signers):
        assert net.refusal(order(net, seats=(1, 2), signers=set(signers))) == "NotSeated"

    def test_names_nobody_who_did_not_sign(self, net):
        assert net.refusal(order(net, signers=(1, 2, 3))) == "NotSeated"

    def test_names_enough_to_sign_its_block(self, net):
        assert net.refusal(order(net, seats=(1, 2), signers=(1, 2, 3, 4))) == "NotSeated"

    def test_names_no_seat_that_nobody_has(self, net):
        sessions = {at: net.participants[at].session.public for at in (1, 2, 3)}
        sessions[9] = net.session().public
        net.identities[9] = net.secret()
        said = order(net, signers=(1, 2, 3, 9), sessions=sessions)
        assert net.refusal(said) == "NotSeated"
        del net.identities[9]

    def test_who_is_not_named_has_no_session(self, net):
        assert net.refusal(order(net, seats=(1, 2, 4))) == ""
        assert net.ledger.state.seat(3).session is None
        assert net.ledger.state.record.since == net.height
        assert {seat.since for seat in net.ledger.state.seats().values()} == {net.height}

    def test_who_was_put_out_deals_again(self, net):
        """Who is out in one generation may be needed by the next: a start there is another one."""
        for one in (net.ledger, *net.views.values()):
            one.state.record = replace(one.state.record, out=frozenset({3}))
        net.send(order(net))
        assert net.ledger.state.record.out == frozenset()

    def test_all_that_serves_once_is_wiped(self, net):
        assert net.ledger.stock.left()
        net.send(order(net))
        assert not net.ledger.stock.page.ready
        assert net.ledger.nonces.left() == 0
        assert not net.ledger.state_key.asks()
