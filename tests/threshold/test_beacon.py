"""The beacon: one value for a message, whoever signs; none for parties that disagree."""

from itertools import combinations

import pytest

from keymoot.threshold import beacon
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
    signed = {at: beacon.sign(share, MESSAGE) for at, share in shares.items()}
    values = set()
    for chosen in combinations(signed, 3):
        signature, bad = beacon.combine(root, MESSAGE, {at: signed[at] for at in chosen})
        assert not bad
        assert beacon.verify(root, MESSAGE, signature)
        values.add(beacon.value(signature))
    assert len(values) == 1
    assert len(values.pop()) == beacon.VALUE_BYTES


def test_too_few_give_none():
    root, shares = parties()
    for chosen in ((), (1,), (1, 2)):
        with pytest.raises(TooFew):
            beacon.combine(root, MESSAGE, {at: beacon.sign(shares[at], MESSAGE) for at in chosen})


def test_a_bad_share_is_named_and_does_not_stop_it():
    root, shares = parties()
    signed = {at: beacon.sign(share, MESSAGE) for at, share in shares.items()}
    good = beacon.value(beacon.combine(root, MESSAGE, signed)[0])
    for wrong in (G1.generator, signed[2], beacon.sign(shares[1], b"other")):
        signature, bad = beacon.combine(root, MESSAGE, signed | {1: wrong})
        assert beacon.value(signature) == good
        assert bad == [1]
        assert not beacon.check(root, 1, MESSAGE, wrong)
    assert all(beacon.check(root, at, MESSAGE, share) for at, share in signed.items())
    few = {1: G1.generator, 2: signed[2], 3: signed[3]}
    with pytest.raises(TooFew):
        beacon.combine(root, MESSAGE, few)


@pytest.mark.parametrize("size", [4, 6])
def test_parties_that_executed_differently_get_no_beacon(size):
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
            signed = {at: beacon.sign(shares[at], message) for at in {*side, *liars}}
            try:
                beacon.combine(root, message, signed)
                enough += 1
            except TooFew:
                continue
        assert enough <= 1, "two values for one height"
        if len(left) == len(right):
            assert enough == 0


def test_a_beacon_share_is_worth_nothing_as_a_derived_key():
    """Roots are apart, and so are the points that a message hashes to."""
    from keymoot.threshold import derived

    assert beacon.TAG != derived.TAG
    one, other = (G1.hash_to_curve(MESSAGE, tag) for tag in (beacon.TAG, derived.TAG))
    assert not G1.equal(one, other)
