"""JSON from strangers: nesting is bounded before anything follows it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import MAX_DEPTH, parse

MOST = 10**6

trees = st.recursive(
    st.sampled_from(["", "[", '"]{', "\\", '\\"[', "\\\\", "ä]"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("a[\\"), inner, max_size=2)
    ),
    max_leaves=12,
)


def depth(value: Any) -> int:
    inside = value.values() if isinstance(value, dict) else value
    return 1 + max(map(depth, inside), default=0) if isinstance(value, list | dict) else 0


@given(trees, st.integers(0, 6), st.booleans())
def test_nesting_is_measured_outside_of_strings(value: Any, most: int, ascii_only: bool) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only)
    if depth(value) <= most:
        assert parse(text, MOST, most) == value
        return
    with pytest.raises(Malformed, match=f"nested deeper than {most} levels"):
        parse(text, MOST, most)


@pytest.mark.parametrize("text", ["[" * 60_000, '{"a":' * 10_000, "[" * 33 + "]" * 33])
def test_nothing_is_followed_down(text: str) -> None:
    with pytest.raises(Malformed, match="nested deeper than 32 levels"):
        parse(text, MOST)


def test_what_was_cut_off_is_no_json() -> None:
    whole = json.dumps([[[]] * 20] * 3)
    assert depth(json.loads(whole)) < MAX_DEPTH < whole.count("[")
    with pytest.raises(Malformed, match="not JSON"):
        parse(whole[:-5], MOST)
