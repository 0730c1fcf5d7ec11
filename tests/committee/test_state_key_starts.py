"""The state key when seats start anew, or an epoch or a generation begins in the middle."""

from itertools import combinations

import pytest

from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind
from keymoot.committee.statekey.record import AnswerBody, AskBody, state_secret
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import interpolate_points
from tests.committee.asking import (
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
from tests.committee.bodies import fields_of


class TestOneTimeKeys:
    def test_none_serves_twice_and_no_mask_does(self):
        net = before_asks()
        step(net)
        net.restart(1)
        net.settle()
        turn(net, (1, 2, 3))
        net.keeps.pop(3)
        net.restart(3)
        net.settle()
        keys = [AskBody.decode(one.body).first for one in said(net, Kind.STATE_ASK)]
        masks = [
            AnswerBody.decode(one.body).answer.nonce
            for one in net.log
            if one.kind is Kind.STATE_ANSWER
        ]
        assert len(keys) == len(set(keys)) == 6
        assert len(masks) == len(set(masks)) > 16

    def test_the_pairs_give_nothing_without_the_one_time_secret(self):
        """Ciphers alone, and under another asker's secret, interpolate to other points."""
        net = founded()
        answers = [
            fields_of(AnswerBody.decode(one.body)) + (one.seat,)
            for one in said(net, Kind.STATE_ANSWER)
        ]
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
                assert guess.expose() != secret_by_algebra(net)


class TestInTheMiddle:
    def everyone_has_it(self, net):
        net.settle()
        assert net.keeps.keys() == net.participants.keys()
        assert set(secrets(net).values()) == {secret_by_algebra(net)}
        assert standing(net).holders == frozenset(net.participants)
        assert net.ledger.state_key.asks() == {}
        assert not net.ledger.state.record.cheats

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_a_seat_starts_anew(self, kind):
        net = before_asks()
        due = until(net, kind)
        net.restart(2)
        net.send(*due)
        self.everyone_has_it(net)

    def test_a_seat_starts_anew_between_the_answers_to_it(self):
        net = before_asks()
        due = until(net, Kind.STATE_ANSWER)
        net.send(*due[:9])
        net.restart(2)
        assert net.ledger.state_key.ask(2) is None
        net.send(*due[9:])
        self.everyone_has_it(net)

    def test_an_epoch_begins_between_ask_and_answers(self):
        net = before_asks()
        step(net)
        # What answers is on its way, and a few are there.
        late = until(net, Kind.STATE_ANSWER)
        net.send(*[one for one in late if one.kind is Kind.STATE_ANSWER][:5])
        net.spoil = lambda _, kind, body: None if kind is Kind.STATE_ANSWER else body
        turn(net, (1, 2, 3))
        net.send(*late)
        assert all(not ask.answers for ask in net.ledger.state_key.asks().values())
        net.spoil = lambda participant, kind, body: body
        for participant in net.participants.values():
            participant._done = {
                name: None for name in participant._done if not name.endswith("/answer")
            }
        self.everyone_has_it(net)

    @pytest.mark.parametrize("kind", [Kind.STATE_ASK, Kind.STATE_ANSWER, Kind.STATE_HELD])
    def test_a_generation_begins(self, kind):
        net = before_asks()
        due = until(net, kind)
        net.send(net.recovery({1, 2, 3, 4}))
        assert net.ledger.state_key.asks() == {}
        net.send(*due)
        self.everyone_has_it(net)

    def test_a_seat_asks_after_an_epoch_whose_shares_are_others(self):
        net = founded()
        before = secret_by_algebra(net)
        turn(net, (1, 2, 3))
        net.keeps.pop(4)
        net.restart(4)
        self.everyone_has_it(net)
        assert secrets(net)[4] == before


class TestAfterwards:
    def test_a_seat_that_has_it_never_asks_again(self):
        net = founded()
        asks = len(said(net, Kind.STATE_ASK))
        for at in net.participants:
            net.restart(at)
        net.settle()
        turn(net, (1, 2, 3))
        net.send(net.recovery({1, 2, 3, 4}))
        net.settle()
        assert len(said(net, Kind.STATE_ASK)) == asks
        # A generation asks all once more whether they have it, and nothing else does.
        assert len(said(net, Kind.STATE_HELD)) == 2 * len(net.participants)
        assert standing(net).holders == set(net.participants)

    def test_a_keep_without_it_asks_and_gets_the_same(self):
        net = founded()
        before = secrets(net)
        net.keeps.pop(2)
        net.restart(2)
        due = until(net, Kind.STATE_ASK, 2)
        net.send(*due)
        # It has it no more, but what exists stays in existence.
        assert standing(net).holders == {1, 3, 4}
        assert standing(net).exists
        net.settle()
        assert secrets(net) == before
        assert standing(net).holders == {1, 2, 3, 4}

    def test_all_of_them_together(self):
        net = founded()
        before = secrets(net)
        net.keeps.clear()
        net.send(net.recovery({1, 2, 3, 4}))
        net.settle()
        assert secrets(net) == before
        assert standing(net).exists

    def test_what_is_on_the_pages_is_named(self):
        net = before_asks()
        net.send(*until(net, Kind.STATE_ANSWER))
        names = set(net.ledger.names())
        assert {name for name, _ in net.pages} <= names
        assert {"state", "state/ask/2"} <= names
