"""Who signs next when signers are silent or lie: a signature always comes."""

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.threshold.committee import Committee
from keymoot.threshold.roast import Roast
from tests.examples import examples


def test_the_first_list_is_named_when_enough_are_there():
    roast = Roast(3)
    assert roast.join([4, 1]) is None
    assert roast.join([2]) == (1, 2, 4)
    assert roast.join([3]) is None


def test_a_silent_signer_is_replaced_by_those_who_answered():
    roast = Roast(3)
    roast.join([1, 2, 3, 4])
    assert roast.lists == [(1, 2, 3)]
    assert roast.answered(0, 1) is None
    assert roast.answered(0, 2) == (1, 2, 4)
    for party in (1, 2, 4):
        assert roast.answered(1, party) is None
    assert roast.complete(1)
    assert not roast.complete(0)


def test_an_answer_twice_or_from_outside_changes_nothing():
    roast = Roast(3)
    roast.join([1, 2, 3, 4])
    roast.answered(0, 1)
    assert roast.answered(0, 1) is None
    assert roast.answered(0, 4) is None
    assert roast.lists == [(1, 2, 3)]


def test_a_liar_is_never_named_again():
    roast = Roast(3)
    roast.join([1, 2, 3, 4])
    roast.lied(1)
    assert roast.join([1]) is None
    assert roast.answered(0, 1) is None
    assert roast.answered(0, 2) is None
    assert roast.answered(0, 3) == (2, 3, 4)


@pytest.mark.parametrize("size", [4, 7, 13])
@settings(max_examples=examples(60))
@given(data=st.data())
def test_any_f_bad_parties_never_stop_it(size, data):
    committee = Committee.of(size)
    bad = data.draw(st.sets(st.sampled_from(list(committee.indices)), max_size=committee.faults))
    lying = data.draw(st.sets(st.sampled_from(sorted(bad)), max_size=len(bad))) if bad else set()
    roast = Roast(committee.degree + 1)
    order = data.draw(st.permutations(list(committee.indices)))
    roast.join(order)
    done = False
    for place in itertools.count():
        if place >= len(roast.lists) or done:
            break
        for party in data.draw(st.permutations(roast.lists[place])):
            if party in lying:
                roast.lied(party)
            elif party not in bad:
                roast.answered(place, party)
                done = done or roast.complete(place)
    assert done
    assert len(roast.lists) <= committee.faults + 1
