"""Who may sign the next block, and when founders sign their record: read from a state."""

import pytest

from keymoot.moot.errors import NotReady
from keymoot.moot.keygen import Phase
from keymoot.moot.message import Kind
from keymoot.moot.roots import CERTIFICATE
from keymoot.moot.signers import founding_due, sessions, settled, signer_of
from tests.moot.members import ready
from tests.moot.town import Town


def test_each_seat_has_one_session():
    town = ready()
    assert sessions(town.ledger) == {at: one.boot.public for at, one in town.parties.items()}
    before = town.parties[2].boot.public
    assert signer_of(town.ledger, 2) == before
    town.restart(2)
    assert signer_of(town.ledger, 2) == town.parties[2].boot.public != before
    assert signer_of(town.ledger, 9) is None
    town.say(town.recovery({1, 3, 4}))
    assert signer_of(town.ledger, 2) is None
    assert sessions(town.ledger).keys() == {1, 3, 4}


def test_newcomers_sign_once_they_are_members():
    town = ready()
    town.arrive(5)
    town.admit(5)
    town.settle()
    assert 5 in town.ledger.turning.admitting.page.joining
    assert signer_of(town.ledger, 5) is None
    town.turn()
    town.settle()
    assert signer_of(town.ledger, 5) == town.parties[5].boot.public


def test_the_root_of_certificates_is_the_living_epochs():
    town = Town()
    with pytest.raises(NotReady):
        town.ledger.hall.root(CERTIFICATE)
    town.settle()
    before = town.ledger.hall.root(CERTIFICATE)
    assert before == town.ledger.hall.root(CERTIFICATE)
    town.turn()
    town.settle()
    after = town.ledger.hall.root(CERTIFICATE)
    assert after.group.equal(after.public, before.public)
    assert not after.group.equal(after.share_of(1), before.share_of(1))


class TestTheFoundingRecordIsDue:
    def test_in_the_block_in_which_the_last_founder_holds_the_state_key(self):
        town = Town()
        due = []
        while not due or not due[-1]:
            said = town.duties()
            assert said, "it never is"
            for message in said:
                town.say(message)
                due.append(founding_due(town.ledger))
                if due[-1]:
                    break
        assert due.count(True) == 1
        assert town.log[-1].kind is Kind.STATE_HELD
        assert town.ledger.founding.keygen.phase is Phase.DONE

    @pytest.mark.parametrize("silent", [1, 2, 3, 4])
    def test_not_while_one_founder_lacks_it(self, silent):
        town = Town()
        town.spoil = lambda party, kind, body: (
            None if party == silent and kind is Kind.STATE_HELD else body
        )
        town.settle()
        assert len(town.ledger.handout.standing.holders) == 3
        assert not founding_due(town.ledger)
        assert not town.ledger.handout.standing.exists

    def test_not_after_a_recovery_nor_in_a_later_epoch(self):
        town = ready()
        assert founding_due(town.ledger)
        town.turn()
        town.settle()
        assert not founding_due(town.ledger)
        town = ready()
        town.say(town.recovery({1, 2, 3, 4}))
        town.settle()
        assert town.ledger.handout.standing.holders == {1, 2, 3, 4}
        assert not founding_due(town.ledger)


def test_settled_until_a_switch_that_not_all_hold():
    town = ready()
    assert settled(town.ledger)
    town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 1 else body
    town.turn()
    town.settle()
    town.pass_time(24)
    assert town.ledger.turning.epoch.number == 1
    assert not settled(town.ledger)
    town.parties[1]._done.clear()
    town.spoil = lambda party, kind, body: body
    town.settle()
    assert settled(town.ledger)
