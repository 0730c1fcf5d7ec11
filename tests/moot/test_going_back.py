"""A recovery before all members hold the living shares: back to those that all held."""

from copy import copy
from dataclasses import replace

import pytest

from keymoot.base import rlp
from keymoot.crypto import ed25519
from keymoot.moot.assembly import Assembly
from keymoot.moot.epoch import Stage
from keymoot.moot.message import Kind
from keymoot.moot.pages import MemoryPages
from keymoot.moot.roots import ROOTS
from keymoot.moot.signers import settled
from keymoot.moot.turn import read_turn, write_turn
from tests.moot.members import publics, ready, secret_of
from tests.moot.town import NETWORK, Town


@pytest.fixture
def town():
    return ready()


def copied(town):
    """The same town, whose pages change on their own; its parties are to say nothing."""
    other = copy(town)
    other.pages = MemoryPages(dict(town.pages))
    other.ledger = Assembly(other.pages, NETWORK)
    other.views = {at: Assembly(MemoryPages(dict(town.pages)), NETWORK) for at in town.views}
    other.parties, other.refused, other.log = dict(town.parties), [], []
    return other


def unsettled(town, absent=(3,)):
    """An epoch later, while some have not said that they hold their shares."""
    absent = set(absent)
    town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party in absent else body
    town.turn()
    town.settle()
    town.pass_time(24)
    assert town.ledger.turning.epoch.number == 1
    assert not settled(town.ledger)
    return town


def check_roots(town, before, honest, silent):
    """The keys are the same, and those who are honest can sign without the silent one."""
    assert publics(town) == before
    for kind in ROOTS:
        root = town.ledger.hall.root(kind.name)
        shares = {at: town.parties[at].shares[kind.name] for at in honest if at != silent}
        chosen = {at: shares[at] for at in sorted(shares)[: root.degree + 1]}
        assert len(chosen) == root.degree + 1
        assert kind.group.equal(kind.group.base(secret_of(chosen, kind)), root.public)


class TestBackToTheEpochBefore:
    def test_while_one_does_not_hold_new_shares(self, town):
        names = [name for name in dict(town.pages) if name[:5] == "root/"] + ["roots/voted"]
        roots = {name: town.pages.get(name) for name in names}
        keys, before = (
            publics(town),
            {at: one.sealing for at, one in town.ledger.hall.seats().items()},
        )
        unsettled(town)
        assert {name: town.pages.get(name) for name in roots} != roots
        town.say(town.recovery({1, 2, 3, 4}))
        epoch = town.ledger.turning.epoch
        assert (epoch.number, epoch.stage, epoch.attempt) == (0, Stage.LIVING, 1)
        assert {name: town.pages.get(name) for name in roots} == roots
        seats = town.ledger.hall.seats()
        assert {at: one.sealing for at, one in seats.items()} == before
        assert not any(one.next for one in seats.values())
        assert settled(town.ledger)
        town.spoil = lambda party, kind, body: body
        town.settle()
        check_roots(town, keys, {1, 2, 3, 4}, silent=4)
        assert town.ledger.stock.left()
        # next keys are posted anew, and the next attempt succeeds with all
        assert all(seat.next for seat in town.ledger.hall.seats().values())
        town.turn()
        town.settle()
        assert town.ledger.turning.epoch.number == 1
        assert settled(town.ledger)
        check_roots(town, keys, {1, 2, 3, 4}, silent=4)

    def test_not_once_all_hold(self, town):
        unsettled(town)
        town.spoil = lambda party, kind, body: body
        town.parties[3]._done.clear()
        town.settle()
        assert settled(town.ledger)
        town.say(town.recovery({1, 2, 3, 4}))
        assert town.ledger.turning.epoch.number == 1

    def test_a_dealer_who_lies_late_and_falls_silent_stops_nobody(self):
        """Seat 3 was away while seat 4's box for it was bad; then seat 4 says nothing more."""
        town = ready()
        keys = publics(town)

        def spoil(party, kind, body):
            if party == 3:
                return None
            if party == 4 and kind is Kind.RESHARE:
                number, attempt, content = read_turn(body)
                item = rlp.decode(content)
                boxes = item[0][1][-1]
                boxes[2] = boxes[2][:-1] + bytes([boxes[2][-1] ^ 1])
                return write_turn(number, attempt, rlp.encode(item))
            return body

        town.spoil = spoil
        town.turn()
        town.settle()
        town.pass_time(24)
        town.pass_time(24)
        town.spoil = lambda party, kind, body: body
        assert town.ledger.turning.epoch.number == 1
        town.silent = {4}
        for at in (1, 2, 3):
            town.parties[at] = town.party(at, town.parties[at].keys)
        # of the new shares only two are left
        town.say(town.recovery({1, 2, 3}, anew=set()))
        town.settle()
        assert town.ledger.turning.epoch.number == 0
        check_roots(town, keys, {1, 2, 3}, silent=4)

    def test_nothing_of_the_failed_epoch_serves_again(self, town):
        unsettled(town)
        said = [one for one in town.log if one.kind in (Kind.RESHARE, Kind.HELD, Kind.EPOCH_KEY)]
        stale = list(said)
        town.say(town.recovery({1, 2, 3, 4}))
        generation = town.ledger.hall.head.generation
        dealings = [
            name for name, _ in town.pages if name.startswith(("dealing/", "next/", "before"))
        ]
        assert dealings == []
        # said again as it was, and signed anew for this generation
        for one in stale:
            assert town.refusal(one) == "WrongGeneration"
            again = replace(one, generation=generation)
            again = again.signed(town.parties[one.seat].boot.signing)
            if one.kind is not Kind.EPOCH_KEY:
                assert town.refusal(again) == "Unwanted"
        # an attempt of the failed one's name is none
        body = write_turn(1, 0, b"x" * 32)
        assert town.refusal(town.message(1, Kind.HELD, body)) == "Unwanted"

    @pytest.mark.parametrize("kept", [Kind.RESHARE_VERDICT, Kind.HELD])
    def test_an_attempt_beyond_the_failed_epoch_goes_with_it(self, town, kept):
        """What was dealt for the epoch after it would else be there when that one is dealt for."""
        unsettled(town)
        town.pass_time(24)
        town.spoil = lambda party, kind, body: None if kind is kept else body
        town.turn()
        town.settle()
        left = ("dealing/", "next/")
        assert [name for name, _ in town.pages if name.startswith("dealing/2/")]
        assert kept is Kind.RESHARE_VERDICT or town.pages.get("next/digest")
        town.say(town.recovery({1, 2, 3, 4}, anew=set()))
        assert town.ledger.turning.epoch.number == 0
        assert not [name for name, _ in town.pages if name.startswith(left)]

    def test_who_was_about_to_come_is_voted_for_again(self, town):
        """It was to sit in the epoch after the failed one, with keys that were posted for that."""
        unsettled(town)
        town.arrive(5)
        town.admit(5)
        town.settle()
        assert set(town.ledger.turning.admitting.page.joining) == {5}
        town.say(town.recovery({1, 2, 3, 4}, anew=set()))
        assert town.ledger.turning.epoch.number == 0
        assert not town.ledger.turning.admitting.page.joining
        assert not town.ledger.turning.admitting.page.invited

    def test_members_who_left_come_back_and_newcomers_go(self):
        town = ready()
        keys = publics(town)
        identity = town.identities[4]
        town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 5 else body
        town.change(joining=[5], leaving=[4])
        for _ in range(3):
            town.pass_time(24)
        ledger = town.ledger
        assert ledger.hall.head.members == (1, 2, 3, 5)
        assert not settled(ledger)
        town.say(town.recovery({1, 2, 3}, anew={1, 2, 3}))
        assert ledger.hall.head.members == (1, 2, 3, 4)
        assert ledger.turning.epoch.number == 0
        assert ledger.hall.seat(4).identity == ed25519.public_key(identity)
        assert ledger.hall.seat(4).boot is None
        town.restart(4)
        town.settle()
        check_roots(town, keys, {1, 2, 3, 4}, silent=1)
        # the newcomer may be voted for again
        town.spoil = lambda party, kind, body: body
        town.admit(5)
        town.part(4)
        town.settle()
        town.turn()
        town.settle()
        assert ledger.hall.head.members == (1, 2, 3, 5)
        assert settled(ledger)

    def test_members_before_order_it_where_too_many_changed(self):
        town = Town(6)
        town.settle()
        keys = publics(town)
        town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 7 else body
        town.change(joining=[7, 8, 9], leaving=[4, 5, 6])
        for _ in range(3):
            town.pass_time(24)
        assert town.ledger.hall.head.members == (1, 2, 3, 7, 8, 9)
        assert not settled(town.ledger)
        # five of the present members have no shares of the epoch before: they stay in this one
        ahead = copied(town)
        ahead.say(ahead.recovery({1, 2, 3, 8, 9}, anew=set()))
        assert ahead.ledger.hall.head.members == (1, 2, 3, 7, 8, 9)
        assert ahead.ledger.turning.epoch.number == 1
        # five of those before go back
        town.say(town.recovery({1, 2, 3, 4, 5}, anew=set()))
        assert town.ledger.hall.head.recoveries == 1
        assert town.ledger.hall.head.members == (1, 2, 3, 4, 5, 6)
        town.settle()
        check_roots(town, keys, {1, 2, 3, 4, 5}, silent=6)

    def test_who_left_orders_nothing_once_all_hold(self):
        town = Town(6)
        town.settle()
        town.change(joining=[7, 8, 9], leaving=[4, 5, 6])
        assert settled(town.ledger)
        said = town.recovery({1, 2, 3, 4, 5}, anew=set())
        assert town.refusal(said) == "NotSeated"

    def test_over_more_than_one_switch_to_the_last_epoch_that_all_held(self, town):
        """One stays away for two epochs, and a dealer may have lied to it in both."""
        keys = publics(town)
        unsettled(town)
        town.pass_time(24)
        town.turn()
        town.settle()
        town.pass_time(24)
        assert town.ledger.turning.epoch.number == 2
        assert town.ledger.turning.before.page.epoch.number == 0
        # nothing is left to compute a share of the epoch between from
        assert not [name for name, _ in town.pages if name.startswith("dealing/1/")]
        town.say(town.recovery({1, 2, 3, 4}))
        assert town.ledger.turning.epoch.number == 0
        town.spoil = lambda party, kind, body: body
        town.settle()
        check_roots(town, keys, {1, 2, 3, 4}, silent=4)
        for number in (1, 2):
            town.turn()
            town.settle()
            assert town.ledger.turning.epoch.number == number
        assert settled(town.ledger)
        assert not [name for name, _ in town.pages if name.startswith(("opening/", "before"))]
        check_roots(town, keys, {1, 2, 3, 4}, silent=4)

    def test_who_holds_is_counted_anew_at_each_switch(self, town):
        """Shares of the epoch between are worth nothing, whoever held them."""
        unsettled(town, absent=(3,))
        town.pass_time(24)
        assert town.ledger.turning.before.page.holders == {1, 2, 4}
        town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 1 else body
        town.turn()
        town.settle()
        town.pass_time(24)
        assert town.ledger.turning.epoch.number == 2
        assert town.ledger.turning.before.page.holders == {2, 3, 4}
        assert not settled(town.ledger)

    def test_who_stays_away_is_voted_out_and_nothing_is_kept_for_it(self, town):
        unsettled(town)
        town.silent = {3}
        town.change(joining=[5])
        for _ in range(3):
            town.pass_time(24)
        assert town.ledger.hall.head.members == (1, 2, 3, 4, 5)
        town.part(3, voters=[1, 2, 4, 5])
        town.pass_time(24)
        town.turn()
        for _ in range(3):
            town.settle()
            town.pass_time(24)
        assert town.ledger.hall.head.members == (1, 2, 4, 5)
        assert settled(town.ledger)

    def test_no_epoch_begins_in_the_block_of_a_recovery(self, town):
        """Who signs that block is known from its order alone, so nothing of it may change."""
        from keymoot.moot.turning import Turning

        counted = []
        real = Turning.count
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(Turning, "count", lambda *one: counted.append(one[1]) or real(*one))
            town.say(town.recovery({1, 2, 3, 4}, anew=set()), town.message(1, Kind.TICK, b""))
            assert town.height not in counted
            town.say(town.message(1, Kind.TICK, b""))
            assert town.height in counted

    def test_one_message_says_it_whenever_it_arrives(self, town):
        """The same bytes come into one block only, so what was refused could not be said again."""
        late = []
        town.spoil = lambda party, kind, body: (
            late.append(body) if kind is Kind.HELD and party == 1 else body
        )
        town.turn()
        town.settle()
        while town.ledger.turning.epoch.number == 0:
            town.pass_time(12)
        assert not settled(town.ledger)
        said = town.message(1, Kind.HELD, late[0])
        assert town.refusal(said) == ""
        assert town.refusal(said) == "Unwanted"
        assert settled(town.ledger)

    def test_a_number_given_anew_is_not_the_one_who_had_it(self):
        """Its new start has no shares of the epoch before, and is not seated for who has."""
        town = ready()
        before = town.ledger.hall.seat(2).identity
        town.spoil = lambda party, kind, body: None if kind is Kind.HELD and party == 3 else body
        for joining, leaving in ((5, 2), (2, 5)):
            town.arrive(joining)
            town.admit(joining)
            town.settle()
            town.part(leaving)
            town.settle()
            town.turn()
            for _ in range(3):
                town.settle()
                town.pass_time(24)
        assert town.ledger.hall.head.members == (1, 2, 3, 4)
        assert town.ledger.turning.before.page.epoch.number == 0
        assert town.ledger.hall.seat(2).identity != before
        ahead = copied(town)
        ahead.say(ahead.recovery({1, 2, 3}, anew=set()))
        # with the new one only two of those before are named: it does not go back
        assert ahead.ledger.turning.epoch.number == 2
        town.say(town.recovery({1, 2, 3, 4}, anew=set()))
        assert town.ledger.turning.epoch.number == 0
        assert town.ledger.hall.seat(2).identity == before
        assert town.ledger.hall.seat(2).boot is None

    def test_who_has_just_started_has_old_shares_for_its_block(self, town):
        """All start anew while it may go back: the shares come from pages and sealed keys."""
        unsettled(town)
        for at in town.parties:
            town.parties[at] = town.party(at, town.parties[at].keys)
            town.views[at] = town.views[at]
        town.spoil = lambda party, kind, body: body
        town.settle()
        said = town.recovery({1, 2, 3, 4}, anew=set())
        town.say(said)
        assert town.ledger.turning.epoch.number == 0
        for at, party in town.parties.items():
            shares = party.shares_in(town.ledger)
            for kind in ROOTS:
                root = town.ledger.hall.root(kind.name)
                share = shares[kind.name]
                assert kind.group.equal(kind.group.base(share.secret), root.share_of(at))
