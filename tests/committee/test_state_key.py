"""The state key: every seat comes to the same one, whoever is silent, lies, or starts anew."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.committee.messages import Kind
from keymoot.committee.outcome import key_input
from keymoot.committee.roots import DERIVE
from keymoot.committee.statekey.record import (
    AnswerBody,
    AskBody,
    HeldBody,
    ask_digest,
    state_input,
    state_secret,
)
from keymoot.crypto import ed25519
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.polynomial import interpolate_points
from tests.committee.asking import (
    before_asks,
    founded,
    one_time_key,
    secret_by_algebra,
    secrets,
    standing,
    step,
    turn,
    until,
)
from tests.committee.bodies import fields_of
from tests.committee.network import NETWORK, CommitteeNetwork


class TestAll:
    @pytest.mark.parametrize("size", [4, 7])
    def test_seats_come_to_the_same_secret_and_it_is_the_roots_key(self, size):
        net = founded(size)
        found = secrets(net)
        assert found.keys() == net.participants.keys()
        assert set(found.values()) == {secret_by_algebra(net)}
        assert standing(net).exists
        assert standing(net).holders == frozenset(net.participants)
        assert net.ledger.state_key.asks() == {}
        assert not net.ledger.state.record.cheats

    def test_it_exists_from_the_block_in_which_all_hold_it(self):
        net = before_asks()
        assert not standing(net).exists
        step(net)
        step(net)
        step(net)
        held = until(net, Kind.STATE_HELD)
        for count, message in enumerate((m for m in held if m.kind is Kind.STATE_HELD), 1):
            net.send(message)
            assert len(standing(net).holders) == count
            assert standing(net).exists == (count == 4)
        assert standing(net).since == net.height

    def test_a_seat_says_that_it_holds_the_secret_only_when_it_is_sealed(self):
        net = before_asks()
        sealed = net.seal_state
        net.seal_state = lambda _: None
        for _ in range(6):
            step(net)
        assert all(one.state_key.opened for one in net.participants.values())
        assert standing(net).holders == frozenset()
        net.seal_state = sealed
        net.tasks()
        net.settle()
        assert standing(net).holders == frozenset(net.participants)

    def test_a_seat_says_once_that_it_holds_the_secret(self):
        net = founded()
        again = net.message(1, Kind.STATE_HELD, HeldBody(standing(net).name).encode())
        assert net.refusal(again) == "Unwanted"

    def test_it_is_no_key_that_an_account_can_ask_for(self):
        net = founded()
        root = net.ledger.state.root(DERIVE)
        mine = derived.point_of(root, state_input(NETWORK, 0))
        for input_ in (
            key_input(NETWORK[:20], NETWORK),
            state_input(NETWORK, 1),
            state_input(type(NETWORK)(b"\x32" * 32), 0),
        ):
            assert derived.point_of(root, input_) != mine


class TestTooFew:
    def test_answers_of_degree_seats_do_not_give_it(self):
        net = before_asks()
        net.silent = {1}
        step(net)
        due = until(net, Kind.STATE_ANSWER)
        answers = [one for one in due if one.kind is Kind.STATE_ANSWER and one.seat in (2, 3)]
        net.send(*answers)
        ask = net.ledger.state_key.ask(2)
        assert len(ask.answers) == net.ledger.state.root(DERIVE).degree == 2
        net.silent = {1, 4}
        net.settle()
        assert net.keeps == {}
        # Not even to whoever has the one-time secret: the points interpolate to another one.
        secret, _ = net.participants[2].state_key._own[FIRST_NAME]
        points = {
            at: G1.add(G1.decode(one.cipher), G1.negate(G1.multiply(secret, G1.decode(one.nonce))))
            for at, one in ask.answers.items()
        }
        guess = state_secret(Secret(G1.encode(interpolate_points(G1, points))))
        assert guess.expose() != secret_by_algebra(net)

    @pytest.mark.parametrize("size", [4, 7])
    def test_silent_seats_do_not_stop_it(self, size):
        faults = (size - 1) // 3
        silent = set(range(1, faults + 1))
        net = founded(size, silent=silent)
        assert net.keeps.keys() == net.participants.keys() - silent
        # Blocks would need it from here on, and the silent could execute none any more.
        assert not standing(net).exists
        assert len(set(secrets(net).values())) == 1
        net.silent = set()
        net.settle()
        assert net.keeps.keys() == net.participants.keys()
        assert standing(net).exists
        assert set(secrets(net).values()) == {secret_by_algebra(net)}


class TestLiars:
    def test_a_bad_answer_names_its_seat_and_the_others_do(self):
        net = before_asks()

        def spoil(participant, kind, body):
            if kind is Kind.STATE_ANSWER and participant == 2:
                _, asker, number, answer = fields_of(AnswerBody.decode(body))
                return AnswerBody(
                    FIRST_NAME, asker, number, replace(answer, cipher=answer.nonce)
                ).encode()
            return body

        net.spoil = spoil
        net.settle()
        cheats = net.ledger.state.record.cheats
        assert {(one.seat, one.what) for one in cheats} == {(2, "gave a bad part of the state key")}
        assert set(secrets(net).values()) == {secret_by_algebra(net)}
        assert net.keeps.keys() == net.participants.keys()

    def test_bytes_that_are_no_point_name_their_seat_too(self):
        net = before_asks()
        step(net)
        bad = AnswerBody(
            FIRST_NAME,
            2,
            net.ledger.state_key.ask(2).number,
            DerivationShare(b"\xff" * 48, b"\1" * 48),
        ).encode()
        net.send(net.message(3, Kind.STATE_ANSWER, bad))
        (cheat,) = net.ledger.state.record.cheats
        assert cheat.seat == 3
        # Said again it is not even looked at.
        net.send(net.message(3, Kind.STATE_ANSWER, bad))
        assert len(net.ledger.state.record.cheats) == 1
        assert str(net.refused[-1][1]) == "the ask has its answers, or one of this seat"

    def test_an_answer_of_anothers_share_is_bad(self):
        net = before_asks()
        due = until(net, Kind.STATE_ANSWER)
        one = next(m for m in due if m.kind is Kind.STATE_ANSWER and m.seat == 2)
        net.send(net.message(3, Kind.STATE_ANSWER, one.body))
        assert [cheat.seat for cheat in net.ledger.state.record.cheats] == [3]

    def test_a_late_answer_to_an_older_ask_blames_nobody(self):
        net = before_asks()
        due = until(net, Kind.STATE_ANSWER)
        late = [
            m for m in due if m.kind is Kind.STATE_ANSWER and AnswerBody.decode(m.body).asker == 1
        ]
        net.restart(1)
        net.send(*until(net, Kind.STATE_ASK, 1))
        assert net.ledger.state_key.ask(1).answers == {}
        net.send(*late)
        assert net.ledger.state_key.ask(1).answers == {}
        assert not net.ledger.state.record.cheats

    def test_only_the_enclaves_identity_with_its_present_start_asks(self):
        """A host that got a session key seated in a recovery has no identity to ask with."""
        net = before_asks()
        _, to = one_time_key()
        session = net.participants[2].session.public.signing
        generation = net.ledger.state.record.generation
        places = {
            "another identity": (3, 2, session, (0, 0), FIRST_NAME),
            "another start": (2, 2, Bytes32(b"b" * 32), (0, 0), FIRST_NAME),
            "another seat": (2, 3, session, (0, 0), FIRST_NAME),
            "another epoch": (2, 2, session, (1, 0), FIRST_NAME),
            "another attempt": (2, 2, session, (0, 1), FIRST_NAME),
            "another version": (2, 2, session, (0, 0), Bytes32(b"v" * 32)),
        }
        for what, (who, seat, start, when, name) in places.items():
            digest = ask_digest(NETWORK, generation, (seat, start), when, name, to)
            signature = ed25519.sign(net.identities[who], digest)
            net.send(
                net.message(
                    2,
                    Kind.STATE_ASK,
                    AskBody(0, 0, FIRST_NAME, to.first, to.second, signature).encode(),
                )
            )
            assert type(net.refused[-1][1]).__name__ == "NotSeated", what
        assert net.ledger.state_key.asks() == {}

    def test_a_key_that_hides_nothing_is_refused(self):
        net = before_asks()
        _, to = one_time_key()
        _, other = one_time_key(6)
        session = net.participants[2].session.public.signing
        generation = net.ledger.state.record.generation
        identity = AskerKey(b"\xc0" + bytes(47), b"\xc0" + bytes(95))
        for key in (identity, AskerKey(to.first, other.second)):
            digest = ask_digest(NETWORK, generation, (2, session), (0, 0), FIRST_NAME, key)
            signature = ed25519.sign(net.identities[2], digest)
            assert (
                net.refusal(
                    net.message(
                        2,
                        Kind.STATE_ASK,
                        AskBody(0, 0, FIRST_NAME, key.first, key.second, signature).encode(),
                    )
                )
                == "BadPoint"
            )
        assert net.ledger.state_key.asks() == {}

    def test_an_ask_said_again_opens_nothing(self):
        net = before_asks()
        due = until(net, Kind.STATE_ASK)
        ask = next(m for m in due if m.kind is Kind.STATE_ASK and m.seat == 2)
        net.send(*due)
        net.settle()
        turn(net, (1, 2, 3))
        net.send(ask)
        assert "another epoch" in str(net.refused[-1][1])
        assert net.ledger.state_key.asks() == {}
        assert 2 in standing(net).holders

    def test_within_its_epoch_too(self):
        net = before_asks()
        due = until(net, Kind.STATE_ASK)
        ask = next(m for m in due if m.kind is Kind.STATE_ASK and m.seat == 2)
        net.send(*due)
        net.settle()
        net.send(ask)
        assert "already" in str(net.refused[-1][1])
        assert 2 in standing(net).holders

    def test_who_holds_another_version_is_not_counted(self):
        net = before_asks()
        net.send(
            *(
                net.message(at, Kind.STATE_HELD, HeldBody(Bytes32(b"v" * 32)).encode())
                for at in net.participants
            )
        )
        assert not standing(net).exists
        net.send(net.message(1, Kind.STATE_HELD, HeldBody(FIRST_NAME).encode()))
        net.send(net.message(1, Kind.STATE_HELD, HeldBody(FIRST_NAME).encode()))
        assert standing(net).holders == {1}

    def test_nothing_is_heard_before_there_are_roots(self):
        net = CommitteeNetwork()
        _, to = one_time_key()
        answer = DerivationShare(b"\1" * 48, b"\2" * 48)
        for kind, body in (
            (Kind.STATE_ASK, AskBody(0, 0, FIRST_NAME, to.first, to.second, bytes(64)).encode()),
            (Kind.STATE_ANSWER, AnswerBody(FIRST_NAME, 2, 1, answer).encode()),
            (Kind.STATE_ANSWER, AnswerBody(FIRST_NAME, 9, 1, answer).encode()),
            (Kind.STATE_HELD, HeldBody(FIRST_NAME).encode()),
        ):
            assert net.refusal(net.message(1, kind, body)) == "Unwanted"
