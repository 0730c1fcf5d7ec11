"""Values to bytes: what eth-abi writes, and nothing that a type does not hold."""

from typing import Any

import eth_abi
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.abi.decode import decode
from keymoot.base.abi.encode import BadValue, encode
from keymoot.base.abi.kinds import parse_kinds
from tests.base.abi.strategies import names, theirs, values
from tests.examples import examples


@settings(max_examples=examples(150), deadline=None)
@given(st.lists(names, max_size=3), st.data())
def test_writes_what_eth_abi_writes_and_reads_it_again(
    kinds: list[str], data: st.DataObject
) -> None:
    parsed = parse_kinds(kinds)
    wanted = data.draw(st.tuples(*map(values, parsed)))
    written = encode(parsed, wanted)
    assert written == eth_abi.encode(kinds, theirs(wanted))
    assert decode(parsed, written) == wanted


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        *[("uint8", 256), ("uint8", -1), ("uint8", True), ("uint8", "1"), ("uint8", 1.0)],
        *[("int8", 128), ("int8", -129), ("bool", 1), ("bool", None)],
        *[("address", b"\1" * 19), ("address", "0x" + "11" * 20), ("bytes4", b"\1" * 3)],
        *[("bytes", "x"), ("string", b"x"), ("string", "\ud800")],
        *[("uint8[2]", [1]), ("uint8[]", 5), ("uint8[]", b"\1"), ("uint8[]", [300])],
        *[("(uint8,bool)", (1,)), ("(uint8,bool)", 1), ("(uint8,bool)", (1, True, 1))],
    ],
)
def test_what_a_type_does_not_hold_is_refused(kind: str, value: Any) -> None:
    with pytest.raises(BadValue):
        encode(parse_kinds([kind]), [value])


def test_each_value_needs_a_type() -> None:
    with pytest.raises(BadValue, match="a list of 1 values"):
        encode(parse_kinds(["uint8"]), [1, 2])
