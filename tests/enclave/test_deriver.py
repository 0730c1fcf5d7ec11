"""What makes an enclave of the assembly give its part of a derived key, and what never does."""

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.contracts.keys import Keys, question_of
from keymoot.moot.outcome import key_input
from keymoot.moot.roots import DERIVE
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.derived import Answer
from keymoot.threshold.dice import Dice
from keymoot.threshold.errors import TooFew
from tests.runtime.people import OWNER

NAME = b"login"
INPUT = key_input(OWNER.address, NAME)


class Question:
    """A question of the owner's for one of his keys, in a final block."""

    def __init__(self, parliament, play, seed=1):
        self.parliament = parliament
        self.secret, self.to = derived.asker(Dice(Secret(bytes([seed]) * 32)))
        until = parliament.ledger.now() + 60
        receipt = play.send(
            OWNER, "derive", NAME, self.to.first, self.to.second, until, contract=Keys
        )
        assert receipt.status == 1, receipt.error
        self.height = parliament.engine.app.committed.height
        while self.height not in parliament.delegates[1].beacons:
            self.height -= 1
        self.name = Hash32(question_of(OWNER.address, NAME, self.to.first))

    def answers(self):
        beacon = self.parliament.beacon(self.height)
        return {at: one.cosign(self.name, beacon) for at, one in self.parliament.delegates.items()}

    def combined(self, answers):
        parts = {at: Answer.decode(rlp.decode(one.sealed)[1]) for at, one in answers.items()}
        root = self.parliament.assembly.hall.root(DERIVE)
        return derived.combine(root, INPUT, self.secret, self.to, parts)[0].expose()


def test_degree_plus_one_make_the_key_and_the_same_answer_comes_again(parliament):
    play = parliament.play()
    one, other = Question(parliament, play), Question(parliament, play, 2)
    answers = one.answers()
    key = one.combined({at: answers[at] for at in (1, 2, 4)})
    assert key == one.combined({at: answers[at] for at in (2, 3, 4)})
    assert key == other.combined(other.answers())
    with pytest.raises(TooFew):
        one.combined({at: answers[at] for at in (1, 2)})
    assert answers == one.answers()


def test_no_answer_without_the_beacon_of_that_very_height(parliament):
    """Else replicas that executed differently would answer for askers that are none."""
    play = parliament.play()
    question, later = Question(parliament, play), Question(parliament, play, 2)
    assert question.height != later.height
    other = parliament.beacon(later.height)
    for wrong in (other, b"\xc0" + bytes(47), bytes(48), G1.encode(G1.generator)):
        for one in parliament.delegates.values():
            answer = one.cosign(question.name, wrong)
            assert (answer.code, answer.sealed) == ("BAD_BEACON", b"")


def test_no_answer_when_it_is_too_late_or_for_another_key(parliament):
    question = Question(parliament, parliament.play())
    stranger, _ = derived.asker(Dice(Secret(b"s" * 32)))
    parts = {at: rlp.decode(one.sealed)[1] for at, one in question.answers().items()}
    root = parliament.assembly.hall.root(DERIVE)
    with pytest.raises((TooFew, Malformed)):
        derived.combine(
            root,
            INPUT,
            stranger,
            question.to,
            {at: Answer.decode(one) for at, one in parts.items()},
        )
    for one in parliament.delegates.values():
        cosigner = one.room.member.cosigner
        now = cosigner.clock()
        cosigner.clock = lambda now=now: type(now)(now + 3_600)
    assert {one.code for one in question.answers().values()} == {"NOT_BOUND"}
