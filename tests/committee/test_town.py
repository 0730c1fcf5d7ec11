"""The net that most tests begin with is founded once: each has a copy, and none sees another's."""

from tests.committee.network import CommitteeNetwork


def test_a_copy_is_the_network_that_was_founded_and_goes_its_own_way() -> None:
    founded, one, other = (
        CommitteeNetwork(seed=3),
        CommitteeNetwork.at_rest(seed=3),
        CommitteeNetwork.at_rest(seed=3),
    )
    founded.settle()
    before = dict(founded.pages)
    assert dict(one.pages) == dict(other.pages) == before
    one.change(leaving=[], joining=[5])
    assert 5 in one.ledger.state.record.members
    assert dict(one.pages) != before
    # Neither what it said, nor its dice, nor its participants are the other's.
    assert dict(other.pages) == dict(CommitteeNetwork.at_rest(seed=3).pages) == before
    assert 5 not in other.participants
    for net in (founded, other):
        net.change(leaving=[], joining=[5])
        assert dict(net.pages) == dict(one.pages)
