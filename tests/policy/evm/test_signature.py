"""Signatures of functions, and calldata read by them: an owner writes one, an agent the other."""

from typing import Any

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.policy.document import MAX_RULES
from keymoot.policy.errors import BadPolicy
from keymoot.policy.evm import match, signature
from keymoot.policy.evm.layout import MAX_VALUES, check_layout
from keymoot.policy.evm.signature import (
    Argument,
    BadCalldata,
    Function,
    parse_function,
)
from keymoot.policy.shown import show
from tests.policy.documents import SIGN, USDC, changed, interfaces, judge, parsed, reason, tx

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
    with pytest.raises(BadCalldata, match=r"not the encoding of f\(uint8\[0\]\)"):
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
    # What is remembered by its value must have a hash.
    assert all(isinstance(hash(value), int) for value in found.values())


def array_of(count: int) -> tuple[Function, bytes]:
    function = parse_function("pay(address[] to)", "function")
    return function, function.selector + encode(["address[]"], [["0x" + "11" * 20] * count])


def test_arrays_have_a_bound() -> None:
    function, data = array_of(MAX_VALUES - 1)
    assert len(function.decode(data)["to"]) == MAX_VALUES - 1 == 511
    with pytest.raises(BadCalldata, match=r"pay\(address\[\]\) with at most 512 values"):
        function.decode(array_of(MAX_VALUES)[1])


def words(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(32, "big") for number in numbers)


def folded(depth: int, count: int) -> bytes:
    """Give arrays of arrays, of which all the offsets lead to one place."""
    inner = words(count, *[1] * count)
    for _ in range(depth - 1):
        inner = words(count, *[32 * count] * count) + inner
    return words(32) + inner


@pytest.mark.parametrize("kind", ["uint8[][]", "uint8[][][]", "uint8[][][][]"])
def test_what_folds_many_values_into_few_bytes_is_not_read(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sixty kilobytes of it would keep every replica busy for days."""
    function = parse_function(f"f({kind} a)", "function")
    monkeypatch.setattr(signature, "decode", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(BadCalldata, match="at most 512 values"):
        function.decode(function.selector + folded(kind.count("["), 400))


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("uint8[][]", ((1, 2), (), (3,))),
        ("uint8[2][]", ((1, 2), (3, 4))),
        ("(string,bytes[2],bool)[]", (("a", (b"x", b"y" * 40), True),)),
        ("((uint256,bytes),address[])", ((7, b"z"), ("0x" + "22" * 20,))),
        ("bytes[]", tuple(b"b" * at for at in range(100))),
        ("(uint8,uint16)[3][2]", (((1, 2),) * 3,) * 2),
    ],
)
def test_what_is_canonical_is_read_as_ever(kind: str, value: Any) -> None:
    body = encode([kind, "uint256"], [value, 9])
    check_layout([kind, "uint256"], body)
    assert decode([kind, "uint256"], body) == (value, 9)


def test_arrays_are_not_nested_without_end() -> None:
    parse_function("f(uint8[][][][] a)", "function")
    with pytest.raises(BadPolicy, match="nested deeper than 4"):
        parse_function("f(uint8[][][][][] a)", "function")


def test_a_call_is_read_once_however_many_rules_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four rules that each read two thousand addresses took every replica eight seconds."""
    _, data = array_of(300)
    bad = data + bytes(32)
    rule = {
        "action": "ALLOW",
        "method": SIGN,
        "to": {"in": "usdc"},
        "function": "pay(address[] to)",
        "args": {"to": {"each": {"notIn": "vaults"}}},
        "value": {"eq": "1"},
    }
    rules = [{**rule, "id": f"r{at}"} for at in range(MAX_RULES)]
    document = changed(interfaces(), "rules", rules)
    reads, shows = [], []
    monkeypatch.setattr(signature, "decode", lambda *a, **k: reads.append(a) or decode(*a, **k))
    monkeypatch.setattr(match, "show", lambda value: shows.append(value) or show(value))
    decision = judge(tx(USDC, data), parsed(document))
    assert decision.refusal is not None
    assert decision.refusal.reason == "CONDITION_FAILED"
    assert (len(reads), len(shows)) == (1, 1)
    assert sum(step.path == "args.to" and step.passed for step in decision.trace) == MAX_RULES
    assert reason(tx(USDC, bad), parsed(document)) == "MALFORMED_CALLDATA"
    assert len(reads) == 2


def test_equal_values_of_two_types_are_shown_as_what_they_are() -> None:
    assert match._argument("bool[]", (True, False)) == ((True, False), "[true, false]")
    assert match._argument("uint8[]", (1, 0)) == ((1, 0), "[1, 0]")


def test_two_functions_of_one_selector_are_refused_in_one_policy() -> None:
    texts = ["transfer(address to,uint256 amount)", "many_msg_babbage(bytes1 a)"]
    assert len({parse_function(text, "f").selector for text in texts}) == 1
    rules = [
        {"id": f"r{at}", "action": "DENY", "method": SIGN, "function": text}
        for at, text in enumerate(texts)
    ]
    with pytest.raises(BadPolicy, match="have the same selector"):
        parsed(changed(interfaces(), "rules", rules))
