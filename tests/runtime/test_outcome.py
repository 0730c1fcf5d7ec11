"""What leaves an enclave for a block: one form of bytes, which comes back as it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address, Bytes32, Hash32
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.outcome import (
    MAX_OUTCOME_BYTES,
    MAX_OUTCOME_ITEMS,
    Outcome,
    outcome_digest,
)
from keymoot.runtime.receipt import Log, Receipt
from keymoot.store.header import Header

ZERO = Hash32(bytes(32))
HEADER = Header(
    parent_hash=ZERO,
    state_root=keccak256(b"state"),
    transactions_root=ZERO,
    receipts_root=ZERO,
    logs_bloom=bytes(256),
    height=Height(9),
    gas_limit=Gas(30_000_000),
    gas_used=Gas(0),
    time=UnixSeconds(1_800_000_000),
    generation=ZERO,
    mix_hash=ZERO,
    base_fee=Wei(1),
)
RECEIPT = Receipt(
    transaction_hash=keccak256(b"transaction"),
    sender=Address(b"s" * 20),
    to=None,
    status=0,
    gas_used=Gas(21_000),
    price=Wei(1),
    logs=(Log(Address(b"l" * 20), (Bytes32(bytes(32)),), b"data"),),
    error_code="NO",
    error="it is not so",
)
writes = st.dictionaries(
    st.binary(min_size=1, max_size=8), st.none() | st.binary(min_size=1, max_size=8)
)


@given(writes, st.integers(0, 3))
def test_an_outcome_comes_back(batch: dict, receipts: int) -> None:
    outcome = Outcome(HEADER, (RECEIPT,) * receipts, batch)
    raw = outcome.encode()
    assert Outcome.decode(raw) == outcome
    # Who executed the same block writes the same bytes, in whatever order it wrote the entries.
    backwards = Outcome(HEADER, (RECEIPT,) * receipts, dict(reversed(batch.items())))
    assert outcome_digest(backwards.encode()) == outcome_digest(raw) == keccak256(raw)


@pytest.mark.parametrize(
    "entries", [[[b"b", b""], [b"a", b""]], [[b"a", b"1"], [b"a", b"2"]], [[b"", b"1"]], [[b"a"]]]
)
def test_there_is_one_form_only(entries: list) -> None:
    with pytest.raises(Malformed):
        Outcome.decode(rlp.encode([HEADER.encode(), [], entries]))


@given(st.binary(max_size=60))
def test_other_bytes_are_malformed(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Outcome.decode(raw)


def test_a_long_outcome_and_one_of_too_many_items_are_not_read() -> None:
    raw = Outcome(HEADER, (RECEIPT,), {b"key": b"value"}).encode()
    assert (Outcome.MAX_BYTES, Outcome.MAX_ITEMS) == (MAX_OUTCOME_BYTES, MAX_OUTCOME_ITEMS)

    class Short(Outcome):
        MAX_BYTES = len(raw) - 1

    class Small(Outcome):
        MAX_ITEMS = 6

    with pytest.raises(Malformed, match=f"at most {len(raw) - 1} bytes are accepted"):
        Short.decode(raw)
    with pytest.raises(Malformed, match="more than 6 items"):
        Small.decode(raw)
