"""Values are shown in words of ours, whatever they are and however long."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.fixed import Address, SolanaAddress
from keymoot.base.shown import MAX_SHOWN_BYTES
from keymoot.policy.shown import show

leaves = (
    st.text(st.characters(exclude_categories=()))
    | st.integers(-(2**320), 2**320)
    | st.booleans()
    | st.binary(max_size=200)
    | st.binary(min_size=20, max_size=20).map(Address)
    | st.binary(min_size=32, max_size=32).map(SolanaAddress)
)
values = st.recursive(leaves, lambda inner: st.lists(inner).map(tuple), max_leaves=60)


@given(values)
def test_no_value_takes_more_than_its_room(value: Any) -> None:
    assert len(json.dumps(show(value), ensure_ascii=False).encode()) - 2 <= MAX_SHOWN_BYTES


@pytest.mark.parametrize(
    ("value", "seen"),
    [
        (True, "true"),
        ((True, False), "[true, false]"),
        (-5, "-5"),
        (2**256 - 1, str(2**256 - 1)),
        (b"\x01\x02", "0x0102"),
        (b"\x07" * 64, "0x" + "07" * 63 + "… (64 bytes)"),
        ("x'y\"z", "x'y\"z"),
        (["a", "b"], "[a, b]"),
        ((), "[]"),
        (tuple(range(1_000)), "[" + ", ".join(map(str, range(34))) + "… (1000 values)"),
        (("x" * 500,) * 3, f"[{'x' * 88}… (500 characters)… (3 values)"),
        (Address(b"\x11" * 20), "0x" + "11" * 20),
        (SolanaAddress(bytes(32)), "1" * 32),
    ],
)
def test_is_written_so(value: Any, seen: str) -> None:
    assert show(value) == seen
