"""One signature for a message, whoever signs; none for parties that disagree."""

import hashlib
from itertools import combinations

import pytest

from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1, G2
from keymoot.threshold.committee import Committee
from keymoot.threshold.errors import TooFew
from tests.threshold.parties import known_root

MESSAGE = b"height 7"


def parties(size=4):
    _, root, shares = known_root(G2, size, Committee.of(size).degree)
    return root, shares


def test_every_subset_gives_the_same_value():
    root, shares = parties()
    signed = {at: bls.sign(share, MESSAGE) for at, share in shares.items()}
    values = set()
    for chosen in combinations(signed, 3):
        signature, bad = bls.combine(root, MESSAGE, {at: signed[at] for at in chosen})
        assert not bad
        assert bls.verify(root.public, MESSAGE, signature)
        values.add(bls.value(signature))
    assert len(values) == 1
    assert len(values.pop()) == bls.VALUE_BYTES


def test_too_few_give_none():
    root, shares = parties()
    for chosen in ((), (1,), (1, 2)):
        with pytest.raises(TooFew):
            bls.combine(root, MESSAGE, {at: bls.sign(shares[at], MESSAGE) for at in chosen})


def test_a_bad_share_is_named_and_does_not_stop_it():
    root, shares = parties()
    signed = {at: bls.sign(share, MESSAGE) for at, share in shares.items()}
    good = bls.value(bls.combine(root, MESSAGE, signed)[0])
    for wrong in (G1.generator, signed[2], bls.sign(shares[1], b"other")):
        signature, bad = bls.combine(root, MESSAGE, signed | {1: wrong})
        assert bls.value(signature) == good
        assert bad == [1]
        assert not bls.check(root, 1, MESSAGE, wrong)
    assert all(bls.check(root, at, MESSAGE, share) for at, share in signed.items())
    few = {1: G1.generator, 2: signed[2], 3: signed[3]}
    with pytest.raises(TooFew):
        bls.combine(root, MESSAGE, few)


@pytest.mark.parametrize("size", [4, 6])
def test_parties_that_executed_differently_get_none(size):
    """f parties sign both messages, the honest are split: neither side has enough."""
    root, shares = parties(size)
    committee = Committee.of(size)
    liars = set(range(1, committee.faults + 1))
    honest = [at for at in shares if at not in liars]
    # the split that helps the attacker most: one honest party more on one side
    for left in (honest[: len(honest) // 2], honest[: (len(honest) + 1) // 2]):
        right = [at for at in honest if at not in left]
        enough = 0
        for side, message in ((left, b"one"), (right, b"two")):
            signed = {at: bls.sign(shares[at], message) for at in {*side, *liars}}
            try:
                bls.combine(root, message, signed)
                enough += 1
            except TooFew:
                continue
        assert enough <= 1, "two values for one height"
        if len(left) == len(right):
            assert enough == 0


def test_a_share_is_worth_nothing_as_a_derived_key():
    """Roots are apart, and so are the points that a message hashes to."""
    from keymoot.threshold import derived

    assert bls.TAG != derived.TAG
    one, other = (G1.hash_to_curve(MESSAGE, tag) for tag in (bls.TAG, derived.TAG))
    assert not G1.equal(one, other)


def test_verifies_what_others_sign_with_the_standard_tag():
    """Round 1000 of drand's network "quicknet", whose signatures are in G1 under that tag."""
    public = G2.decode(
        bytes.fromhex(
            "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a"
            "2d1064510d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76"
            "eae8991ef5ece45a"
        )
    )
    signature = G1.decode(
        bytes.fromhex(
            "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b"
            "63ed5e39"
        )
    )
    message = hashlib.sha256((1000).to_bytes(8, "big")).digest()
    assert bls.verify(public, message, signature)
    assert not bls.verify(public, message + b"x", signature)
    expected = "fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd"
    assert bls.value(signature).hex() == expected


def test_whoever_signs_a_message_has_hashed_it_for_the_check():
    root, shares = parties()
    before = bls.point_of.cache_info().misses
    signed = {at: bls.sign(share, b"signed, then checked") for at, share in shares.items()}
    bls.combine(root, b"signed, then checked", signed)
    assert all(bls.check(root, at, b"signed, then checked", each) for at, each in signed.items())
    assert bls.point_of.cache_info().misses == before + 1
