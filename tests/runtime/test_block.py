"""A block: what follows a tip, and what executing it gives."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.units import Height, UnixSeconds
from keymoot.runtime.block import (
    MAX_ENCODED_BYTES,
    Block,
)
from keymoot.runtime.rules import MAX_BLOCK_TRANSACTIONS

blocks = st.builds(
    Block,
    st.integers(0, 2**64 - 1).map(Height),
    st.integers(0, 2**64 - 1).map(UnixSeconds),
    st.lists(st.binary(max_size=50), max_size=10).map(tuple),
)


@given(blocks)
def test_a_block_is_read_back(block: Block) -> None:
    assert Block.decode(block.encode()) == block


@given(st.binary(max_size=200))
def test_a_block_has_one_form(raw: bytes) -> None:
    try:
        found = Block.decode(raw)
    except Malformed:
        return
    assert found.encode() == raw


def test_bounds_of_bytes_and_items_hold_before_a_block_is_read() -> None:
    block = Block(Height(1), UnixSeconds(1), (b"x",) * MAX_BLOCK_TRANSACTIONS)
    assert Block.decode(block.encode()) == block
    with pytest.raises(Malformed, match="more than 259 items"):
        Block.decode(replace(block, transactions=(*block.transactions, b"x")).encode())
    with pytest.raises(Malformed, match="a block has at most"):
        Block.decode(bytes(MAX_ENCODED_BYTES + 1))
