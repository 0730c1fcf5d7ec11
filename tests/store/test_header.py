"""Headers: the rlp library as oracle for their bytes and hash, and nothing else is read."""

from dataclasses import fields, replace

import pytest
import rlp
from eth_utils import keccak
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Hash32
from keymoot.base.units import Gas, Height, UnixSeconds, Wei
from keymoot.store.header import NO_OMMERS, Header

hashes = st.binary(min_size=32, max_size=32).map(Hash32)
numbers = st.integers(0, 2**64 - 1)

headers = st.builds(
    Header,
    parent_hash=hashes,
    state_root=hashes,
    transactions_root=hashes,
    receipts_root=hashes,
    logs_bloom=st.binary(min_size=256, max_size=256),
    height=numbers.map(Height),
    gas_limit=numbers.map(Gas),
    gas_used=numbers.map(Gas),
    time=numbers.map(UnixSeconds),
    generation=hashes,
    mix_hash=hashes,
    base_fee=st.integers(0, 2**256 - 1).map(Wei),
)

ONE = Header(
    *(Hash32(bytes([at]) * 32) for at in range(1, 5)),
    logs_bloom=bytes(256),
    height=Height(7),
    gas_limit=Gas(60_000_000),
    gas_used=Gas(21_000),
    time=UnixSeconds(1_800_000_000),
    generation=Hash32(bytes(32)),
    mix_hash=Hash32(b"m" * 32),
    base_fee=Wei(10**9),
)


def listed(header: Header) -> list[bytes | int]:
    """Give Ethereum's sixteen fields, as its documents order them."""
    return [
        header.parent_hash,
        bytes.fromhex("1dcc4de8dec75d7aab85b567b6ccd41ad312451b948a7413f0a142fd40d49347"),
        bytes(20),
        header.state_root,
        header.transactions_root,
        header.receipts_root,
        header.logs_bloom,
        0,
        header.height,
        header.gas_limit,
        header.gas_used,
        header.time,
        header.generation,
        header.mix_hash,
        bytes(8),
        header.base_fee,
    ]


@given(headers)
def test_bytes_and_hash_are_ethereums(header: Header) -> None:
    assert header.encode() == rlp.encode(listed(header))
    assert header.hash == keccak(rlp.encode(listed(header)))
    assert Header.decode(header.encode()) == header


def test_every_field_changes_the_hash() -> None:
    seen, given = {ONE.hash}, [field for field in fields(Header) if field.init]
    for field in given:
        value = getattr(ONE, field.name)
        other = value + 1 if isinstance(value, int) else type(value)(b"\xff" * len(value))
        seen.add(replace(ONE, **{field.name: other}).hash)
    assert len(seen) == 1 + len(given) == 13


@pytest.mark.parametrize("at", [1, 2, 7, 14])
def test_what_is_constant_is_refused_otherwise(at: int) -> None:
    parts = listed(ONE)
    parts[at] = 1 if at == 7 else b"\x01" * len(parts[at])  # type: ignore[arg-type]
    with pytest.raises(Malformed, match="constant"):
        Header.decode(rlp.encode(parts))


@pytest.mark.parametrize("at", [0, 3, 4, 5, 6, 12, 13])
def test_fields_have_their_lengths(at: int) -> None:
    parts = listed(ONE)
    parts[at] = parts[at][:-1]  # type: ignore[index]
    with pytest.raises(Malformed):
        Header.decode(rlp.encode(parts))


@given(st.binary(max_size=700))
def test_nothing_else_is_a_header(raw: bytes) -> None:
    with pytest.raises(Malformed):
        Header.decode(raw)


@given(st.integers(0, 560), st.integers(1, 255))
def test_a_changed_byte_is_another_header_or_none(at: int, change: int) -> None:
    raw = bytearray(ONE.encode())
    raw[at % len(raw)] ^= change
    try:
        found = Header.decode(bytes(raw))
    except Malformed:
        return
    assert found.encode() == raw
    assert found != ONE


def test_no_ommers_is_the_hash_of_an_empty_list() -> None:
    assert keccak(rlp.encode([])) == NO_OMMERS


def test_a_long_header_is_not_read() -> None:
    with pytest.raises(Malformed, match="at most 1024 bytes"):
        Header.decode(ONE.encode() + bytes(1024))
