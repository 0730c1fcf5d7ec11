"""Only a header that validators made final becomes a VerifiedHeader."""

from dataclasses import replace

import pytest

from keymoot.attest.commit import ABSENT, CommitSig, Flag, SignedHeader
from keymoot.attest.quorum import (
    ForgedCommit,
    NotFinal,
    TooLittlePower,
    VerifiedHeader,
    WrongChain,
    WrongCommit,
    WrongValidators,
    verify_commit,
)
from keymoot.base.errors import Defect, Malformed
from keymoot.base.units import Height, UnixNanos
from tests.attest.known import (
    CHAIN,
    Case,
    cases,
    says,
    set_of,
    sign_header,
    small_header,
    small_set,
)

FOUR, KEYS = small_set(1, 1, 1, 1)
GOOD = sign_header(small_header(FOUR), FOUR, KEYS, "cccn")


def _with(at: int, place: CommitSig) -> SignedHeader:
    """Put another signature into one place of the good commit."""
    places = list(GOOD.commit.signatures)
    places[at] = place
    return replace(GOOD, commit=replace(GOOD.commit, signatures=tuple(places)))


@pytest.mark.parametrize("case", cases("commits"), ids=says)
def test_agrees_with_cometbft(case: Case) -> None:
    signed = SignedHeader.decode(bytes.fromhex(case["signed_header"]))
    validators = set_of(case["validators"])
    if case["verify_commit"]:
        assert verify_commit(signed, validators, case["chain_id"]).header == signed.header
    else:
        with pytest.raises((NotFinal, ForgedCommit)):
            verify_commit(signed, validators, case["chain_id"])


def test_never_accepts_what_cometbfts_light_client_refuses() -> None:
    assert [case["verify_commit_light"] for case in cases("commits")].count(False) == 5
    for case in cases("commits"):
        assert case["verify_commit_light"] or not case["verify_commit"]


def test_accepts_three_of_four() -> None:
    assert verify_commit(GOOD, FOUR, CHAIN).header is GOOD.header


def test_refuses_another_network() -> None:
    with pytest.raises(WrongChain) as caught:
        verify_commit(GOOD, FOUR, "keymoot-other")
    assert (caught.value.found, caught.value.expected) == (CHAIN, "keymoot-other")


def test_refuses_a_commit_of_another_height() -> None:
    # The votes are good and name this very block, at a height that is not its own.
    high = replace(GOOD.commit, height=Height(6))
    with pytest.raises(WrongCommit, match="height 6"):
        verify_commit(replace(GOOD, commit=high), FOUR, CHAIN)


def test_refuses_a_commit_of_another_block() -> None:
    other = replace(GOOD.header, app_hash=bytes(32))
    with pytest.raises(WrongCommit, match="another block"):
        verify_commit(replace(GOOD, header=other), FOUR, CHAIN)


def test_refuses_other_validators_who_signed_well() -> None:
    # Both sets share the signers, so nothing but the hash tells them apart.
    heavier, _ = small_set(1, 1, 1, 2)
    others = sign_header(small_header(heavier), FOUR, KEYS, "cccc")
    with pytest.raises(WrongValidators):
        verify_commit(others, FOUR, CHAIN)


def test_refuses_a_commit_with_a_place_too_few() -> None:
    short = replace(GOOD.commit, signatures=GOOD.commit.signatures[:3])
    with pytest.raises(WrongCommit, match="3 places for 4"):
        verify_commit(replace(GOOD, commit=short), FOUR, CHAIN)


def test_refuses_a_commit_with_a_place_too_many() -> None:
    long = replace(GOOD.commit, signatures=(*GOOD.commit.signatures, ABSENT))
    with pytest.raises(WrongCommit, match="5 places for 4"):
        verify_commit(replace(GOOD, commit=long), FOUR, CHAIN)


def test_refuses_a_signer_who_is_no_validator() -> None:
    stranger = replace(GOOD.commit.signatures[1], address=bytes(20))
    with pytest.raises(ForgedCommit, match="no validator"):
        verify_commit(_with(1, stranger), FOUR, CHAIN)


def test_refuses_one_validator_twice() -> None:
    with pytest.raises(ForgedCommit, match="second"):
        verify_commit(_with(1, GOOD.commit.signatures[0]), FOUR, CHAIN)


def test_refuses_a_validator_in_the_place_of_another() -> None:
    places = (ABSENT, GOOD.commit.signatures[0], *GOOD.commit.signatures[2:])
    swapped = replace(GOOD, commit=replace(GOOD.commit, signatures=places))
    with pytest.raises(ForgedCommit, match="place of"):
        verify_commit(swapped, FOUR, CHAIN)


@pytest.mark.parametrize("at", [0, 3], ids=["for the block", "for nil"])
def test_refuses_a_bad_signature(at: int) -> None:
    bad = replace(GOOD.commit.signatures[at], signature=bytes(64))
    with pytest.raises(ForgedCommit, match=f"signature {at}"):
        verify_commit(_with(at, bad), FOUR, CHAIN)


def test_refuses_a_vote_dated_otherwise() -> None:
    moved = replace(GOOD.commit.signatures[0], timestamp=UnixNanos(1))
    with pytest.raises(ForgedCommit):
        verify_commit(_with(0, moved), FOUR, CHAIN)


def test_refuses_a_nil_vote_shown_as_one_for_the_block() -> None:
    turned = replace(GOOD.commit.signatures[3], flag=Flag.COMMIT)
    with pytest.raises(ForgedCommit):
        verify_commit(_with(3, turned), FOUR, CHAIN)


@pytest.mark.parametrize(
    ("powers", "how", "signed", "total"),
    [
        ((1, 1, 1), "cca", 2, 3),
        ((1, 1, 1, 1), "cann", 1, 4),
        ((2, 1), "ca", 2, 3),
        ((1,), "n", 0, 1),
        ((1, 1), "aa", 0, 2),
    ],
)
def test_refuses_two_thirds_or_less(
    powers: tuple[int, ...], how: str, signed: int, total: int
) -> None:
    validators, keys = small_set(*powers)
    given = sign_header(small_header(validators), validators, keys, how)
    with pytest.raises(TooLittlePower) as caught:
        verify_commit(given, validators, CHAIN)
    assert (caught.value.signed, caught.value.total) == (signed, total)


def test_accepts_just_over_two_thirds() -> None:
    validators, keys = small_set(201, 100)
    given = sign_header(small_header(validators), validators, keys, "ca")
    assert verify_commit(given, validators, CHAIN).header == given.header


def test_nobody_else_makes_a_verified_header() -> None:
    with pytest.raises(Defect):
        VerifiedHeader(GOOD.header, object())


def test_every_flipped_bit_is_refused() -> None:
    validators, keys = small_set(3, 1)
    raw = bytearray(sign_header(small_header(validators), validators, keys, "cn").encode())
    for bit in range(8 * len(raw)):
        raw[bit // 8] ^= 1 << bit % 8
        with pytest.raises((Malformed, NotFinal, ForgedCommit)):
            verify_commit(SignedHeader.decode(bytes(raw)), validators, CHAIN)
        raw[bit // 8] ^= 1 << bit % 8
