"""Signatures of functions, and calldata read by them: an owner writes one, an agent the other."""

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.abi.decode import MAX_VALUES
from keymoot.policy.chains.evm import calldata
from keymoot.policy.chains.evm.calldata import BadCalldata, Calldata
from keymoot.policy.chains.evm.signature import Function, parse_function
from keymoot.policy.errors import BadPolicy
from keymoot.policy.shown import show
from tests.base.abi.strategies import theirs
from tests.examples import examples
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


@settings(max_examples=examples(400), deadline=None)
@given(signatures, bodies)
def test_any_calldata_is_read_or_bad(text: str, body: bytes) -> None:
    try:
        function = parse_function(text, "function")
    except BadPolicy:
        return
    known = Calldata(function.selector + body)
    try:
        found = known.arguments(function)
    except BadCalldata:
        return
    assert encode([argument.kind for argument in function.arguments], theirs(found)) == body
    values = [known.argument(function, path) for path in function.places]
    # A set is asked for values: all have a hash.
    assert all(isinstance(hash(value), int) for value in values)


COUNT = 32


def array_of(count: int) -> tuple[Function, bytes]:
    function = parse_function("pay(address[] to)", "function")
    return function, function.selector + encode(["address[]"], [["0x" + "11" * 20] * count])


def test_arrays_have_a_bound() -> None:
    function, data = array_of(MAX_VALUES - 1)
    assert len(Calldata(data).argument(function, "to")) == MAX_VALUES - 1 == 511
    with pytest.raises(BadCalldata, match=r"not pay\(address\[\]\): more than 512 values"):
        Calldata(array_of(MAX_VALUES)[1]).arguments(function)


def test_parts_of_tuples_have_paths() -> None:
    function = parse_function("f(uint8 a,(address to,(bool b,string c) d) e,(uint8 x)[] g)", "f")
    kinds = {path: place.kind for path, place in function.places.items()}
    assert kinds == {
        "a": "uint8",
        "e": "(address,(bool,string))",
        "e.to": "address",
        "e.d": "(bool,string)",
        "e.d.b": "bool",
        "e.d.c": "string",
        "g": "(uint8)[]",
        "g[].x": "uint8[]",
    }
    body = encode(list(map(kinds.get, "aeg")), [7, ("0x" + "22" * 20, (True, "text")), [(1,)]])
    known = Calldata(function.selector + body)
    assert known.argument(function, "e.d.c") == "text"
    assert known.argument(function, "g") == ((1,),)


def test_arrays_are_not_nested_without_end() -> None:
    parse_function("f(uint8[][][][] a)", "function")
    with pytest.raises(BadPolicy, match="nested deeper than 4"):
        parse_function("f(uint8[][][][][] a)", "function")


def test_a_call_is_read_once_however_many_rules_name_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sixty-four rules that each read two thousand addresses took every replica eight seconds."""
    _, data = array_of(40)
    bad = data + bytes(32)
    rule = {
        "action": "ALLOW",
        "method": SIGN,
        "to": {"in": "usdc"},
        "function": "pay(address[] to)",
        "args": {"to": {"each": {"notIn": "vaults"}}},
        "value": {"eq": "1"},
    }
    rules = [{**rule, "id": f"r{at}"} for at in range(COUNT)]
    document = changed(interfaces(), "rules", rules)
    reads, shows, read = [], [], calldata.decode
    monkeypatch.setattr(calldata, "decode", lambda *given: reads.append(1) or read(*given))
    monkeypatch.setattr(calldata, "show", lambda value: shows.append(value) or show(value))
    decision = judge(tx(USDC, data), parsed(document))
    assert decision.refusal is not None
    assert decision.refusal.reason == "CONDITION_FAILED"
    assert (len(reads), len(shows)) == (1, 1)
    assert sum(step.path == "args.to" and step.passed for step in decision.trace) == COUNT
    assert reason(tx(USDC, bad), parsed(document)) == "MALFORMED_CALLDATA"
    assert len(reads) == 2


def test_equal_values_of_two_types_are_shown_as_what_they_are() -> None:
    """1 and True are equal: what is remembered goes by place and type, not by value."""
    texts = []
    for kind, values in (("bool[]", [True, False]), ("uint8[]", [1, 0])):
        function = parse_function(f"f({kind} a)", "function")
        known = Calldata(function.selector + encode([kind], [values]))
        texts.append(known.text(function, "a"))
    assert texts == ["[true, false]", "[1, 0]"]


def test_two_functions_of_one_selector_are_refused_in_one_policy() -> None:
    texts = ["transfer(address to,uint256 amount)", "many_msg_babbage(bytes1 a)"]
    assert len({parse_function(text, "f").selector for text in texts}) == 1
    rules = [
        {"id": f"r{at}", "action": "DENY", "method": SIGN, "function": text}
        for at, text in enumerate(texts)
    ]
    with pytest.raises(BadPolicy, match="have the same selector"):
        parsed(changed(interfaces(), "rules", rules))
