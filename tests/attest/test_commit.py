"""Votes, proposals and commits have CometBFT's bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest.commit import (
    ABSENT,
    NO_COMMIT,
    Commit,
    CommitSig,
    Flag,
    SignedHeader,
    VoteKind,
    proposal_sign_bytes,
    vote_sign_bytes,
)
from keymoot.attest.header import NIL
from keymoot.base.errors import Malformed
from keymoot.base.units import Height
from tests.attest.known import (
    NOW,
    Case,
    cases,
    id_of,
    says,
    sign_header,
    small_header,
    small_set,
    time_of,
)


@pytest.mark.parametrize("case", cases("votes"), ids=says)
def test_vote_is_signed_as_cometbft_does(case: Case) -> None:
    found = vote_sign_bytes(
        case["chain_id"],
        VoteKind(case["kind"]),
        Height(case["height"]),
        case["round"],
        id_of(case["block_id"]),
        time_of(case["time"]),
    )
    assert found.hex() == case["sign_bytes"]


@pytest.mark.parametrize("case", cases("proposals"), ids=says)
def test_proposal_is_signed_as_cometbft_does(case: Case) -> None:
    found = proposal_sign_bytes(
        case["chain_id"],
        Height(case["height"]),
        case["round"],
        case["pol_round"],
        id_of(case["block_id"]),
        time_of(case["time"]),
    )
    assert found.hex() == case["sign_bytes"]


@pytest.mark.parametrize("case", cases("commits"), ids=says)
def test_commit_has_cometbfts_bytes_and_hash(case: Case) -> None:
    raw = bytes.fromhex(case["commit"])
    commit = Commit.decode(raw)
    assert commit.encode() == raw
    assert commit.hash().hex() == case["commit_hash"]
    places = range(len(commit.signatures))
    assert [commit.sign_bytes(case["chain_id"], at).hex() for at in places] == case["sign_bytes"]


@pytest.mark.parametrize("case", cases("commits"), ids=says)
def test_signed_header_has_cometbfts_bytes(case: Case) -> None:
    raw = bytes.fromhex(case["signed_header"])
    assert SignedHeader.decode(raw).encode() == raw


def test_the_first_blocks_commit_is_empty_and_reads_back() -> None:
    assert Commit.decode(NO_COMMIT.encode()) == NO_COMMIT


@given(st.binary(max_size=300))
def test_commit_parser_raises_only_malformed(raw: bytes) -> None:
    for kind in (Commit, SignedHeader):
        try:
            found = kind.decode(raw)
        except Malformed:
            continue
        assert found.encode() == raw


@given(st.data())
def test_commit_parser_survives_changes_of_a_real_one(data: st.DataObject) -> None:
    raw = bytearray(bytes.fromhex(cases("commits")[2]["signed_header"]))
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = SignedHeader.decode(bytes(raw))
    except Malformed:
        return
    assert found.encode() == bytes(raw)


@pytest.mark.parametrize(
    "place",
    [
        CommitSig(Flag.ABSENT, bytes(20), ABSENT.timestamp, b""),
        CommitSig(Flag.ABSENT, b"", NOW, b""),
        CommitSig(Flag.ABSENT, b"", ABSENT.timestamp, bytes(64)),
        CommitSig(Flag.COMMIT, bytes(19), NOW, bytes(64)),
        CommitSig(Flag.COMMIT, bytes(20), NOW, bytes(63)),
        CommitSig(Flag.NIL, bytes(20), NOW, b""),
        CommitSig(0, bytes(20), NOW, bytes(64)),  # type: ignore[arg-type]
        CommitSig(4, bytes(20), NOW, bytes(64)),  # type: ignore[arg-type]
    ],
)
def test_refuses_a_place_that_contradicts_its_flag(place: CommitSig) -> None:
    validators, keys = small_set(1)
    block_id = sign_header(small_header(validators), validators, keys, "c").commit.block_id
    with pytest.raises(Malformed) as caught:
        Commit.decode(Commit(Height(5), 0, block_id, (place,)).encode())
    assert caught.value.path.startswith("commit.signatures[0]")


def test_refuses_a_commit_for_no_block_or_by_nobody() -> None:
    validators, keys = small_set(1)
    good = sign_header(small_header(validators), validators, keys, "c").commit
    for bad in (
        Commit(good.height, 0, NIL, good.signatures),
        Commit(good.height, 0, good.block_id, ()),
        Commit(Height(-1), 0, good.block_id, good.signatures),
        Commit(good.height, -1, good.block_id, good.signatures),
    ):
        with pytest.raises(Malformed):
            Commit.decode(bad.encode())
