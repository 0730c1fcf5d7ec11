"""Who may sign the next block, and when founders sign their record: read from a state."""

import pytest

from keymoot.committee.errors import NotReady
from keymoot.committee.keygen.record import Phase
from keymoot.committee.messages import Kind
from keymoot.committee.roots import CERTIFICATE
from keymoot.committee.signers import founding_due, sessions, settled, signer_of
from tests.committee.members import ready
from tests.committee.network import CommitteeNetwork


def test_each_seat_has_one_session():
    net = ready()
    assert sessions(net.ledger) == {at: one.session.public for at, one in net.participants.items()}
    before = net.participants[2].session.public
    assert signer_of(net.ledger, 2) == before
    net.restart(2)
    assert signer_of(net.ledger, 2) == net.participants[2].session.public != before
    assert signer_of(net.ledger, 9) is None
    net.send(net.recovery({1, 3, 4}))
    assert signer_of(net.ledger, 2) is None
    assert sessions(net.ledger).keys() == {1, 3, 4}


def test_newcomers_sign_once_they_are_members():
    net = ready()
    net.arrive(5)
    net.admit(5)
    net.settle()
    assert 5 in net.ledger.epochs.membership.page.joining
    assert signer_of(net.ledger, 5) is None
    net.turn()
    net.settle()
    assert signer_of(net.ledger, 5) == net.participants[5].session.public


def test_the_root_of_certificates_is_the_living_epochs():
    net = CommitteeNetwork()
    with pytest.raises(NotReady):
        net.ledger.state.root(CERTIFICATE)
    net.settle()
    before = net.ledger.state.root(CERTIFICATE)
    assert before == net.ledger.state.root(CERTIFICATE)
    net.turn()
    net.settle()
    after = net.ledger.state.root(CERTIFICATE)
    assert after.group.equal(after.public, before.public)
    assert not after.group.equal(after.share_of(1), before.share_of(1))


class TestTheFoundingRecordIsDue:
    def test_in_the_block_in_which_the_last_founder_holds_the_state_key(self):
        net = CommitteeNetwork()
        due = []
        while not due or not due[-1]:
            said = net.tasks()
            assert said, "it never is"
            for message in said:
                net.send(message)
                due.append(founding_due(net.ledger))
                if due[-1]:
                    break
        assert due.count(True) == 1
        assert net.log[-1].kind is Kind.STATE_HELD
        assert net.ledger.keygen.record.phase is Phase.DONE

    @pytest.mark.parametrize("silent", [1, 2, 3, 4])
    def test_not_while_one_founder_lacks_it(self, silent):
        net = CommitteeNetwork()
        net.spoil = lambda participant, kind, body: (
            None if participant == silent and kind is Kind.STATE_HELD else body
        )
        net.settle()
        assert len(net.ledger.state_key.status.holders) == 3
        assert not founding_due(net.ledger)
        assert not net.ledger.state_key.status.exists

    def test_not_after_a_recovery_nor_in_a_later_epoch(self):
        net = ready()
        assert founding_due(net.ledger)
        net.turn()
        net.settle()
        assert not founding_due(net.ledger)
        net = ready()
        net.send(net.recovery({1, 2, 3, 4}))
        net.settle()
        assert net.ledger.state_key.status.holders == {1, 2, 3, 4}
        assert not founding_due(net.ledger)


def test_settled_until_a_switch_that_not_all_hold():
    net = ready()
    assert settled(net.ledger)
    net.spoil = lambda participant, kind, body: (
        None if kind is Kind.HELD and participant == 1 else body
    )
    net.turn()
    net.settle()
    net.pass_time(24)
    assert net.ledger.epochs.current.number == 1
    assert not settled(net.ledger)
    net.participants[1]._done.clear()
    net.spoil = lambda participant, kind, body: body
    net.settle()
    assert settled(net.ledger)
