"""Signatures of functions, and calldata read by them: an owner writes one, an agent the other."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.policy.errors import BadPolicy
from keymoot.policy.evm.signature import Argument, BadCalldata, Function, parse_function

WORDS = [0, 1, 31, 32, 33, 64, 96, 2**32, 2**255, 2**256 - 1]

elementary = st.sampled_from(["address", "bool", "string", "bytes", "bytes1", "uint8", "int256"])
suffix = st.sampled_from(["", "", "[]", "[1]", "[3]", "[0]", "[00]", "[9999]", "[][]", "[2][]"])
named = st.recursive(
    st.tuples(elementary, suffix).map("".join),
    lambda inner: st.tuples(st.lists(inner, max_size=3), suffix).map(
        lambda pair: "(" + ",".join(f"{t} p{i}" for i, t in enumerate(pair[0])) + ")" + pair[1]
    ),
    max_leaves=6,
)
signatures = st.lists(named, max_size=4).map(
    lambda kinds: "f(" + ",".join(f"{kind} a{at}" for at, kind in enumerate(kinds)) + ")"
)
bodies = st.lists(
    st.sampled_from(WORDS).map(lambda word: word.to_bytes(32, "big")) | st.binary(max_size=40),
    max_size=24,
).map(b"".join)


@pytest.mark.parametrize("kind", ["uint8[0]", "uint8[][0]", "uint8[00]", "uint8[01]", "()", "()[]"])
def test_types_that_solidity_does_not_have_are_refused(kind: str) -> None:
    with pytest.raises(BadPolicy):
        parse_function(f"f({kind} a)", "function")


def test_what_the_decoder_stumbles_over_is_bad_calldata() -> None:
    """Policies are read before they are kept; what slips through must not stop a node."""
    function = Function("f", (Argument("uint8[0]", "a"),))
    with pytest.raises(BadCalldata, match="ParseError"):
        function.decode(function.selector + bytes(64))


@settings(max_examples=400, deadline=None)
@given(signatures, bodies)
def test_any_calldata_is_read_or_bad(text: str, body: bytes) -> None:
    try:
        function = parse_function(text, "function")
    except BadPolicy:
        return
    try:
        found: dict[str, Any] = function.decode(function.selector + body)
    except BadCalldata:
        return
    assert found.keys() == function._paths().keys()
