"""Recovery orders: of which chain, of which generation, by whom, and back to which shares."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.base.units import Height
from keymoot.crypto import ed25519
from keymoot.moot.certificate import Certificate, SignedCertificate
from keymoot.moot.errors import NotSeated, WrongGeneration
from keymoot.moot.message import Kind, NodeMessage
from keymoot.moot.signers import settled
from tests.moot.members import ready
from tests.moot.town import NETWORK


def order(town, seats=(1, 2, 3, 4), signers=None, **terms):
    """An order over what is there, with some terms changed."""
    head, base = town.ledger.hall.head, town.height
    boots = {at: town.parties[at].boot.public for at in seats}
    made = Certificate(
        NETWORK, head.generation, Height(base), town.block(base) or Hash32(bytes(32)), boots
    )
    made = replace(made, **terms)
    signed = {
        at: ed25519.sign(town.identities[at], made.digest())
        for at in (seats if signers is None else signers)
    }
    body = SignedCertificate(made, signed).encode()
    return NodeMessage(NETWORK, head.generation, 0, Kind.RECOVER, body)


@pytest.fixture
def town():
    return ready()


class TestTheBase:
    def test_the_block_before_and_older_ones(self, town):
        for base in (town.height, 1):
            assert town.refusal(order(town, base=Height(base), block=town.block(base))) == ""
        assert town.ledger.hall.head.recoveries == 2

    def test_not_another_branch(self, town):
        said = order(town, block=Hash32(b"x" * 32))
        assert town.refusal(said) == "Unwanted"
        assert "not the one that the recovery builds on" in str(town.refused[-1][1])
        assert not town.ledger.hall.head.recoveries

    def test_not_its_own_block_nor_a_later_one(self, town):
        town.ancestor = lambda height: Hash32(height.to_bytes(32, "big"))
        for ahead in (1, 2):
            height = town.height + ahead
            said = order(town, base=Height(height), block=Hash32(height.to_bytes(32, "big")))
            assert town.refusal(said) == "Unwanted"

    def test_not_one_that_nobody_remembers(self, town):
        town.ancestor = lambda _: None
        assert town.refusal(order(town)) == "Unwanted"

    def test_not_the_genesis(self, town):
        """Its slot may hold the network's id: that is no certified block."""
        town.ancestor = lambda _: Hash32(NETWORK)
        assert town.refusal(order(town, base=Height(0), block=Hash32(NETWORK))) == "Unwanted"

    def test_below_the_switch_of_an_epoch(self, town):
        below = town.height
        town.turn()
        town.settle()
        assert town.ledger.turning.epoch.number == 1
        assert settled(town.ledger)
        assert town.refusal(order(town, base=Height(below), block=town.block(below))) == ""
        # all hold the new shares, so they serve on
        assert town.ledger.turning.epoch.number == 1


class TestWhoOrders:
    def test_ends_the_present_generation(self, town):
        first = order(town)
        assert town.refusal(first) == ""
        assert town.refusal(first) == "WrongGeneration"
        again = NodeMessage(NETWORK, town.ledger.hall.head.generation, 0, Kind.RECOVER, first.body)
        assert town.refusal(again) == "WrongGeneration"

    def test_waits_for_a_generation_that_is_not_certified_yet(self, town):
        """The order before it may be in the tail: only the block that holds it knows."""
        first = order(town)
        digest = SignedCertificate.decode(first.body).terms.digest()
        second = replace(order(town, previous=digest), generation=digest)
        town.ledger.check_waiting(second)
        assert town.refusal(second) == "WrongGeneration"
        assert town.refusal(first, second) == ""
        assert town.ledger.hall.head.recoveries == 2
        with pytest.raises(WrongGeneration):
            town.ledger.check_waiting(second)
        foreign = replace(second, network=NetworkId(b"x" * 32))
        with pytest.raises(WrongGeneration):
            town.ledger.check_waiting(foreign)
        with pytest.raises(NotSeated):
            town.ledger.check_waiting(order(town, seats=(1, 2)))

    def test_ends_no_other_generation(self, town):
        """An order that was endorsed in a generation which another one ended."""
        said = order(town, previous=Hash32(b"x" * 32))
        assert said.generation == town.ledger.hall.head.generation
        assert town.refusal(said) == "WrongGeneration"

    def test_of_this_network(self, town):
        assert town.refusal(order(town, network=NetworkId(b"x" * 32))) == "WrongGeneration"

    @pytest.mark.parametrize("signers", [(), (1,), (1, 2), (1, 2, 2)])
    def test_too_few_sign(self, town, signers):
        assert town.refusal(order(town, seats=(1, 2), signers=set(signers))) == "NotSeated"

    def test_names_nobody_who_did_not_sign(self, town):
        assert town.refusal(order(town, signers=(1, 2, 3))) == "NotSeated"

    def test_names_enough_to_sign_its_block(self, town):
        assert town.refusal(order(town, seats=(1, 2), signers=(1, 2, 3, 4))) == "NotSeated"

    def test_names_no_seat_that_nobody_has(self, town):
        boots = {at: town.parties[at].boot.public for at in (1, 2, 3)}
        boots[9] = town.boot().public
        town.identities[9] = town.secret()
        said = order(town, signers=(1, 2, 3, 9), boots=boots)
        assert town.refusal(said) == "NotSeated"
        del town.identities[9]

    def test_who_is_not_named_has_no_session(self, town):
        assert town.refusal(order(town, seats=(1, 2, 4))) == ""
        assert town.ledger.hall.seat(3).boot is None
        assert town.ledger.hall.head.since == town.height
        assert {seat.since for seat in town.ledger.hall.seats().values()} == {town.height}

    def test_who_was_put_out_deals_again(self, town):
        """Who is out in one generation may be needed by the next: a start there is another one."""
        for one in (town.ledger, *town.views.values()):
            one.hall.head = replace(one.hall.head, out=frozenset({3}))
        town.say(order(town))
        assert town.ledger.hall.head.out == frozenset()

    def test_all_that_serves_once_is_wiped(self, town):
        assert town.ledger.stock.left()
        town.say(order(town))
        assert not town.ledger.stock.page.ready
        assert town.ledger.commitments.left() == 0
        assert not town.ledger.handout.asks()
