"""Confidential key derivation: near's vectors, and answers that lie."""

import json
from dataclasses import replace
from itertools import combinations
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from keymoot.base.secret import Secret
from keymoot.threshold import derived
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.derived import AskerKey, DerivationShare
from keymoot.threshold.errors import TooFew
from keymoot.threshold.group import BadPoint
from keymoot.threshold.root import Root
from tests.threshold.parties import known_root, rng

NAME = derived.input_of("app", b"an app", b"a key")


def test_nears_vectors():
    found = json.loads((Path(__file__).parent / "vectors" / "near-ckd.json").read_text())
    tag = found["tag"].encode()
    for one in found["vectors"]:
        raw = {name: bytes.fromhex(value) for name, value in one.items()}
        public = G2.decode(raw["pk"])
        root = Root(G2, 0, public, (public,))
        assert G2.encode(G2.base(Secret(raw["msk"]))) == raw["pk"]
        point = derived.point_of(root, raw["app_id"], tag)
        assert G1.encode(point) == raw["hash_point"]
        to = AskerKey(raw["app_pk1"], raw["app_pk2"])
        to.check()
        answer = DerivationShare(raw["big_y"], raw["big_c"])
        assert derived.check(root, raw["app_id"], to, 1, answer, tag)
        whole, bad = derived.combine(root, raw["app_id"], Secret(raw["a"]), to, {1: answer}, tag)
        assert whole.expose() == raw["sig"]
        assert not bad
        assert HKDF(SHA256(), 32, None, b"").derive(whole.expose()) == raw["s"]


class Asking:
    def __init__(self, size=4):
        self.key, self.root, self.shares = known_root(G2, size, Committee.of(size).degree)
        self.secret, self.to = derived.asker(rng())

    def answers(self, name=NAME):
        return {at: derived.answer(one, name, self.to, rng()) for at, one in self.shares.items()}

    def combine(self, answers, name=NAME):
        return derived.combine(self.root, name, self.secret, self.to, answers)


def test_every_subset_and_every_asker_gets_the_same_key():
    asking = Asking()
    answers = asking.answers()
    found = {
        asking.combine({at: answers[at] for at in chosen})[0].expose()
        for chosen in combinations(answers, 3)
    }
    asking.secret, asking.to = derived.asker(rng())
    found.add(asking.combine(asking.answers())[0].expose())
    assert len(found) == 1
    whole = G1.encode(G1.multiply(asking.key, derived.point_of(asking.root, NAME)))
    assert found == {whole}


def test_inputs_and_purposes_have_keys_of_their_own():
    asking = Asking()
    names = [
        derived.input_of("app", b"a", b"b"),
        derived.input_of("app", b"ab", b""),
        derived.input_of("state", b"a", b"b"),
        derived.input_of("calldata", b"a", b"b"),
    ]
    points = [asking.combine(asking.answers(name), name)[0] for name in names]
    assert len({point.expose() for point in points}) == 4
    keys = {derived.key_of(points[0], purpose).expose() for purpose in ("one", "two")}
    assert len(keys) == 2
    assert len(derived.key_of(points[0], "long", 64)) == 64


def test_too_few_give_nothing():
    asking = Asking()
    answers = asking.answers()
    with pytest.raises(TooFew):
        asking.combine({at: answers[at] for at in (1, 2)})


def test_a_bad_answer_is_named_and_does_not_stop_it():
    asking = Asking()
    answers = asking.answers()
    good = asking.combine(answers)[0].expose()
    other = derived.answer(asking.shares[1], b"another input", asking.to, rng())
    stranger = derived.answer(asking.shares[1], NAME, derived.asker(rng())[1], rng())
    for wrong in (
        answers[2],
        other,
        stranger,
        replace(answers[1], nonce=answers[2].nonce),
        replace(answers[1], cipher=bytes(48)),
        replace(answers[1], cipher=b"\xc0" + bytes(47)),
    ):
        whole, bad = asking.combine(answers | {1: wrong})
        assert whole.expose() == good
        assert bad == [1]
        assert not derived.check(asking.root, NAME, asking.to, 1, wrong)
    with pytest.raises(TooFew):
        asking.combine({1: other, 2: answers[2], 3: answers[3]})
    for index, one in answers.items():
        assert derived.check(asking.root, NAME, asking.to, index, one)
        assert not derived.check(asking.root, NAME, asking.to, index % 4 + 1, one)


def test_nobody_else_can_unmask():
    asking = Asking()
    thief, _ = derived.asker(rng())
    with pytest.raises(TooFew):
        derived.combine(asking.root, NAME, thief, asking.to, asking.answers())


@pytest.mark.parametrize(
    "first",
    [
        b"\xc0" + bytes(47),  # the identity would publish the answer
        bytes((0x80,)) + bytes(46) + b"\x04",  # outside the subgroup
        bytes(48),
        b"\xff" * 48,
        b"",
    ],
)
def test_an_asker_key_that_opens_answers_is_refused(first):
    asking = Asking()
    for bad in (AskerKey(first, asking.to.second), AskerKey(asking.to.first, first)):
        with pytest.raises(BadPoint):
            derived.answer(asking.shares[1], NAME, bad, rng())


def test_halves_that_do_not_belong_together_are_refused():
    one, other = derived.asker(rng())[1], derived.asker(rng())[1]
    with pytest.raises(BadPoint):
        AskerKey(one.first, other.second).check()


def test_a_mask_that_serves_twice_opens_both_answers():
    """Why each answer has fresh randomness: the same y for two inputs leaks x·(H − H')."""
    asking = Asking()
    seed = Secret(b"\5" * 32)
    from keymoot.threshold.rng import SeededRng

    names = (NAME, b"another input")
    one, other = (
        derived.answer(asking.shares[1], name, asking.to, SeededRng(seed)) for name in names
    )
    assert one.nonce == other.nonce
    difference = G1.add(G1.decode(one.cipher), G1.negate(G1.decode(other.cipher)))
    points = [derived.point_of(asking.root, name) for name in names]
    leaked = G1.multiply(asking.shares[1].secret, G1.add(points[0], G1.negate(points[1])))
    assert G1.equal(difference, leaked)
