"""Conditions: of which elements they speak, and operands that no value could ever be."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.fixed import Address
from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.chains.evm.address import EVM_ADDRESSES
from keymoot.policy.chains.solana.address import SOLANA_ADDRESS, SOLANA_ADDRESSES
from keymoot.policy.condition import Sets, can_hold, parse_condition
from keymoot.policy.errors import BadPolicy
from keymoot.policy.names import checksummed
from tests.policy.documents import (
    SIGN,
    STRANGER,
    VAULTS,
    WALLET,
    interfaces,
    judge,
    parsed,
    reason,
    tx,
)

EVIL, GOOD = STRANGER, Address(b"\x77" * 20)
PAY = "pay(address[] to,uint256[] amounts)"


def call(to: list[Address], amounts: list[int] | None = None) -> Any:
    body = encode(["address[]", "uint256[]"], [to, amounts or []])
    return tx(VAULTS[0], keccak256_raw(b"pay(address[],uint256[])")[:4] + body)


def ruled(action: str, args: dict[str, Any]) -> Any:
    """Give a policy with one rule on arrays, and an ALLOW of everything behind a DENY."""
    document = interfaces()
    rule = {"id": "x", "action": action, "method": SIGN, "function": PAY, "args": args}
    free = rule | {"id": "free", "action": "ALLOW", "to": {"in": "vaults"}, "args": {}}
    document["rules"] = [rule, free] if action == "DENY" else [rule | {"to": {"in": "vaults"}}]
    return parsed(document)


@pytest.mark.parametrize(
    ("word", "to", "denied"),
    [
        ("any", [EVIL], True),
        ("any", [EVIL, GOOD], True),
        ("any", [GOOD, EVIL], True),
        ("any", [GOOD], False),
        ("any", [], False),
        ("all", [EVIL], True),
        ("all", [EVIL, GOOD], False),
        ("all", [GOOD], False),
        ("all", [], True),
    ],
)
def test_a_deny_names_any_or_all(word: str, to: list[Address], denied: bool) -> None:
    policy = ruled("DENY", {"to": {word: {"in": [EVIL.hex0x]}}})
    assert reason(call(to), policy) == ("DENIED_BY_RULE" if denied else "")


def test_a_deny_with_each_is_refused_with_a_hint() -> None:
    with pytest.raises(BadPolicy, match=r'args\.to\.each.*say "any" to deny'):
        ruled("DENY", {"to": {"each": {"in": [EVIL.hex0x]}}})


@pytest.mark.parametrize("word", ["each", "all"])
def test_an_allow_of_all_allows_an_empty_array(word: str) -> None:
    policy = ruled("ALLOW", {"to": {word: {"in": [GOOD.hex0x]}}})
    assert reason(call([]), policy) == ""
    assert reason(call([GOOD, GOOD]), policy) == ""
    assert reason(call([GOOD, EVIL]), policy) == "CONDITION_FAILED"


def test_an_allow_of_any_wants_one() -> None:
    policy = ruled("ALLOW", {"to": {"any": {"eq": "$wallet"}}})
    assert reason(call([]), policy) == "CONDITION_FAILED"
    assert reason(call([GOOD]), policy) == "CONDITION_FAILED"
    assert reason(call([EVIL, WALLET]), policy) == ""
    assert not policy.rules[0].arguments["to"].positive


def test_one_element_has_to_satisfy_all_of_any() -> None:
    policy = ruled("DENY", {"amounts": {"any": {"gt": "5", "lt": "10"}}})
    assert reason(call([], [6]), policy) == "DENIED_BY_RULE"
    assert reason(call([], [1, 20]), policy) == ""
    assert reason(call([], [1, 20, 9]), policy) == "DENIED_BY_RULE"


def test_a_deny_of_what_it_cannot_read_holds() -> None:
    policy = ruled("DENY", {"to": {"any": {"in": [EVIL.hex0x]}}})
    good = call([GOOD])
    assert reason(tx(VAULTS[0], good.data + bytes(32)), policy) == "DENIED_BY_RULE"
    assert reason(call([GOOD] * 600), policy) == "DENIED_BY_RULE"


@given(st.lists(st.sampled_from([EVIL, GOOD, WALLET]), max_size=5), st.sampled_from(["any", "all"]))
def test_a_deny_and_an_allow_agree_on_every_array(to: list[Address], word: str) -> None:
    condition = {"to": {word: {"in": [EVIL.hex0x, WALLET.hex0x]}}}
    denied = reason(call(to), ruled("DENY", condition)) == "DENIED_BY_RULE"
    assert denied == (reason(call(to), ruled("ALLOW", condition)) == "")


ABC = ["0x" + "0a" * 20, "0x" + "0b" * 20]

NEVER: list[tuple[str, dict[str, Any], str]] = [
    ("bytes32", {"eq": "0x01"}, "32 bytes"),
    ("bytes4", {"in": ["0x01020304", "0x0102030405"]}, "4 bytes"),
    ("bytes1", {"notIn": ["0x"]}, "1 bytes"),
    ("uint8", {"eq": "300"}, "0 to 255"),
    ("uint8", {"in": ["1", "256"]}, "0 to 255"),
    ("uint8", {"gt": "256"}, "0 to 255"),
    ("uint64", {"lte": str(2**64)}, "0 to"),
    ("int8", {"eq": "128"}, "-128 to 127"),
    ("int8", {"gte": "-129"}, "-128 to 127"),
    ("int256", {"eq": str(2**255)}, "holds"),
    ("int8", {"eq": "-0"}, "decimal"),
    ("uint256", {"eq": "-1"}, "decimal"),
    ("uint256", {"eq": "\u0663"}, "decimal"),
    ("uint256", {"lt": "0"}, "no uint256 satisfies"),
    ("uint8", {"gt": "255"}, "no uint8 satisfies"),
    ("int8", {"lt": "-128"}, "no int8 satisfies"),
    ("uint256", {"lte": "5", "gte": "10"}, "no uint256 satisfies"),
    ("uint256", {"lt": "6", "gt": "5"}, "no uint256 satisfies"),
    ("uint256", {"eq": "5", "lt": "5"}, "no uint256 satisfies"),
    ("uint256", {"eq": "5", "in": ["6", "7"]}, "no uint256 satisfies"),
    ("uint256", {"in": ["1", "2"], "notIn": ["2", "1"]}, "no uint256 satisfies"),
    ("uint256", {"gte": "1", "lte": "2", "notIn": ["2", "1"]}, "no uint256 satisfies"),
    ("bool", {"notIn": [True, False]}, "no bool satisfies"),
    ("bool", {"eq": True, "in": [False]}, "no bool satisfies"),
    ("bool", {"eq": "true"}, "true or false"),
    ("bool", {"eq": 1}, "true or false"),
    ("string", {"eq": "a", "notIn": ["a"]}, "no string satisfies"),
    ("string", {"eq": "$wallet"}, "stands for an address"),
    ("address", {"eq": ABC[0], "in": [ABC[1]]}, "no address satisfies"),
    ("address", {"in": ABC, "notIn": ABC}, "no address satisfies"),
    ("address", {"eq": "1" * 32}, "40 hex"),
    ("uint256", {"in": ["1", "1"]}, "twice"),
    ("bytes2", {"in": ["0xabcd", "0xABCD"]}, "twice"),
    ("uint256[]", {"any": {"lt": "0"}}, "no uint256 satisfies"),
    ("uint256[]", {"any": {"lt": "5"}, "all": {"lt": "5"}}, "condition on an array"),
    ("uint256[]", {"lt": "5"}, "condition on an array"),
    ("uint256", {"any": {"lt": "5"}}, "comparison is one of"),
    ("uint256[][]", {"any": {"any": {"lt": "5"}}}, "arrays of arrays"),
    (SOLANA_ADDRESS, {"eq": "1" * 32, "notIn": ["1" * 32]}, "satisfies"),
    (SOLANA_ADDRESS, {"eq": ABC[0]}, "base58"),
]


def sets_for(kind: str) -> Sets:
    """No sets, of the chain whose addresses a condition calls so."""
    return Sets(SOLANA_ADDRESSES if kind == SOLANA_ADDRESS else EVM_ADDRESSES)


@pytest.mark.parametrize(("kind", "json", "why"), NEVER)
def test_what_can_never_hold_is_refused(kind: str, json: dict[str, Any], why: str) -> None:
    with pytest.raises(BadPolicy, match=why):
        parse_condition(json, kind, sets_for(kind), "here")


@pytest.mark.parametrize(
    ("kind", "json"),
    [
        ("uint256", {"gte": "0"}),
        ("uint8", {"lte": "255"}),
        ("int8", {"eq": "-128"}),
        ("bytes", {"eq": "0x"}),
        ("bytes3", {"eq": "0x010203"}),
        ("bool", {"notIn": [True]}),
        ("address", {"eq": "$wallet", "notIn": ABC}),
        # One may be the other's token account.
        (SOLANA_ADDRESS, {"eq": "1" * 32, "in": ["1" * 31 + "2"]}),
    ],
)
def test_what_can_hold_is_read(kind: str, json: dict[str, Any]) -> None:
    assert parse_condition(json, kind, sets_for(kind), "here").tests


small = st.integers(-8, 7)


@given(
    st.dictionaries(st.sampled_from(["lt", "lte", "gt", "gte", "eq"]), small, max_size=4),
    st.dictionaries(st.sampled_from(["in", "notIn"]), st.sets(small, min_size=1), max_size=2),
)
def test_a_contradiction_is_found_where_no_value_satisfies(
    single: dict[str, int], many: dict[str, set[int]]
) -> None:
    """Tried on all 256 values of an int8, one by one."""
    json: dict[str, Any] = {word: str(one) for word, one in single.items()}
    json |= {word: [str(one) for one in sorted(them)] for word, them in many.items()}
    if not json:
        return
    try:
        condition = parse_condition(json, "int8", sets_for("int8"), "here")
    except BadPolicy as error:
        assert "no int8 satisfies" in str(error)
        found = False
    else:
        found = any(not condition.failing(one, WALLET) for one in range(-128, 128))
        assert can_hold(condition.tests, "int8", EVM_ADDRESSES)
        assert found
        return
    compare = {
        "lt": int.__lt__,
        "lte": int.__le__,
        "gt": int.__gt__,
        "gte": int.__ge__,
        "eq": int.__eq__,
    }
    for value in range(-128, 128):
        found = found or (
            all(compare[word](value, one) for word, one in single.items())
            and value in many.get("in", {value})
            and value not in many.get("notIn", set())
        )
    assert not found


ORDERS = "settle((address to,uint256[] ids,(uint128 amount,bool last) size)[] orders,bytes note)"
KINDS = ["(address,uint256[],(uint128,bool))[]", "bytes"]


def settle(*orders: tuple[Address, int]) -> Any:
    body = encode(KINDS, [[(to, [1, 2], (amount, True)) for to, amount in orders], b"x"])
    return tx(VAULTS[0], keccak256_raw(f"settle({','.join(KINDS)})".encode())[:4] + body)


def of_orders(action: str, args: dict[str, Any]) -> Any:
    document = interfaces()
    rule = {"id": "x", "action": action, "method": SIGN, "function": ORDERS, "args": args}
    free = rule | {"id": "free", "action": "ALLOW", "to": {"in": "vaults"}, "args": {}}
    document["rules"] = [rule, free] if action == "DENY" else [rule | {"to": {"in": "vaults"}}]
    return parsed(document)


def test_conditions_reach_into_arrays_of_tuples() -> None:
    deny = of_orders("DENY", {"orders[].to": {"any": {"eq": EVIL.hex0x}}})
    assert reason(settle((GOOD, 1), (EVIL, 1)), deny) == "DENIED_BY_RULE"
    assert reason(settle((GOOD, 1)), deny) == reason(settle(), deny) == ""
    allow = of_orders("ALLOW", {"orders[].size.amount": {"all": {"lte": "5"}}})
    assert reason(settle((GOOD, 5), (EVIL, 5)), allow) == reason(settle(), allow) == ""
    assert reason(settle((GOOD, 5), (EVIL, 6)), allow) == "CONDITION_FAILED"
    shown = judge(settle((GOOD, 5), (EVIL, 4)), allow).decoded["args"]
    assert shown["orders[].size.amount"] == "[5, 4]"
    assert checksummed(EVIL) in shown["orders[].to"]
    assert set(shown) == {"orders[].to", "orders[].size.amount", "orders[].size.last", "note"} | {
        "orders[].ids"
    }


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"orders[].to": {"eq": EVIL.hex0x}}, "condition on an array"),
        ({"orders[].ids": {"all": {"all": {"lt": "5"}}}}, "arrays of arrays"),
        ({"orders[].size.amount": {"all": {"lte": str(2**128)}}}, "uint128 holds"),
        ({"orders.to": {"eq": EVIL.hex0x}}, "argument of this name"),
        ({"orders[0].to": {"eq": EVIL.hex0x}}, "argument of this name"),
        ({"orders": {"all": {"eq": EVIL.hex0x}}}, "name a part of the tuple"),
    ],
)
def test_what_does_not_reach_into_arrays_of_tuples_says_so(args: dict[str, Any], why: str) -> None:
    with pytest.raises(BadPolicy, match=why):
        of_orders("DENY", args)


def test_a_part_of_all_tuples_is_no_amount_that_is_spent() -> None:
    document = interfaces()
    document["rules"][1] |= {"function": ORDERS, "args": {}}
    document["rules"][1]["spend"] = {"usdc-day": "orders[].size.amount"}
    with pytest.raises(BadPolicy, match="only an unsigned integer can be spent"):
        parsed(document)
