"""What makes an enclave of the committee give its part of a derived key, and what never does."""

import pytest

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.secret import Secret
from keymoot.committee.outcome import key_input
from keymoot.committee.roots import DERIVE
from keymoot.contracts.builtin.keys import Keys, question_of
from keymoot.threshold import derived
from keymoot.threshold.derived import DerivationShare
from keymoot.threshold.errors import TooFew
from keymoot.threshold.rng import SeededRng
from tests.enclave.shares import shares_of
from tests.runtime.people import OWNER

NAME = b"login"
INPUT = key_input(OWNER.address, NAME)


class Question:
    """A question of the owner's for one of his keys, in a final block."""

    def __init__(self, network, scenario, seed=1):
        self.network = network
        self.secret, self.to = derived.asker(SeededRng(Secret(bytes([seed]) * 32)))
        until = network.clock.now + 60
        receipt = scenario.send(
            OWNER, "derive", NAME, self.to.first, self.to.second, until, contract=Keys
        )
        assert receipt.status == 1, receipt.error
        self.name = Hash32(question_of(OWNER.address, NAME, self.to.first))

    def answers(self):
        return shares_of(self.network, self.name)

    def combined(self, answers):
        parts = {
            at: DerivationShare.of_item(rlp.decode(one.sealed)[1]) for at, one in answers.items()
        }
        root = self.network.machine.state.root(DERIVE)
        return derived.combine(root, INPUT, self.secret, self.to, parts)[0].expose()


def test_degree_plus_one_make_the_key_and_the_same_answer_comes_again(network):
    scenario = network.scenario()
    one, other = Question(network, scenario), Question(network, scenario, 2)
    answers = one.answers()
    key = one.combined({at: answers[at] for at in (1, 2, 4)})
    assert key == one.combined({at: answers[at] for at in (2, 3, 4)})
    assert key == other.combined(other.answers())
    with pytest.raises(TooFew):
        one.combined({at: answers[at] for at in (1, 2)})
    assert answers == one.answers()


def test_no_answer_without_a_certificate(network):
    """Else whoever runs one enclave would ask it for anybody's keys."""
    scenario = network.scenario()
    network.withheld = {1}
    one = network.boxes[1]
    question = Question(network, scenario)
    network.withheld = set()
    while one.next <= network.branch.top:
        one.execute(network.branch.blocks[one.next])
        one.next += 1
    assert one.answer(question.name)[0].code == "NOT_HELD"
    answers = question.answers()
    assert {answers[at].code for at in (2, 3, 4)} == {""}
    # Nothing of it serves once, so any later certificate will do.
    top = network.branch.certified
    one.certify(top, network.branch.proofs[top])
    assert one.answer(question.name)[0].code == ""


def test_a_start_that_the_state_does_not_name_answers_nothing(network):
    """Its host may run as many as it likes of them beside the one that sits."""
    scenario = network.scenario()
    network.restart(1, settle=False)
    network.mute = True
    question, one = Question(network, scenario), network.boxes[1]
    participant = one.enclave.start.participant
    # It has its share of the root, and the block is certified.
    assert one.enclave.start._course.certified.height == network.branch.certified
    assert DERIVE in participant.shares_in(network.machine)
    assert not participant.seated(network.machine)
    assert one.answer(question.name)[0].code == "NOT_HELD"
    # Once a certified state names it, it answers.
    network.mute = False
    network.settle()
    assert one.answer(question.name)[0].code == ""


def test_no_answer_when_it_is_too_late_or_for_another_key(network):
    question = Question(network, network.scenario())
    stranger, _ = derived.asker(SeededRng(Secret(b"s" * 32)))
    parts = {at: rlp.decode(one.sealed)[1] for at, one in question.answers().items()}
    root = network.machine.state.root(DERIVE)
    with pytest.raises((TooFew, Malformed)):
        derived.combine(
            root,
            INPUT,
            stranger,
            question.to,
            {at: DerivationShare.of_item(one) for at, one in parts.items()},
        )
    for one in network.boxes.values():
        one.ahead = 3_600
    assert {one.code for one in question.answers().values()} == {"NOT_BOUND"}
