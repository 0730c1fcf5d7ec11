"""A requester among lying enclaves: any f of them never stop a signature, nor get a wrong one."""

import pytest
from eth_account import Account as EthAccount

from keymoot.agent.errors import WrongAnswer
from keymoot.base.request import ASK_AGAIN
from keymoot.policy.errors import PolicyRefused
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.polynomial import lagrange
from tests.node.running import pay, running, wallet_with_agent


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    with running(tmp_path_factory.mktemp("liars") / "node") as node:
        _, _, account = wallet_with_agent(node, node.owner(), limit=10**9)
        yield account


BAD_BEACON = {"code": "BAD_BEACON", "message": "this is not the beacon"}


def says_bad_beacon(answer, others):
    return {"seat": answer["seat"], "node": answer["node"], **BAD_BEACON}


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
    says_bad_beacon,
    says_nothing,
    sends_garbage,
    signs_with_another_key,
    gives_anothers_answer_as_his,
    answers_as_a_stranger,
    is_no_object,
]


class Spoiled:
    """Change what comes back through an account's transport."""

    def __init__(self, account, beacon=None, answers=None, *, always=False):
        self.transport = account._transport
        self.plain = self.transport.call
        self.plain_get = self.transport.get
        self.always = always
        self.beacon, self.answers = beacon, answers
        self.asked = self.bound = 0

    def __enter__(self):
        self.transport.call = self._call
        if self.beacon and self.always:
            self.transport.get = lambda *_: None
        return self

    def __exit__(self, *_):
        self.transport.call = self.plain
        self.transport.get = self.plain_get

    def _call(self, method, parameters, timeout_seconds):
        told = self.plain(method, parameters, timeout_seconds)
        self.bound += method == "keymoot_ask"
        if isinstance(told, dict) and told.get("beacon") and self.beacon:
            told = {**told, "beacon": self.beacon(dict(told["beacon"]))}
        if method == "keymoot_cosign" and self.answers:
            self.asked += 1
            told = {**told, "answers": self.answers(list(told["answers"]))}
        return told


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


@pytest.mark.parametrize("seat", [1, 2, 3, 4])
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_that_lies_stops_nothing(network, lie, seat):
    with Spoiled(network, answers=spoil_seats(lie, {seat})) as spoiled:
        sign(network)
        assert spoiled.asked == 1


@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_degree_answers_are_never_enough(network, lie):
    wish = pay(next(_nonces))
    with Spoiled(network, answers=spoil_seats(lie, {1, 2, 3})), pytest.raises(WrongAnswer):
        network.sign_transaction(
            wish, idempotency_key="0x" + f"{lie.__name__:.32}".encode().hex().ljust(64, "0")
        )
    # nothing is lost: the enclaves gave their answers, and the same come again
    made = network.sign_transaction(
        wish, idempotency_key="0x" + f"{lie.__name__:.32}".encode().hex().ljust(64, "0")
    )
    assert EthAccount.recover_transaction(made.raw_transaction) == network.address


def anothers_share(seat, others):
    """Give a good point of the curve, but another seat's."""
    return next(iter(others.values()))


def cancelling_share(seat, others):
    """Give the share with which these make the point at infinity."""
    points = {int(at): G1.decode(bytes.fromhex(one[2:])) for at, one in others.items()}
    weights = lagrange(G1.ORDER, [int(seat), *points])
    total = G1.sum([G1.multiply_public(weights[at], one) for at, one in points.items()])
    factor = -pow(weights[int(seat)], -1, G1.ORDER)
    return "0x" + G1.encode(G1.multiply_public(factor, total)).hex()


@pytest.mark.parametrize("seat", ["1", "2", "3", "4"])
@pytest.mark.parametrize("lie", [anothers_share, cancelling_share])
def test_a_bad_share_of_the_beacon_stops_nothing(network, lie, seat):
    def spoil(shares):
        # the liar is always among the first
        few = dict([(one, shares[one]) for one in sorted(shares) if one != seat][:2])
        return {seat: lie(seat, few), **few}

    with Spoiled(network, beacon=spoil) as spoiled:
        sign(network)
        assert spoiled.bound == 1  # no other presignature was spent on it


def test_a_beacon_without_enough_shares_gets_no_answer(network):
    wish = pay(next(_nonces))

    def spoil(shares):
        return dict(list(shares.items())[:2])

    with Spoiled(network, beacon=spoil, always=True), pytest.raises(WrongAnswer):
        network.sign_transaction(wish, idempotency_key="0x" + "22" * 32)
    network.sign_transaction(wish, idempotency_key="0x" + "22" * 32)


def test_wrong_beacons_before_the_right_one_stop_nothing(network):
    transport, plain = network._transport, network._transport.call
    wrong = "0x" + G1.encode(G1.hash_to_curve(b"another", b"test")).hex()
    seen = []

    def call(method, parameters, timeout_seconds):
        if method == "keymoot_cosign" and not seen:
            for _ in range(3):
                told = plain(method, [parameters[0], wrong], timeout_seconds)
                seen.append({one["code"] for one in told["answers"]})
        return plain(method, parameters, timeout_seconds)

    transport.call = call
    try:
        sign(network)
    finally:
        transport.call = plain
    assert seen == [{"BAD_BEACON"}] * 3


def test_a_request_that_fails_without_a_record_says_so_at_once(network):
    wishes = network._wishes
    wish, _ = wishes._wish("nonsense", ASK_AGAIN, b"\x55" * 32)
    with pytest.raises(PolicyRefused, match="no such request") as caught:
        wishes._deliver(wish, sent=False, look=False)
    assert caught.value.reason == "NOT_BOUND"
