"""What is looked up of the assembly once a block."""

import pytest

from keymoot.base.units import Height
from keymoot.node.membership.roster import Lineup
from tests.moot.town import Town


@pytest.fixture(scope="module")
def town():
    town = Town()
    town.settle()
    return town


def test_too_many_new_starts_forget_what_was_bound_before(town):
    bound = Height(town.height + 1)
    town.height += 1
    for seat, forgotten in ((1, False), (2, True)):
        town.restart(seat)
        lineup = Lineup.of(town.ledger, Height(town.height))
        assert lineup.forgotten(bound, 3) is forgotten
    # Fewer are enough for what fewer can answer.
    assert not lineup.forgotten(bound, 2)
    assert not lineup.forgotten(Height(town.height + 1), 4)


def test_it_says_who_keeps_the_keys(town):
    lineup = Lineup.of(town.ledger, Height(9))
    assert lineup.height == 9
    assert lineup.committee == town.ledger.hall.committee
