"""Bytes of strangers: read in one form, once, with a bound; eth-abi is the oracle."""

from typing import Any

import eth_abi
import pytest
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.abi import decode as module
from keymoot.base.abi.decode import MAX_VALUES, BadEncoding, TooManyValues, decode
from keymoot.base.abi.kinds import parse_kinds
from keymoot.base.fixed import Address
from tests.base.abi.strategies import names, theirs, values
from tests.examples import examples

WORDS = [0, 1, 31, 32, 33, 64, 96, 128, 2**32, 2**255, 2**256 - 1]

bodies = st.lists(
    st.sampled_from(WORDS).map(lambda word: word.to_bytes(32, "big")) | st.binary(max_size=40),
    max_size=24,
).map(b"".join)
several = st.lists(names, max_size=3)


def words(*numbers: int) -> bytes:
    return b"".join((number % 2**256).to_bytes(32, "big") for number in numbers)


def canonical(kinds: list[str], body: bytes) -> Any:
    """Give what eth-abi reads from bytes that it would write; None where it would not."""
    try:
        found = eth_abi.decode(kinds, body, strict=True)
        return found if eth_abi.encode(kinds, found) == body else None
    except (DecodingError, OverflowError, ValueError, RecursionError):
        return None


@settings(max_examples=examples(150), deadline=None)
@given(several, bodies)
def test_reads_what_eth_abi_would_write_and_nothing_else(kinds: list[str], body: bytes) -> None:
    expected = canonical(kinds, body)
    try:
        found = decode(parse_kinds(kinds), body)
    except BadEncoding:
        assert expected is None
        return
    assert theirs(found) == expected


@settings(max_examples=examples(150), deadline=None)
@given(several, st.data())
def test_reads_one_changed_byte_as_eth_abi_does(kinds: list[str], data: st.DataObject) -> None:
    parsed = parse_kinds(kinds)
    wanted = data.draw(st.tuples(*map(values, parsed)))
    body = eth_abi.encode(kinds, theirs(wanted))
    assert decode(parsed, body) == wanted
    if not body:
        return
    at = data.draw(st.integers(0, len(body) - 1))
    changed = body[:at] + bytes((body[at] ^ data.draw(st.integers(1, 255)),)) + body[at + 1 :]
    expected = canonical(kinds, changed)
    try:
        found = decode(parsed, changed)
    except BadEncoding:
        assert expected is None
        return
    assert theirs(found) == expected


@pytest.mark.parametrize(
    ("kind", "body", "why"),
    [
        ("uint8", words(256), "does not fit uint8"),
        ("uint8", words(1) + b"\0", "33 bytes, where the values end after 32"),
        ("uint8", b"\0" * 31, "end at 31, before a value at 0"),
        ("int8", words(128), "does not fit int8"),
        ("int8", words(-129), "does not fit int8"),
        ("bool", words(2), "does not fit bool"),
        ("address", words(1 << 160), "does not fit address"),
        ("bytes2", words(1), "the bytes behind the 2 at 0 are not zeros"),
        ("bytes", words(32, 1, 1), "the bytes behind the 1 at 64 are not zeros"),
        ("bytes", words(32, 33, 0), "end at 96, before the 33 at 64"),
        ("bytes", words(32, 2**256 - 1, 0), "before the 1157"),
        ("bytes", words(32), "end at 32, before a length at 32"),
        ("bytes", words(64, 0, 0), "the offset at byte 0 does not lead to the next value"),
        ("bytes", words(0), "the offset at byte 0 does not lead to the next value"),
        ("string", words(32, 1, 0xFF << 248), "is not UTF-8"),
        ("string", words(32, 3, 0xEDA080 << 232), "is not UTF-8"),
        ("uint8[]", words(32, 2, 1), "before a value at 64"),
    ],
)
def test_says_what_is_wrong(kind: str, body: bytes, why: str) -> None:
    with pytest.raises(BadEncoding, match=why):
        decode(parse_kinds([kind]), body)


def test_values_have_our_types() -> None:
    body = words(2**160 - 1, 1, -5) + b"\x09" + bytes(31)
    found = decode(parse_kinds(["address", "bool", "int16", "bytes1"]), body)
    assert found == (Address(b"\xff" * 20), True, -5, b"\x09")
    assert [type(value) for value in found] == [Address, bool, int, bytes]


def test_two_offsets_that_lead_to_one_place_are_refused() -> None:
    body = words(64, 64, 3) + b"abc" + bytes(29)
    with pytest.raises(BadEncoding, match="offset at byte 32"):
        decode(parse_kinds(["bytes", "bytes"]), body)


def folded(depth: int, count: int) -> bytes:
    """Give arrays of arrays, of which all the offsets lead to one place."""
    inner = words(count, *[1] * count)
    for _ in range(depth - 1):
        inner = words(count, *[32 * count] * count) + inner
    return words(32) + inner


@pytest.mark.parametrize("depth", [2, 3, 4])
def test_what_folds_many_values_into_few_bytes_is_not_read(
    depth: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty kilobytes of it would keep every replica busy for days."""
    body, read = folded(depth, 400), []
    word = module._word
    monkeypatch.setattr(module, "_word", lambda *given: read.append(1) or word(*given))
    with pytest.raises(BadEncoding):
        decode(parse_kinds(["uint8" + "[]" * depth]), body)
    assert len(read) <= MAX_VALUES


@settings(max_examples=examples(150), deadline=None)
@given(several, bodies)
def test_reads_no_more_words_than_there_are(kinds: list[str], body: bytes) -> None:
    read: list[int] = []

    class Counted(bytes):
        def __getitem__(self, key: Any) -> Any:
            found = super().__getitem__(key)
            read.append(len(found))
            return found

    try:
        decode(parse_kinds(kinds), Counted(body))
    except BadEncoding:
        pass
    # A length or an offset is read once, each other byte once.
    assert sum(read) <= len(body) + 32


@pytest.mark.parametrize(
    ("kind", "count", "fits"),
    [
        ("uint8[]", MAX_VALUES - 1, True),
        ("uint8[]", MAX_VALUES, False),
        (f"uint8[{MAX_VALUES}]", MAX_VALUES, False),
        ("(uint8,uint8)[]", 170, True),
        ("(uint8,uint8)[]", 171, False),
    ],
)
def test_values_have_a_bound(kind: str, count: int, fits: bool) -> None:
    one = (1, 1) if "(" in kind else 1
    body = eth_abi.encode([kind], [[one] * count])
    if fits:
        assert len(decode(parse_kinds([kind]), body)[0]) == count
        return
    with pytest.raises(TooManyValues, match="more than 512 values"):
        decode(parse_kinds([kind]), body)


def test_a_length_beyond_the_bytes_costs_nothing() -> None:
    with pytest.raises(TooManyValues):
        decode(parse_kinds(["uint8[]"]), words(32, 2**255))
    with pytest.raises(BadEncoding, match="before a value at 0"):
        decode(parse_kinds(["uint8[9999][9999][9999][9999]"]), b"")
