"""Derived keys through a running network: the asker's alone, the same each time."""

import pytest
from py_arkworks_bls12381 import GT, G1Point, G2Point

from keymoot.agent.derived_keys import DerivedKeys, Deriving
from keymoot.agent.owner import new_key
from keymoot.agent.share_collection import TooFewShares
from keymoot.agent.submission import TransactionFailed
from keymoot.base.errors import Refused
from keymoot.base.secret import Secret
from keymoot.contracts.builtin.keys import Keys
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
            node.network.send(mine._key, "derive", name, first, second, expires_at, contract=Keys)
        return str(caught.value)

    assert "at most 256 bytes" in ask(b"n" * 257, to.first, to.second)
    assert "do not belong together" in ask(b"n", to.first, other.second)
    assert "one-time key is none" in ask(b"n", infinity, to.second)
    assert "one-time key is none" in ask(b"n", to.first[:-1], to.second)
    assert "expiresAt" in ask(b"n", to.first, to.second, 1)
    assert "expiresAt" in ask(b"n", to.first, to.second, until + 100_000)
    node.network.send(mine._key, "derive", b"n", to.first, to.second, until, contract=Keys)
    assert "asked before" in ask(b"n", to.first, to.second)


def test_what_callers_get_wrong_costs_them_nothing(node):
    poor = DerivedKeys(node.network, new_key())
    with pytest.raises(ValueError, match="256 bytes"):
        poor.derive(b"x" * 257)
    with pytest.raises(ValueError, match="16 to 64"):
        poor.derive(b"x", 8)
    with pytest.raises(Refused, match=r"insufficient funds|no funds"):
        poor.derive(b"x")
