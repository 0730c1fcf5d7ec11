"""Shares put together: any candidate's, and who gave a bad one."""

from itertools import combinations

from keymoot.base.fixed import Hash32
from keymoot.engine.combining import SigningContext, combine
from keymoot.threshold import bls
from keymoot.threshold.bls12381 import G1
from tests.engine.committee import DEALT, deal

ROOT, SHARES = DEALT[0][3], DEALT[1]
ONE, TWO = Hash32(b"1" * 32), Hash32(b"2" * 32)
FIRST = SigningContext(ROOT, ONE, b"the block in one generation")
SECOND = SigningContext(ROOT, TWO, b"the block in another")


def share(seat: int, under: SigningContext = FIRST) -> bytes:
    return G1.encode(bls.sign(SHARES[seat], under.message))


def test_any_three_of_four_give_the_same_certificate() -> None:
    found = {
        combine([FIRST], {seat: share(seat) for seat in seats}).signature
        for size in (3, 4)
        for seats in combinations((1, 2, 3, 4), size)
    }
    assert len(found) == 1
    assert bls.verify(ROOT.public, FIRST.message, G1.decode(found.pop()))


def test_two_are_too_few_and_nobody_is_named() -> None:
    combined = combine([FIRST], {1: share(1), 2: share(2)})
    assert combined.signature == b""
    assert combined.bad == ()


def test_each_bad_share_is_named_whatever_is_bad_about_it() -> None:
    good = {1: share(1), 3: share(3), 4: share(4)}
    infinity = bytes([0xC0]) + bytes(47)
    for bad in (share(3), share(2, SECOND), b"junk", infinity, b""):
        combined = combine([FIRST], good | {2: bad})
        assert combined.bad == (2,)
        assert combined.signature == combine([FIRST], good).signature


def test_bad_ones_are_named_where_too_few_are_good() -> None:
    shares = {1: share(1), 2: share(1), 3: share(3), 4: b"junk"}
    combined = combine([FIRST], shares)
    assert combined.signature == b""
    assert combined.bad == (2, 4)


def test_the_generation_is_that_under_which_the_shares_are_good() -> None:
    shares = {seat: share(seat, SECOND) for seat in (1, 2, 4)}
    combined = combine([FIRST, SECOND], shares)
    assert combined.generation == TWO
    assert combined.bad == ()
    # Two of one kind and two of the other make nothing, and nobody of them is bad.
    split = {1: share(1), 2: share(2), 3: share(3, SECOND), 4: share(4, SECOND)}
    assert combine([FIRST, SECOND], split).signature == b""
    assert combine([FIRST, SECOND], split).bad == ()


def test_a_seat_that_the_root_does_not_have_counts_for_nothing() -> None:
    roots, larger = deal(7)
    assert len(roots[3].shares) == 7
    stranger = G1.encode(bls.sign(larger[6], FIRST.message))
    combined = combine([FIRST], {1: share(1), 2: share(2), 6: stranger})
    assert combined.signature == b""
    assert combined.bad == (6,)
