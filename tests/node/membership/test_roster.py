"""What is looked up of the committee once a block."""

import pytest

from keymoot.base.units import Height
from keymoot.node.membership.roster import CommitteeSnapshot
from tests.committee.network import CommitteeNetwork


@pytest.fixture(scope="module")
def net():
    net = CommitteeNetwork()
    net.settle()
    return net


def test_too_many_new_starts_forget_what_was_bound_before(net):
    bound = Height(net.height + 1)
    net.height += 1
    for seat, forgotten in ((1, False), (2, True)):
        net.restart(seat)
        snapshot = CommitteeSnapshot.of(net.ledger, Height(net.height))
        assert snapshot.forgotten(bound, 3) is forgotten
    # Fewer are enough for what fewer can answer.
    assert not snapshot.forgotten(bound, 2)
    assert not snapshot.forgotten(Height(net.height + 1), 4)


def test_it_says_who_keeps_the_keys(net):
    snapshot = CommitteeSnapshot.of(net.ledger, Height(9))
    assert snapshot.height == 9
    assert snapshot.committee == net.ledger.state.committee
