"""CBOR in one form: cbor2 reads and writes the same."""

import cbor2
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.daemon.cbor import MAX_DEPTH, decode, encode

LEAF = st.none() | st.booleans() | st.integers(-(2**64), 2**64 - 1) | st.binary() | st.text()
KEY = st.text(max_size=8) | st.binary(max_size=8) | st.integers(0, 300)
VALUE = st.recursive(
    LEAF, lambda of: st.lists(of, max_size=4) | st.dictionaries(KEY, of, max_size=4), max_leaves=12
)


@given(VALUE)
def test_what_is_written_is_read_and_cbor2_agrees(value):
    raw = encode(value)
    assert decode(raw) == value
    assert cbor2.loads(raw) == value
    assert raw == cbor2.dumps(value, canonical=True)


@given(st.binary(max_size=64))
@example(bytes.fromhex("1817"))
@example(bytes.fromhex("a2616201616101"))
@example(bytes.fromhex("a2616101616101"))
def test_what_is_read_has_one_form(raw):
    try:
        value = decode(raw)
    except Malformed:
        return
    assert encode(value) == raw


@pytest.mark.parametrize(
    "digits",
    ["", "18", "1817", "190001", "1a00000001", "1b0000000000000001", "5f4100ff", "9f00ff", "c100",
     "f93c00", "f7", "0000", "61ff", "a2616201616101", "a2616101616101", "a1f400", "9b" + "ff" * 8,
     "7bffffffffffffffff"],
)  # fmt: skip
def test_other_forms_are_refused(digits):
    with pytest.raises(Malformed):
        decode(bytes.fromhex(digits))


def test_depth_has_a_most():
    decode(b"\x81" * (MAX_DEPTH - 1) + b"\x00")
    with pytest.raises(Malformed, match="nested"):
        decode(b"\x81" * MAX_DEPTH + b"\x00")
