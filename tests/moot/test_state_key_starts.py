"""The state key when seats start anew, or an epoch or a generation begins in the middle."""

from itertools import combinations

import pytest

from keymoot.base.secret import Secret
from keymoot.moot.message import Kind
from keymoot.moot.statekey import read_answer, read_ask, state_secret
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.moot.asking import (
    before_asks,
    founded,
    one_time_key,
    said,
    secret_by_algebra,
    secrets,
    standing,
    step,
    turn,
    until,
)


class TestOneTimeKeys:
    def test_none_serves_twice_and_no_mask_does(self):
        town = before_asks()
        step(town)
        town.restart(1)
        town.settle()
        turn(town, (1, 2, 3))
        town.keeps.pop(3)
        town.restart(3)
        town.settle()
        keys = [read_ask(one.body)[2].first for one in said(town, Kind.STATE_ASK)]
        masks = [
            read_answer(one.body)[3].nonce for one in town.log if one.kind is Kind.STATE_ANSWER
        ]
        assert len(keys) == len(set(keys)) == 6
        assert len(masks) == len(set(masks)) > 16

    def test_the_pairs_give_nothing_without_the_one_time_secret(self):
        """Ciphers alone, and under another asker's secret, interpolate to other points."""
        town = founded()
        answers = [read_answer(one.body) + (one.seat,) for one in said(town, Kind.STATE_ANSWER)]
        mine = {seat: one for _, asker, _, one, seat in answers if asker == 1}
        secret, _ = one_time_key()
        for seats in combinations(mine, 3):
            for points in (
                {at: G1.decode(mine[at].cipher) for at in seats},
                {
                    at: G1.add(
                        G1.decode(mine[at].cipher),
                        G1.negate(G1.multiply(secret, G1.decode(mine[at].nonce))),
                    )
                    for at in seats
                },
            ):
                guess = state_secret(Secret(G1.encode(interpolate_points(G1, points))))
                assert guess.expose() != secret_by_algebra(town)


class TestInTheMiddle:
    def everyone_has_it(self, town):
        town.settle()
        assert town.keeps.keys() == town.parties.keys()
        assert set(secrets(town).values()) == {secret_by_algebra(town)}
        assert standing(town).holders == frozenset(town.parties)
        assert town.ledger.handout.asks() == {}
        assert not town.ledger.hall.head.cheats

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_a_seat_starts_anew(self, kind):
        town = before_asks()
        due = until(town, kind)
        town.restart(2)
        town.say(*due)
        self.everyone_has_it(town)

    def test_a_seat_starts_anew_between_the_answers_to_it(self):
        town = before_asks()
        due = until(town, Kind.STATE_ANSWER)
        town.say(*due[:9])
        town.restart(2)
        assert town.ledger.handout.ask(2) is None
        town.say(*due[9:])
        self.everyone_has_it(town)

    def test_an_epoch_begins_between_ask_and_answers(self):
        town = before_asks()
        step(town)
        # What answers is on its way, and a few are there.
        late = until(town, Kind.STATE_ANSWER)
        town.say(*[one for one in late if one.kind is Kind.STATE_ANSWER][:5])
        town.spoil = lambda _, kind, body: None if kind is Kind.STATE_ANSWER else body
        turn(town, (1, 2, 3))
        town.say(*late)
        assert all(not ask.answers for ask in town.ledger.handout.asks().values())
        town.spoil = lambda party, kind, body: body
        for party in town.parties.values():
            party._done = {name: None for name in party._done if not name.endswith("/answer")}
        self.everyone_has_it(town)

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_a_generation_begins(self, kind):
        town = before_asks()
        due = until(town, kind)
        town.say(town.recovery({1, 2, 3, 4}))
        assert town.ledger.handout.asks() == {}
        town.say(*due)
        self.everyone_has_it(town)

    def test_a_seat_asks_after_an_epoch_whose_shares_are_others(self):
        town = founded()
        before = secret_by_algebra(town)
        turn(town, (1, 2, 3))
        town.keeps.pop(4)
        town.restart(4)
        self.everyone_has_it(town)
        assert secrets(town)[4] == before


class TestAfterwards:
    def test_a_seat_that_has_it_never_asks_again(self):
        town = founded()
        asks = len(said(town, Kind.STATE_ASK))
        for at in town.parties:
            town.restart(at)
        town.settle()
        turn(town, (1, 2, 3))
        town.say(town.recovery({1, 2, 3, 4}))
        town.settle()
        assert len(said(town, Kind.STATE_ASK)) == asks
        # A generation asks all once more whether they have it, and nothing else does.
        assert len(said(town, Kind.STATE_HELD)) == 2 * len(town.parties)
        assert standing(town).holders == set(town.parties)

    def test_a_keep_without_it_asks_and_gets_the_same(self):
        town = founded()
        before = secrets(town)
        town.keeps.pop(2)
        town.restart(2)
        due = until(town, Kind.STATE_ASK, 2)
        town.say(*due)
        # It has it no more, but what exists stays in existence.
        assert standing(town).holders == {1, 3, 4}
        assert standing(town).exists
        town.settle()
        assert secrets(town) == before
        assert standing(town).holders == {1, 2, 3, 4}

    def test_all_of_them_together(self):
        town = founded()
        before = secrets(town)
        town.keeps.clear()
        town.say(town.recovery({1, 2, 3, 4}))
        town.settle()
        assert secrets(town) == before
        assert standing(town).exists

    def test_what_is_on_the_pages_is_named(self):
        town = before_asks()
        town.say(*until(town, Kind.STATE_ANSWER))
        names = set(town.ledger.names())
        assert {name for name, _ in town.pages} <= names
        assert {"state", "state/ask/2"} <= names
