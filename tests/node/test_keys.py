"""Derived keys through a running network: the asker's alone, the same each time."""

import pytest
from py_arkworks_bls12381 import GT, G1Point, G2Point

from keymoot.agent import key_questions
from keymoot.agent.derived_keys import DerivedKeys
from keymoot.agent.errors import NetworkRefused, WrongAnswer
from keymoot.agent.key_combiner import Deriving
from keymoot.agent.key_questions import QUESTION_GAS
from keymoot.agent.owner import new_key
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.submission import NOTHING, TransactionFailed
from keymoot.base import hexes
from keymoot.base.errors import Refused
from keymoot.base.fixed import Bytes32, Hash32
from keymoot.base.secret import Secret
from keymoot.contracts.builtin.keys import MAX_NAME_BYTES, Keys, question_of
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1
from keymoot.threshold.rng import SEED_BYTES, SeededRng
from tests.node.in_memory import in_memory, turn
from tests.node.test_liars import Spoiled


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("keys")) as node:
        yield node


def somebody(node) -> DerivedKeys:
    keys = DerivedKeys(node.network, new_key())
    node.network.faucet(keys.address)
    return keys


def test_the_same_name_gives_the_same_key_and_nobody_elses(node):
    mine, other = somebody(node), somebody(node)
    first = mine.derive(b"login")
    assert len(first) == 32
    assert mine.derive(b"login").expose() == first.expose()
    assert mine.derive(b"Login").expose() != first.expose()
    assert mine.derive(b"").expose() != first.expose()
    assert other.derive(b"login").expose() != first.expose()
    assert len(mine.derive(b"login", 64)) == 64
    # a new epoch, and a start of all enclaves anew, change nothing
    turn(node)
    assert mine.derive(b"login").expose() == first.expose()
    node.stop()
    node.start()
    assert mine.derive(b"login").expose() == first.expose()


def test_it_is_the_unique_bls_signature_of_the_input_by_another_library(node, monkeypatch):
    mine = somebody(node)
    seen = {}
    plain = Deriving.combine

    def combine(self, answers, committee):
        seen.update(inputs=self.inputs, root=self.root)
        return plain(self, answers, committee)

    monkeypatch.setattr(Deriving, "combine", combine)
    point = mine._point(b"login")
    root = seen["root"]
    hashed = derived.point_of(root, seen["inputs"])
    left = GT.pairing(G1Point.from_compressed_bytes(point.expose()), G2Point())
    from keymoot.threshold.bls12381 import G2

    right = GT.pairing(
        G1Point.from_compressed_bytes(G1.encode(hashed)),
        G2Point.from_compressed_bytes(G2.encode(root.public)),
    )
    assert left == right


class Asker:
    """What `Spoiled` needs of whoever asks."""

    def __init__(self, keys):
        self._nodes = keys._network.nodes


def test_one_that_lies_or_is_silent_stops_nothing_and_more_get_no_key(node):
    mine = somebody(node)
    want = mine.derive(b"a")

    def garbage(answers):
        return [{**one, "sealed": "0x" + "ab" * 90} for one in answers[:1]] + answers[1:]

    def good_point_of_another(answers):
        other = next(one for one in answers if one["seat"] != answers[0]["seat"])
        return [{**answers[0], "sealed": other["sealed"]}, *answers[1:]]

    for change in (
        garbage,
        good_point_of_another,
        lambda answers: answers[1:],
        lambda answers: ["?", *answers[1:]],
    ):
        with Spoiled(Asker(mine), change):
            assert mine.derive(b"a").expose() == want.expose()
    with Spoiled(Asker(mine), lambda answers: answers[:2]), pytest.raises(TooFewShares):
        mine.derive(b"a")


def test_what_nobody_could_answer_is_refused_by_the_ledger(node):
    mine = somebody(node)
    _, to = derived.asker(SeededRng(Secret(bytes(SEED_BYTES))))
    _, other = derived.asker(SeededRng(Secret(b"1" * SEED_BYTES)))
    until = node.network.call("keymoot_assembly")["epoch"]["sinceTime"] + 600
    infinity = b"\xc0" + bytes(47)

    def ask(name, first, second, expires_at=until):
        with pytest.raises((TransactionFailed, Refused)) as caught:
            node.network.send(
                mine._questions._key, "derive", name, first, second, expires_at, contract=Keys
            )
        return str(caught.value)

    assert "at most 256 bytes" in ask(b"n" * 257, to.first, to.second)
    assert "do not belong together" in ask(b"n", to.first, other.second)
    assert "one-time key is none" in ask(b"n", infinity, to.second)
    assert "one-time key is none" in ask(b"n", to.first[:-1], to.second)
    assert "expiresAt" in ask(b"n", to.first, to.second, 1)
    assert "expiresAt" in ask(b"n", to.first, to.second, until + 100_000)
    node.network.send(
        mine._questions._key, "derive", b"n", to.first, to.second, until, contract=Keys
    )
    assert "asked before" in ask(b"n", to.first, to.second)


class Exchanges:
    """Note what an account's transport is asked, and change what it is told."""

    def __init__(self, keys, changes=()):
        self._transport, self._changes = keys._network.nodes.line[0], dict(changes)
        self.made = []

    def __enter__(self):
        self._plain = self._transport.call, self._transport.call_all, self._transport.get
        call, call_all, get = self._plain

        def noted(method, params, *rest):
            self.made.append(method)
            change = self._changes.get(method)
            return call(method, params, *rest) if change is None else change(call, params, *rest)

        def noted_all(calls, *rest):
            self.made.append("+".join(method for method, _ in calls))
            return call_all(calls, *rest)

        def noted_get(*asked):
            self.made.append("shares")
            return get(*asked)

        self._transport.call, self._transport.call_all = noted, noted_all
        self._transport.get = noted_get
        return self

    def __exit__(self, *_):
        self._transport.call, self._transport.call_all, self._transport.get = self._plain


def test_a_key_takes_one_exchange_after_the_first(node):
    mine = somebody(node)
    mine.derive(b"first")
    with Exchanges(mine) as exchanges:
        second = mine.derive(b"second")
    assert exchanges.made == ["keymoot_ask"]
    assert somebody(node).derive(b"second").expose() != second.expose()
    assert mine.derive(b"second").expose() == second.expose()


def test_a_place_that_somebody_else_has_taken_is_asked_for_anew(node):
    mine = somebody(node)
    want = mine.derive(b"a").expose()
    # the same account, elsewhere
    other = DerivedKeys(node.network, mine._questions._key)
    assert other.derive(b"a").expose() == want
    with Exchanges(mine) as exchanges:
        assert mine.derive(b"a").expose() == want
    assert exchanges.made[0] == "keymoot_ask"
    assert exchanges.made[-1] == "keymoot_ask"


def test_what_a_node_says_of_a_question_is_believed_only_if_it_is_proved(node):
    """It says that a question failed, that it was done, or nothing: the ledger has it or not."""
    mine = somebody(node)
    want = mine.derive(b"a").expose()

    def failed(call, params, *rest):
        call("keymoot_ask", params, *rest)
        raise NetworkRefused(4100, "a lie", {"reason": "RAW_KEYS_REFUSED"})

    def nothing(call, params, *rest):
        call("keymoot_ask", params, *rest)
        return {"status": "bound", "answers": []}

    for lie in (failed, nothing):
        with Exchanges(mine, {"keymoot_ask": lie}) as exchanges:
            assert mine.derive(b"a").expose() == want
        assert exchanges.made[-3:] == ["eth_getTransactionReceipt", "keymoot_receipt", "shares"]
    # what never was in a block is not had for done
    with (
        Exchanges(mine, {"keymoot_ask": lambda *_: {"status": "bound", "answers": []}}),
        pytest.raises(WrongAnswer),
    ):
        mine.derive(b"a")
    assert mine.derive(b"a").expose() == want


def test_a_question_that_failed_is_told_with_its_reason(node, monkeypatch):
    mine = somebody(node)
    mine.derive(b"a")
    with monkeypatch.context() as patched:
        patched.setattr(key_questions, "OPEN_SECONDS", 100_000)
        with pytest.raises(TransactionFailed, match="expiresAt") as caught:
            mine.derive(b"a")
        assert caught.value.reason == "BAD_QUESTION"
        # the next one is tried out first, so that refusals cost nothing
        with Exchanges(mine) as exchanges, pytest.raises(NetworkRefused, match="expiresAt"):
            mine.derive(b"a")
        assert exchanges.made == ["eth_getTransactionCount+eth_estimateGas"]
    mine.derive(b"a")
    with Exchanges(mine) as exchanges:
        mine.derive(b"a")
    assert exchanges.made == ["keymoot_ask"]


def test_an_exchange_is_for_what_enclaves_answer(node):
    mine = somebody(node)
    sending, key = node.network.submission(), mine._questions._key

    def signed(contract, name, *arguments):
        data = contract.method(name).encode(arguments)
        return sending._signed(key, contract.ADDRESS, data, NOTHING, QUESTION_GAS, None).raw

    def ask(raw):
        return node.network.call("keymoot_ask", hexes.data(raw))

    with pytest.raises(NetworkRefused, match="or a transaction to Keys"):
        ask(signed(Wallets, "create", Bytes32(bytes(32)), mine.address))
    with pytest.raises(NetworkRefused, match="asked for no key"):
        ask(signed(Keys, "question", Hash32(bytes(32))))
    _, to = derived.asker(SeededRng(Secret(b"2" * SEED_BYTES)))
    until = node.network.call("keymoot_assembly")["epoch"]["sinceTime"] + 600
    raw = signed(Keys, "derive", b"n", to.first, to.second, until)
    told = ask(raw)
    assert told["request"] == question_of(mine.address, b"n", to.first).hex0x
    # the same bytes again are the same question, and get the same answers
    assert ask(raw)["answers"] == told["answers"] != []


def test_every_question_fits_into_the_gas_that_is_sent_with_it(node):
    mine = somebody(node)
    mine.derive(b"a")
    with Exchanges(mine) as exchanges:
        mine.derive(b"\xff" * MAX_NAME_BYTES)
    assert exchanges.made == ["keymoot_ask"]


def test_what_callers_get_wrong_costs_them_nothing(node):
    poor = DerivedKeys(node.network, new_key())
    with pytest.raises(ValueError, match="256 bytes"):
        poor.derive(b"x" * 257)
    with pytest.raises(ValueError, match="16 to 64"):
        poor.derive(b"x", 8)
    with pytest.raises(Refused, match=r"insufficient funds|no funds"):
        poor.derive(b"x")
