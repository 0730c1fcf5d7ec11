"""The state key: every seat comes to the same one, whoever is silent, lies, or starts anew."""

from dataclasses import replace

import pytest

from keymoot.base.fixed import Bytes32
from keymoot.base.secret import Secret
from keymoot.crypto import ed25519
from keymoot.moot.message import Kind
from keymoot.moot.outcome import key_input
from keymoot.moot.roots import DERIVE
from keymoot.moot.statekey import (
    ask_digest,
    read_answer,
    state_input,
    state_secret,
    write_answer,
    write_ask,
    write_held,
)
from keymoot.store.keys import FIRST_NAME
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.derived import Answer, AskerKey
from keymoot.threshold.polynomial import interpolate_points
from tests.moot.asking import (
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
from tests.moot.town import NETWORK, Town


class TestAll:
    @pytest.mark.parametrize("size", [4, 7])
    def test_seats_come_to_the_same_secret_and_it_is_the_roots_key(self, size):
        town = founded(size)
        found = secrets(town)
        assert found.keys() == town.parties.keys()
        assert set(found.values()) == {secret_by_algebra(town)}
        assert standing(town).exists
        assert standing(town).holders == frozenset(town.parties)
        assert town.ledger.handout.asks() == {}
        assert not town.ledger.hall.head.cheats

    def test_it_exists_from_the_block_in_which_all_hold_it(self):
        town = before_asks()
        assert not standing(town).exists
        step(town)
        step(town)
        step(town)
        held = until(town, Kind.STATE_HELD)
        for count, message in enumerate((m for m in held if m.kind is Kind.STATE_HELD), 1):
            town.say(message)
            assert len(standing(town).holders) == count
            assert standing(town).exists == (count == 4)
        assert standing(town).since == town.height

    def test_a_seat_says_that_it_holds_the_secret_only_when_it_is_sealed(self):
        town = before_asks()
        sealed = town.seal_state
        town.seal_state = lambda _: None
        for _ in range(6):
            step(town)
        assert all(one.statekeeper.found for one in town.parties.values())
        assert standing(town).holders == frozenset()
        town.seal_state = sealed
        town.duties()
        town.settle()
        assert standing(town).holders == frozenset(town.parties)

    def test_a_seat_says_once_that_it_holds_the_secret(self):
        town = founded()
        again = town.message(1, Kind.STATE_HELD, write_held(standing(town).name))
        assert town.refusal(again) == "Unwanted"

    def test_it_is_no_key_that_an_account_can_ask_for(self):
        town = founded()
        root = town.ledger.hall.root(DERIVE)
        mine = derived.point_of(root, state_input(NETWORK, 0))
        for input_ in (
            key_input(NETWORK[:20], NETWORK),
            state_input(NETWORK, 1),
            state_input(type(NETWORK)(b"\x32" * 32), 0),
        ):
            assert derived.point_of(root, input_) != mine


class TestTooFew:
    def test_answers_of_degree_seats_do_not_give_it(self):
        town = before_asks()
        town.silent = {1}
        step(town)
        due = until(town, Kind.STATE_ANSWER)
        answers = [one for one in due if one.kind is Kind.STATE_ANSWER and one.seat in (2, 3)]
        town.say(*answers)
        ask = town.ledger.handout.ask(2)
        assert len(ask.answers) == town.ledger.hall.root(DERIVE).degree == 2
        town.silent = {1, 4}
        town.settle()
        assert town.keeps == {}
        # Not even to whoever has the one-time secret: the points interpolate to another one.
        secret, _ = town.parties[2].statekeeper._own[FIRST_NAME]
        points = {
            at: G1.add(G1.decode(one.cipher), G1.negate(G1.multiply(secret, G1.decode(one.nonce))))
            for at, one in ask.answers.items()
        }
        guess = state_secret(Secret(G1.encode(interpolate_points(G1, points))))
        assert guess.expose() != secret_by_algebra(town)

    @pytest.mark.parametrize("size", [4, 7])
    def test_silent_seats_do_not_stop_it(self, size):
        faults = (size - 1) // 3
        silent = set(range(1, faults + 1))
        town = founded(size, silent=silent)
        assert town.keeps.keys() == town.parties.keys() - silent
        # Blocks would need it from here on, and the silent could execute none any more.
        assert not standing(town).exists
        assert len(set(secrets(town).values())) == 1
        town.silent = set()
        town.settle()
        assert town.keeps.keys() == town.parties.keys()
        assert standing(town).exists
        assert set(secrets(town).values()) == {secret_by_algebra(town)}


class TestLiars:
    def test_a_bad_answer_names_its_seat_and_the_others_do(self):
        town = before_asks()

        def spoil(party, kind, body):
            if kind is Kind.STATE_ANSWER and party == 2:
                _, asker, number, answer = read_answer(body)
                return write_answer(FIRST_NAME, asker, number, replace(answer, cipher=answer.nonce))
            return body

        town.spoil = spoil
        town.settle()
        cheats = town.ledger.hall.head.cheats
        assert {(one.seat, one.what) for one in cheats} == {(2, "gave a bad part of the state key")}
        assert set(secrets(town).values()) == {secret_by_algebra(town)}
        assert town.keeps.keys() == town.parties.keys()

    def test_bytes_that_are_no_point_name_their_seat_too(self):
        town = before_asks()
        step(town)
        bad = write_answer(
            FIRST_NAME, 2, town.ledger.handout.ask(2).number, Answer(b"\xff" * 48, b"\1" * 48)
        )
        town.say(town.message(3, Kind.STATE_ANSWER, bad))
        (cheat,) = town.ledger.hall.head.cheats
        assert cheat.seat == 3
        # Said again it is not even looked at.
        town.say(town.message(3, Kind.STATE_ANSWER, bad))
        assert len(town.ledger.hall.head.cheats) == 1

    def test_an_answer_of_anothers_share_is_bad(self):
        town = before_asks()
        due = until(town, Kind.STATE_ANSWER)
        one = next(m for m in due if m.kind is Kind.STATE_ANSWER and m.seat == 2)
        town.say(town.message(3, Kind.STATE_ANSWER, one.body))
        assert [cheat.seat for cheat in town.ledger.hall.head.cheats] == [3]

    def test_a_late_answer_to_an_older_ask_blames_nobody(self):
        town = before_asks()
        due = until(town, Kind.STATE_ANSWER)
        late = [m for m in due if m.kind is Kind.STATE_ANSWER and read_answer(m.body)[1] == 1]
        town.restart(1)
        town.say(*until(town, Kind.STATE_ASK, 1))
        assert town.ledger.handout.ask(1).answers == {}
        town.say(*late)
        assert town.ledger.handout.ask(1).answers == {}
        assert not town.ledger.hall.head.cheats

    def test_only_the_enclaves_identity_with_its_present_start_asks(self):
        """A host that got a key of boot seated in a recovery has no identity to ask with."""
        town = before_asks()
        _, to = one_time_key()
        boot = town.parties[2].boot.public.signing
        generation = town.ledger.hall.head.generation
        places = {
            "another identity": (3, 2, boot, (0, 0), FIRST_NAME),
            "another start": (2, 2, Bytes32(b"b" * 32), (0, 0), FIRST_NAME),
            "another seat": (2, 3, boot, (0, 0), FIRST_NAME),
            "another epoch": (2, 2, boot, (1, 0), FIRST_NAME),
            "another attempt": (2, 2, boot, (0, 1), FIRST_NAME),
            "another version": (2, 2, boot, (0, 0), Bytes32(b"v" * 32)),
        }
        for what, (who, seat, start, when, name) in places.items():
            digest = ask_digest(NETWORK, generation, (seat, start), when, name, to)
            signature = ed25519.sign(town.identities[who], digest)
            town.say(town.message(2, Kind.STATE_ASK, write_ask((0, 0), FIRST_NAME, to, signature)))
            assert type(town.refused[-1][1]).__name__ == "NotSeated", what
        assert town.ledger.handout.asks() == {}

    def test_a_key_that_hides_nothing_is_refused(self):
        town = before_asks()
        _, to = one_time_key()
        _, other = one_time_key(6)
        boot = town.parties[2].boot.public.signing
        generation = town.ledger.hall.head.generation
        identity = AskerKey(b"\xc0" + bytes(47), b"\xc0" + bytes(95))
        for key in (identity, AskerKey(to.first, other.second)):
            digest = ask_digest(NETWORK, generation, (2, boot), (0, 0), FIRST_NAME, key)
            signature = ed25519.sign(town.identities[2], digest)
            assert (
                town.refusal(
                    town.message(2, Kind.STATE_ASK, write_ask((0, 0), FIRST_NAME, key, signature))
                )
                == "BadPoint"
            )
        assert town.ledger.handout.asks() == {}

    def test_an_ask_said_again_opens_nothing(self):
        town = before_asks()
        due = until(town, Kind.STATE_ASK)
        ask = next(m for m in due if m.kind is Kind.STATE_ASK and m.seat == 2)
        town.say(*due)
        town.settle()
        turn(town, (1, 2, 3))
        town.say(ask)
        assert "another epoch" in str(town.refused[-1][1])
        assert town.ledger.handout.asks() == {}
        assert 2 in standing(town).holders

    def test_within_its_epoch_too(self):
        town = before_asks()
        due = until(town, Kind.STATE_ASK)
        ask = next(m for m in due if m.kind is Kind.STATE_ASK and m.seat == 2)
        town.say(*due)
        town.settle()
        town.say(ask)
        assert "already" in str(town.refused[-1][1])
        assert 2 in standing(town).holders

    def test_who_holds_another_version_is_not_counted(self):
        town = before_asks()
        town.say(
            *(
                town.message(at, Kind.STATE_HELD, write_held(Bytes32(b"v" * 32)))
                for at in town.parties
            )
        )
        assert not standing(town).exists
        town.say(town.message(1, Kind.STATE_HELD, write_held(FIRST_NAME)))
        town.say(town.message(1, Kind.STATE_HELD, write_held(FIRST_NAME)))
        assert standing(town).holders == {1}

    def test_nothing_is_heard_before_there_are_roots(self):
        town = Town()
        _, to = one_time_key()
        answer = Answer(b"\1" * 48, b"\2" * 48)
        for kind, body in (
            (Kind.STATE_ASK, write_ask((0, 0), FIRST_NAME, to, bytes(64))),
            (Kind.STATE_ANSWER, write_answer(FIRST_NAME, 2, 1, answer)),
            (Kind.STATE_ANSWER, write_answer(FIRST_NAME, 9, 1, answer)),
            (Kind.STATE_HELD, write_held(FIRST_NAME)),
        ):
            assert town.refusal(town.message(1, kind, body)) == "Unwanted"
