"""A recovery before all members hold the living shares: back to those that all held."""

from copy import copy
from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.messages import AttemptBody, Kind
from keymoot.committee.page_store import MemoryPages
from keymoot.committee.reshare.record import EpochStage
from keymoot.committee.roots import ROOTS
from keymoot.committee.signers import settled
from keymoot.crypto import ed25519
from tests.committee.bodies import fields_of
from tests.committee.members import publics, ready, secret_of
from tests.committee.network import NETWORK, CommitteeNetwork


@pytest.fixture
def net():
    return ready()


def copied(net):
    """The same net, whose pages change on their own; its participants are to say nothing."""
    other = copy(net)
    other.pages = MemoryPages(dict(net.pages))
    other.ledger = CommitteeMachine(other.pages, NETWORK)
    other.views = {at: CommitteeMachine(MemoryPages(dict(net.pages)), NETWORK) for at in net.views}
    other.participants, other.refused, other.log = dict(net.participants), [], []
    return other


def unsettled(net, absent=(3,)):
    """An epoch later, while some have not said that they hold their shares."""
    absent = set(absent)
    net.spoil = lambda participant, kind, body: (
        None if kind is Kind.HELD and participant in absent else body
    )
    net.turn()
    net.settle()
    net.pass_time(24)
    assert net.ledger.epochs.current.number == 1
    assert not settled(net.ledger)
    return net


def check_roots(net, before, honest, silent):
    """The keys are the same, and those who are honest can sign without the silent one."""
    assert publics(net) == before
    for kind in ROOTS:
        root = net.ledger.state.root(kind.name)
        shares = {at: net.participants[at].shares[kind.name] for at in honest if at != silent}
        chosen = {at: shares[at] for at in sorted(shares)[: root.degree + 1]}
        assert len(chosen) == root.degree + 1
        assert kind.group.equal(kind.group.base(secret_of(chosen, kind)), root.public)


class TestBackToTheEpochBefore:
    def test_while_one_does_not_hold_new_shares(self, net):
        names = [name for name in dict(net.pages) if name[:5] == "root/"] + ["roots/voted"]
        roots = {name: net.pages.get(name) for name in names}
        keys, before = (
            publics(net),
            {at: one.sealing for at, one in net.ledger.state.seats().items()},
        )
        unsettled(net)
        assert {name: net.pages.get(name) for name in roots} != roots
        net.send(net.recovery({1, 2, 3, 4}))
        epoch = net.ledger.epochs.current
        assert (epoch.number, epoch.stage, epoch.attempt) == (0, EpochStage.LIVING, 1)
        assert {name: net.pages.get(name) for name in roots} == roots
        seats = net.ledger.state.seats()
        assert {at: one.sealing for at, one in seats.items()} == before
        assert not any(one.next for one in seats.values())
        assert settled(net.ledger)
        net.spoil = lambda participant, kind, body: body
        net.settle()
        check_roots(net, keys, {1, 2, 3, 4}, silent=4)
        assert net.ledger.stock.left()
        # next keys are posted anew, and the next attempt succeeds with all
        assert all(seat.next for seat in net.ledger.state.seats().values())
        net.turn()
        net.settle()
        assert net.ledger.epochs.current.number == 1
        assert settled(net.ledger)
        check_roots(net, keys, {1, 2, 3, 4}, silent=4)

    def test_not_once_all_hold(self, net):
        unsettled(net)
        net.spoil = lambda participant, kind, body: body
        net.participants[3]._done.clear()
        net.settle()
        assert settled(net.ledger)
        net.send(net.recovery({1, 2, 3, 4}))
        assert net.ledger.epochs.current.number == 1

    def test_a_dealer_who_lies_late_and_falls_silent_stops_nobody(self):
        """Seat 3 was away while seat 4's box for it was bad; then seat 4 says nothing more."""
        net = ready()
        keys = publics(net)

        def spoil(participant, kind, body):
            if participant == 3:
                return None
            if participant == 4 and kind is Kind.RESHARE:
                number, attempt, content = fields_of(AttemptBody.decode(body))
                item = rlp.decode(content)
                boxes = item[0][1][-1]
                boxes[2] = boxes[2][:-1] + bytes([boxes[2][-1] ^ 1])
                return AttemptBody(number, attempt, rlp.encode(item)).encode()
            return body

        net.spoil = spoil
        net.turn()
        net.settle()
        net.pass_time(24)
        net.pass_time(24)
        net.spoil = lambda participant, kind, body: body
        assert net.ledger.epochs.current.number == 1
        net.silent = {4}
        for at in (1, 2, 3):
            net.participants[at] = net.participant(at, net.participants[at].keys)
        # of the new shares only two are left
        net.send(net.recovery({1, 2, 3}, anew=set()))
        net.settle()
        assert net.ledger.epochs.current.number == 0
        check_roots(net, keys, {1, 2, 3}, silent=4)

    def test_nothing_of_the_failed_epoch_serves_again(self, net):
        unsettled(net)
        said = [one for one in net.log if one.kind in (Kind.RESHARE, Kind.HELD, Kind.EPOCH_KEY)]
        stale = list(said)
        net.send(net.recovery({1, 2, 3, 4}))
        generation = net.ledger.state.record.generation
        dealings = [
            name for name, _ in net.pages if name.startswith(("dealing/", "next/", "before"))
        ]
        assert dealings == []
        # said again as it was, and signed anew for this generation
        for one in stale:
            assert net.refusal(one) == "WrongGeneration"
            again = replace(one, generation=generation)
            again = again.signed(net.participants[one.seat].session.signing)
            if one.kind is not Kind.EPOCH_KEY:
                assert net.refusal(again) == "Unwanted"
        # an attempt of the failed one's name is none
        body = AttemptBody(1, 0, b"x" * 32).encode()
        assert net.refusal(net.message(1, Kind.HELD, body)) == "Unwanted"

    @pytest.mark.parametrize("kept", [Kind.RESHARE_VERDICT, Kind.HELD])
    def test_an_attempt_beyond_the_failed_epoch_goes_with_it(self, net, kept):
        """What was dealt for the epoch after it would else be there when that one is dealt for."""
        unsettled(net)
        net.pass_time(24)
        net.spoil = lambda participant, kind, body: None if kind is kept else body
        net.turn()
        net.settle()
        left = ("dealing/", "next/")
        assert [name for name, _ in net.pages if name.startswith("dealing/2/")]
        assert kept is Kind.RESHARE_VERDICT or net.pages.get("next/digest")
        net.send(net.recovery({1, 2, 3, 4}, anew=set()))
        assert net.ledger.epochs.current.number == 0
        assert not [name for name, _ in net.pages if name.startswith(left)]

    def test_who_was_about_to_come_is_voted_for_again(self, net):
        """It was to sit in the epoch after the failed one, with keys that were posted for that."""
        unsettled(net)
        net.arrive(5)
        net.admit(5)
        net.settle()
        assert set(net.ledger.epochs.membership.page.joining) == {5}
        net.send(net.recovery({1, 2, 3, 4}, anew=set()))
        assert net.ledger.epochs.current.number == 0
        assert not net.ledger.epochs.membership.page.joining
        assert not net.ledger.epochs.membership.page.invited

    def test_members_who_left_come_back_and_newcomers_go(self):
        net = ready()
        keys = publics(net)
        identity = net.identities[4]
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.HELD and participant == 5 else body
        )
        net.change(joining=[5], leaving=[4])
        for _ in range(3):
            net.pass_time(24)
        ledger = net.ledger
        assert ledger.state.record.members == (1, 2, 3, 5)
        assert not settled(ledger)
        net.send(net.recovery({1, 2, 3}, anew={1, 2, 3}))
        assert ledger.state.record.members == (1, 2, 3, 4)
        assert ledger.epochs.current.number == 0
        assert ledger.state.seat(4).identity == ed25519.public_key(identity)
        assert ledger.state.seat(4).session is None
        net.restart(4)
        net.settle()
        check_roots(net, keys, {1, 2, 3, 4}, silent=1)
        # the newcomer may be voted for again
        net.spoil = lambda participant, kind, body: body
        net.admit(5)
        net.part(4)
        net.settle()
        net.turn()
        net.settle()
        assert ledger.state.record.members == (1, 2, 3, 5)
        assert settled(ledger)

    def test_members_before_order_it_where_too_many_changed(self):
        net = CommitteeNetwork.at_rest(6)
        keys = publics(net)
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.HELD and participant == 7 else body
        )
        net.change(joining=[7, 8, 9], leaving=[4, 5, 6])
        for _ in range(3):
            net.pass_time(24)
        assert net.ledger.state.record.members == (1, 2, 3, 7, 8, 9)
        assert not settled(net.ledger)
        # five of the present members have no shares of the epoch before: they stay in this one
        ahead = copied(net)
        ahead.send(ahead.recovery({1, 2, 3, 8, 9}, anew=set()))
        assert ahead.ledger.state.record.members == (1, 2, 3, 7, 8, 9)
        assert ahead.ledger.epochs.current.number == 1
        # five of those before go back
        net.send(net.recovery({1, 2, 3, 4, 5}, anew=set()))
        assert net.ledger.state.record.recoveries == 1
        assert net.ledger.state.record.members == (1, 2, 3, 4, 5, 6)
        net.settle()
        check_roots(net, keys, {1, 2, 3, 4, 5}, silent=6)

    def test_who_left_orders_nothing_once_all_hold(self):
        net = CommitteeNetwork.at_rest(6)
        net.change(joining=[7, 8, 9], leaving=[4, 5, 6])
        assert settled(net.ledger)
        said = net.recovery({1, 2, 3, 4, 5}, anew=set())
        assert net.refusal(said) == "NotSeated"

    def test_over_more_than_one_switch_to_the_last_epoch_that_all_held(self, net):
        """One stays away for two epochs, and a dealer may have lied to it in both."""
        keys = publics(net)
        unsettled(net)
        net.pass_time(24)
        net.turn()
        net.settle()
        net.pass_time(24)
        assert net.ledger.epochs.current.number == 2
        assert net.ledger.epochs.previous.page.epoch.number == 0
        # nothing is left to compute a share of the epoch between from
        assert not [name for name, _ in net.pages if name.startswith("dealing/1/")]
        net.send(net.recovery({1, 2, 3, 4}))
        assert net.ledger.epochs.current.number == 0
        net.spoil = lambda participant, kind, body: body
        net.settle()
        check_roots(net, keys, {1, 2, 3, 4}, silent=4)
        for number in (1, 2):
            net.turn()
            net.settle()
            assert net.ledger.epochs.current.number == number
        assert settled(net.ledger)
        assert not [name for name, _ in net.pages if name.startswith(("opening/", "before"))]
        check_roots(net, keys, {1, 2, 3, 4}, silent=4)

    def test_who_holds_is_counted_anew_at_each_switch(self, net):
        """Shares of the epoch between are worth nothing, whoever held them."""
        unsettled(net, absent=(3,))
        net.pass_time(24)
        assert net.ledger.epochs.previous.page.holders == {1, 2, 4}
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.HELD and participant == 1 else body
        )
        net.turn()
        net.settle()
        net.pass_time(24)
        assert net.ledger.epochs.current.number == 2
        assert net.ledger.epochs.previous.page.holders == {2, 3, 4}
        assert not settled(net.ledger)

    def test_who_stays_away_is_voted_out_and_nothing_is_kept_for_it(self, net):
        unsettled(net)
        net.silent = {3}
        net.change(joining=[5])
        for _ in range(3):
            net.pass_time(24)
        assert net.ledger.state.record.members == (1, 2, 3, 4, 5)
        net.part(3, voters=[1, 2, 4, 5])
        net.pass_time(24)
        net.turn()
        for _ in range(3):
            net.settle()
            net.pass_time(24)
        assert net.ledger.state.record.members == (1, 2, 4, 5)
        assert settled(net.ledger)

    def test_no_epoch_begins_in_the_block_of_a_recovery(self, net):
        """Who signs that block is known from its order alone, so nothing of it may change."""
        from keymoot.committee.reshare.ledger import EpochTransitions

        moved = []
        real = EpochTransitions.move
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(EpochTransitions, "move", lambda *at: moved.append(at[1]) or real(*at))
            net.send(net.recovery({1, 2, 3, 4}, anew=set()), net.message(1, Kind.TICK, b""))
            assert net.height not in moved
            net.send(net.message(1, Kind.TICK, b""))
            assert net.height in moved

    def test_one_message_says_it_whenever_it_arrives(self, net):
        """The same bytes come into one block only, so what was refused could not be said again."""
        late = []
        net.spoil = lambda participant, kind, body: (
            late.append(body) if kind is Kind.HELD and participant == 1 else body
        )
        net.turn()
        net.settle()
        while net.ledger.epochs.current.number == 0:
            net.pass_time(12)
        assert not settled(net.ledger)
        said = net.message(1, Kind.HELD, late[0])
        assert net.refusal(said) == ""
        assert net.refusal(said) == "Unwanted"
        assert settled(net.ledger)

    def test_a_number_given_anew_is_not_the_one_who_had_it(self):
        """Its new start has no shares of the epoch before, and is not seated for who has."""
        net = ready()
        before = net.ledger.state.seat(2).identity
        net.spoil = lambda participant, kind, body: (
            None if kind is Kind.HELD and participant == 3 else body
        )
        for joining, leaving in ((5, 2), (2, 5)):
            net.arrive(joining)
            net.admit(joining)
            net.settle()
            net.part(leaving)
            net.settle()
            net.turn()
            for _ in range(3):
                net.settle()
                net.pass_time(24)
        assert net.ledger.state.record.members == (1, 2, 3, 4)
        assert net.ledger.epochs.previous.page.epoch.number == 0
        assert net.ledger.state.seat(2).identity != before
        ahead = copied(net)
        ahead.send(ahead.recovery({1, 2, 3}, anew=set()))
        # with the new one only two of those before are named: it does not go back
        assert ahead.ledger.epochs.current.number == 2
        net.send(net.recovery({1, 2, 3, 4}, anew=set()))
        assert net.ledger.epochs.current.number == 0
        assert net.ledger.state.seat(2).identity == before
        assert net.ledger.state.seat(2).session is None

    def test_who_has_just_started_has_old_shares_for_its_block(self, net):
        """All start anew while it may go back: the shares come from pages and sealed keys."""
        unsettled(net)
        for at in net.participants:
            net.participants[at] = net.participant(at, net.participants[at].keys)
            net.views[at] = net.views[at]
        net.spoil = lambda participant, kind, body: body
        net.settle()
        said = net.recovery({1, 2, 3, 4}, anew=set())
        net.send(said)
        assert net.ledger.epochs.current.number == 0
        for at, participant in net.participants.items():
            shares = participant.shares_in(net.ledger)
            for kind in ROOTS:
                root = net.ledger.state.root(kind.name)
                share = shares[kind.name]
                assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
