"""Types of the ABI and values of them, for Hypothesis; types by their names, for eth-abi too."""

from typing import Any

from hypothesis import strategies as st

from keymoot.base.abi.kinds import Array, Kind, Tuple
from keymoot.base.fixed import Address

integers = st.builds(
    lambda family, size: f"{family}{8 * size}",
    st.sampled_from(["uint", "int"]),
    st.integers(1, 32),
)
elementary = (
    st.sampled_from(["address", "bool", "string", "bytes", "bytes1", "bytes31", "bytes32"])
    | integers
)
suffixes = st.sampled_from(["", "", "", "[]", "[1]", "[2]", "[][]", "[][2]"])
names = st.recursive(
    st.tuples(elementary, suffixes).map("".join),
    lambda inner: st.tuples(st.lists(inner, min_size=1, max_size=2), suffixes).map(
        lambda pair: f"({','.join(pair[0])}){pair[1]}"
    ),
    max_leaves=3,
)


def values(kind: Kind) -> st.SearchStrategy[Any]:
    """Give values of a type, as `decode` gives them."""
    if isinstance(kind, Array):
        low, high = (0, 2) if kind.length is None else (kind.length, kind.length)
        return st.lists(values(kind.item), min_size=low, max_size=high).map(tuple)
    if isinstance(kind, Tuple):
        return st.tuples(*map(values, kind.parts))
    if kind.family == "uint":
        return st.integers(0, (1 << kind.size) - 1)
    if kind.family == "int":
        return st.integers(-1 << kind.size - 1, (1 << kind.size - 1) - 1)
    return {
        "bool": st.booleans(),
        "address": st.binary(min_size=20, max_size=20).map(Address),
        "fixed": st.binary(min_size=kind.size, max_size=kind.size),
        "bytes": st.binary(max_size=70),
        "string": st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    }[kind.family]


def theirs(value: Any) -> Any:
    """Write a value as eth-abi gives it: addresses as hex."""
    if isinstance(value, tuple):
        return tuple(map(theirs, value))
    return value.hex0x if isinstance(value, Address) else value
