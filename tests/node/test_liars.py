"""A requester among lying enclaves: any f of them never stop a signature, nor get a wrong one."""

import time

import pytest
from eth_account import Account as EthAccount

from keymoot.agent.errors import WrongAnswer
from keymoot.base.request import ASK_AGAIN
from keymoot.policy.errors import PolicyRefused
from tests.examples import some
from tests.node.in_memory import in_memory
from tests.node.running import pay, wallet_with_agent


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("liars"), batch=64) as net:
        _, _, account = wallet_with_agent(net, net.owner(), limit=10**9)
        yield account


LOST = {"code": "NOT_HELD", "message": "this start does not hold it"}


def says_it_lost_it(answer, others):
    return {"seat": answer["seat"], "node": answer["node"], **LOST}


def says_nothing(answer, others):
    return None


def sends_garbage(answer, others):
    return {**answer, "sealed": "0x" + "ab" * 300}


def signs_with_another_key(answer, others):
    return {**answer, "signature": "0x" + "cd" * 64}


def gives_anothers_answer_as_his(answer, others):
    other = next(one for one in others if one["seat"] != answer["seat"])
    return {**other, "node": answer["node"], "seat": answer["seat"]}


def answers_as_a_stranger(answer, others):
    return {**answer, "node": "0x" + "77" * 32}


def is_no_object(answer, others):
    return "what?"


LIES = [
    says_it_lost_it,
    says_nothing,
    sends_garbage,
    signs_with_another_key,
    gives_anothers_answer_as_his,
    answers_as_a_stranger,
    is_no_object,
]


class Spoiled:
    """Change the answers that come back through an account's transport.

    Attributes:
        asked: Exchanges that brought some.
    """

    def __init__(self, account, answers):
        self.transport, self.answers = account._nodes.line[0], answers
        self.call, self.get = self.transport.call, self.transport.get
        self.asked = 0

    def __enter__(self):
        self.transport.call = lambda *asked: self._spoiled(self.call(*asked))
        self.transport.get = lambda *asked: self._spoiled(self.get(*asked))
        return self

    def __exit__(self, *_):
        self.transport.call, self.transport.get = self.call, self.get

    def _spoiled(self, told):
        if not isinstance(told, dict) or not told.get("answers"):
            return told
        self.asked += 1
        return {**told, "answers": self.answers(list(told["answers"]))}


_nonces = iter(range(10**6))


def sign(account):
    wish = pay(next(_nonces))
    made = account.sign_transaction(wish)
    assert EthAccount.recover_transaction(made.raw_transaction) == account.address
    return made


def spoil_seats(lie, seats):
    def spoil(answers):
        found = [lie(one, answers) if one["seat"] in seats else one for one in answers]
        return [one for one in found if one is not None]

    return spoil


@pytest.mark.parametrize(
    ("lie", "seat"),
    some([(lie, at) for at in (1, 2, 3, 4) for lie in LIES], 2 * len(LIES)),
    ids=lambda one: getattr(one, "__name__", one),
)
def test_one_that_lies_stops_nothing(network, lie, seat):
    with Spoiled(network, spoil_seats(lie, {seat})) as spoiled:
        sign(network)
        # No other presignature was spent on it.
        assert spoiled.asked == 1


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_degree_answers_are_never_enough(network, lie):
    def spoil_all_but_one(answers):
        # Which of them are given out is not said: as many as are enough, whoever lies.
        return spoil_seats(lie, {one["seat"] for one in answers[:-1]})(answers)

    wish = pay(next(_nonces))
    with Spoiled(network, spoil_all_but_one), pytest.raises(WrongAnswer):
        network.sign_transaction(
            wish, idempotency_key="0x" + f"{lie.__name__:.32}".encode().hex().ljust(64, "0")
        )
    # nothing is lost: the enclaves gave their answers, and the same come again
    made = network.sign_transaction(
        wish, idempotency_key="0x" + f"{lie.__name__:.32}".encode().hex().ljust(64, "0")
    )
    assert EthAccount.recover_transaction(made.raw_transaction) == network.address


def test_a_request_that_fails_without_a_record_says_so_at_once(network):
    wishes = network._wishes
    wish, _ = wishes._wish("nonsense", ASK_AGAIN, b"\x55" * 32)
    with pytest.raises(PolicyRefused, match="no such request") as caught:
        wishes._delivered(wish, None, time.monotonic() + 30, sent=False, look=False)
    assert caught.value.reason == "NOT_BOUND"
