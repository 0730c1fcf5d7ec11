"""Blocks hash, and are cut into parts, as CometBFT does it."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.attest import merkle
from keymoot.attest.block import (
    NO_EVIDENCE_HASH,
    Block,
    TxResult,
    consensus_hash,
    data_hash,
    results_hash,
)
from keymoot.attest.commit import Commit
from keymoot.attest.header import NIL
from keymoot.base.errors import Malformed
from tests.attest.known import Case, cases, header_of, id_of, says


def _bytes_of(label: str, length: int) -> bytes:
    """Fill bytes as the generator does."""
    blocks = (sha256(f"{label}/{at}".encode()).digest() for at in range(length // 32 + 1))
    return b"".join(blocks)[:length]


def _block(case: Case) -> Block:
    count, size = case["transactions_count"], case["transactions_size"]
    return Block(
        header_of(case["header"]),
        tuple(_bytes_of(f"tx{at}", size + at) for at in range(count)),
        Commit.decode(bytes.fromhex(case["last_commit"])),
    )


@pytest.mark.parametrize("case", cases("data"), ids=says)
def test_transactions_hash_as_cometbft_does(case: Case) -> None:
    assert data_hash([bytes.fromhex(each) for each in case["transactions"]]).hex() == case["hash"]


@pytest.mark.parametrize("case", cases("results"), ids=says)
def test_results_hash_as_cometbft_does(case: Case) -> None:
    results = [
        TxResult(each["code"], bytes.fromhex(each["data"]), each["gas_wanted"], each["gas_used"])
        for each in case["results"]
    ]
    assert results_hash(results).hex() == case["hash"]


@pytest.mark.parametrize("case", cases("params"), ids=says)
def test_parameters_hash_as_cometbft_does(case: Case) -> None:
    assert consensus_hash(case["max_bytes"], case["max_gas"]).hex() == case["hash"]


@pytest.mark.parametrize("case", cases("blocks"), ids=says)
def test_block_id_is_cometbfts(case: Case) -> None:
    block = _block(case)
    assert data_hash(block.transactions).hex() == case["transactions_hash"]
    assert block.last_commit.hash().hex() == case["last_commit_hash"]
    assert len(block.encode()) == case["size_bytes"]
    assert block.block_id() == id_of(case["block_id"])


@pytest.mark.parametrize("case", cases("blocks"), ids=says)
def test_block_reads_back(case: Case) -> None:
    block = _block(case)
    assert Block.decode(block.encode()) == block


@given(st.binary(max_size=300))
def test_block_parser_raises_only_malformed(raw: bytes) -> None:
    try:
        block = Block.decode(raw)
    except Malformed:
        return
    assert block.encode() == raw


def _whole() -> Block:
    """Give a block whose header promises its contents."""
    block = _block(cases("blocks")[1])
    header = replace(block.header, last_block_id=block.last_commit.block_id)
    return Block(header, block.transactions, block.last_commit)


def test_accepts_a_block_whose_header_promises_its_contents() -> None:
    _whole().check()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"data_hash": bytes(32)}, "data hash"),
        ({"last_commit_hash": bytes(32)}, "last commit does not hash"),
        ({"height": 3}, "another height"),
        ({"last_block_id": NIL}, "another block"),
        ({"evidence_hash": bytes(32)}, "evidence"),
    ],
)
def test_refuses_a_block_whose_header_promises_others(
    change: dict[str, object], message: str
) -> None:
    block = _whole()
    header = replace(block.header, **change)  # type: ignore[arg-type]
    with pytest.raises(Malformed, match=message):
        Block(header, block.transactions, block.last_commit).check()


def test_nobody_accused_hashes_as_an_empty_tree() -> None:
    assert merkle.root([]) == NO_EVIDENCE_HASH
    assert merkle.root([]) == sha256(b"").digest()


def _by_definition(leaves: list[bytes]) -> bytes:
    """Split at the largest power of two below the count, as RFC 6962 says."""
    if len(leaves) == 1:
        return sha256(b"\x00" + leaves[0]).digest()
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = _by_definition(leaves[:middle]), _by_definition(leaves[middle:])
    return sha256(b"\x01" + left + right).digest()


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=70))
def test_tree_is_the_one_of_rfc_6962(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == _by_definition(leaves)
