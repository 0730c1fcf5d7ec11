"""The ring of parent hashes: EIP-2935's address, slots and reach."""

import pytest

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.store.history import (
    HISTORY_ADDRESS,
    KEPT_HASHES,
    hash_in,
    history_slot,
    keeps_hash,
)


def test_the_ring_is_that_of_the_eip() -> None:
    assert HISTORY_ADDRESS.hex0x == "0x0000f90827f1c53a10cb7a02335b175320002935"
    # Block n writes into slot (n − 1) % 8191.
    assert [int.from_bytes(history_slot(Height(at)), "big") for at in (0, 1, 8_190, 8_191)] == [
        0,
        1,
        8_190,
        0,
    ]


def test_it_reaches_8191_blocks_back_and_never_to_the_block_itself() -> None:
    newest = Height(10_000)
    assert keeps_hash(newest, Height(newest - 1))
    assert keeps_hash(newest, Height(newest - KEPT_HASHES))
    assert not keeps_hash(newest, newest)
    assert not keeps_hash(newest, Height(newest - KEPT_HASHES - 1))
    assert keeps_hash(Height(1), Height(0))
    assert not keeps_hash(Height(1), Height(-1))
    slots = {history_slot(Height(at)) for at in range(newest - KEPT_HASHES, newest)}
    assert len(slots) == KEPT_HASHES


def test_a_hash_that_begins_with_zeros_comes_back_whole() -> None:
    name = Hash32(bytes(3) + b"\x07" * 29)
    assert hash_in(bytes(name).lstrip(b"\0")) == name
    for raw in (b"", b"\x01" * 33):
        with pytest.raises(Malformed, match="a block's hash has 32 bytes"):
            hash_in(raw)
