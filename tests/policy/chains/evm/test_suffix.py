"""Tags behind calldata: only what a rule allows, and nothing else rides in."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given
from hypothesis import strategies as st

from keymoot.crypto.keccak import keccak256_raw
from keymoot.policy.chains.evm.suffix import MAX_SUFFIX_BYTES, erc8021_codes, parse_suffix
from keymoot.policy.document import Policy
from keymoot.policy.errors import BadPolicy
from tests.policy.documents import (
    SIGN,
    STRANGER,
    VAULTS,
    WALLET,
    changed,
    deposit,
    interfaces,
    judge,
    parsed,
    reason,
    tx,
)

# As Base's own tools write it, for two builders' codes.
ONE = bytes.fromhex("62635f62386e6f733561380b0080218021802180218021802180218021")
TWO = b"baseapp,morpho" + b"\x0e\x00" + b"\x80\x21" * 8
EXACT = b"by our agent"


def tag(codes: bytes, length: int | None = None, schema: int = 0) -> bytes:
    return codes + bytes((len(codes) if length is None else length, schema)) + b"\x80\x21" * 8


def tagged(suffix: Any = "erc8021") -> Policy:
    return parsed(changed(interfaces(), "rules/1", interfaces()["rules"][1] | {"suffix": suffix}))


def behind(calldata: bytes, suffix: bytes, policy: Policy) -> str:
    return reason(tx(VAULTS[0], calldata + suffix), policy)


def test_codes_of_erc_8021_are_read() -> None:
    assert erc8021_codes(ONE) == "bc_b8nos5a8"
    assert erc8021_codes(b"any calldata" + TWO) == "baseapp,morpho"


NO_TAGS = [
    b"",
    b"\x80\x21" * 8,
    b"\0" + b"\x80\x21" * 8,
    tag(b""),
    tag(b"", 0),
    tag(b"baseapp", schema=1),
    tag(b"baseapp", schema=2),
    tag(b"base app"),
    tag(b"base\x00app"),
    tag("bäse".encode()),
    tag(b","),
    tag(b"a,,b"),
    tag(b"a,"),
    tag(b"a" * 33),
    tag(b"baseapp", 6),
    tag(b"ab", 3),
    tag(b"abc,def,ghi" * 10 + b"a", 111),
    ONE + b"\0",
    ONE[:-1],
    b"\0" + ONE[1:],
]


@pytest.mark.parametrize("bad", NO_TAGS[1:])
def test_what_is_no_tag_of_erc_8021_is_refused_behind_calldata(bad: bytes) -> None:
    assert behind(deposit(1).data, bad, tagged()) == "MALFORMED_CALLDATA"


def test_a_rule_allows_calldata_with_its_tag_and_without() -> None:
    for suffix, good in (("erc8021", ONE), ("erc8021", TWO), ("0x" + EXACT.hex(), EXACT)):
        policy = tagged(suffix)
        for body in (b"", good):
            assert behind(deposit(7).data, body, policy) == ""
        assert behind(deposit(7).data, good + good, policy) == "MALFORMED_CALLDATA"
        assert behind(deposit(7).data + bytes(32), good, policy) == "MALFORMED_CALLDATA"
        assert behind(deposit(7).data[:-1], good, policy) == "MALFORMED_CALLDATA"
        assert behind(deposit(7, STRANGER).data, good, policy) == "CONDITION_FAILED"
        assert behind(deposit(500_000_001).data, good, policy) == "LIMIT_EXCEEDED"
        assert behind(b"", good, policy) == "NO_RULE"


def test_without_a_rule_for_it_a_tag_is_refused_and_the_refusal_says_how() -> None:
    for policy in (parsed(), tagged("0x" + EXACT.hex())):
        refused = judge(tx(VAULTS[0], deposit(1).data + ONE), policy).refusal
        assert refused.reason == "MALFORMED_CALLDATA"
        assert '"suffix": "erc8021"' in refused.message
    assert behind(deposit(1).data, EXACT, tagged()) == "MALFORMED_CALLDATA"


def test_the_tag_is_shown_and_the_amount_behind_it_is_spent() -> None:
    decision = judge(tx(VAULTS[0], deposit(7).data + TWO), tagged())
    assert decision.decoded["suffix"] == "erc8021 baseapp,morpho"
    assert decision.decoded["args"]["assets"] == "7"
    assert decision.usage["usdc-day"].buckets[0][1] == 7
    step = next(step for step in decision.trace if step.path == "suffix")
    assert (step.wanted, step.got, step.passed) == ("erc8021", "erc8021 baseapp,morpho", True)
    assert "suffix" not in judge(deposit(7), tagged()).decoded


@pytest.mark.parametrize("suffix", [b"", ONE, EXACT])
def test_a_deny_sees_through_every_tag_that_the_policy_allows(suffix: bytes) -> None:
    document = interfaces()
    document["rules"][1]["suffix"] = "erc8021"
    document["rules"].append(document["rules"][1] | {"id": "d2", "suffix": "0x" + EXACT.hex()})
    document["rules"].append(
        {"id": "not-much", "action": "DENY", "method": SIGN}
        | {"function": "deposit(uint256 much,address whom)", "args": {"much": {"gt": "100"}}}
    )
    policy = parsed(document)
    assert behind(deposit(100).data, suffix, policy) == ""
    assert behind(deposit(101).data, suffix, policy) == "DENIED_BY_RULE"
    # And what it cannot read in any way stays denied.
    assert behind(deposit(1).data + b"\0", suffix, policy) == "DENIED_BY_RULE"


def test_a_function_without_arguments_keeps_its_selector() -> None:
    document = interfaces()
    document["rules"] = [
        {"id": "poke", "action": "ALLOW", "method": SIGN, "to": {"in": "vaults"}}
        | {"function": "poke()", "suffix": "erc8021"}
    ]
    document["limits"] = []
    policy = parsed(document)
    poke = keccak256_raw(b"poke()")[:4]
    assert behind(poke, ONE, policy) == behind(poke, b"", policy) == ""
    assert behind(poke[:3], ONE, policy) == "NO_RULE"
    document["rules"][0]["suffix"] = "0x" + poke.hex()
    assert behind(poke, b"", parsed(document)) == ""
    assert behind(poke, poke, parsed(document)) == ""
    assert behind(poke, poke + poke, parsed(document)) == "MALFORMED_CALLDATA"


values = st.tuples(st.binary(max_size=40), st.lists(st.integers(0, 9), max_size=3))


@given(values, st.one_of(st.binary(min_size=1, max_size=64), st.just(bytes(32)), st.just(ONE)))
def test_behind_canonical_calldata_stands_no_other_reading(one: Any, more: bytes) -> None:
    """The start of an encoding is none: so a tag is never taken for a part of the arguments."""
    document = interfaces()
    rule = {"id": "note", "action": "ALLOW", "method": SIGN, "to": {"in": "vaults"}}
    document["rules"] = [rule | {"function": "note(bytes text,uint256[] list)"}]
    plain = keccak256_raw(b"note(bytes,uint256[])")[:4] + encode(["bytes", "uint256[]"], one)
    assert behind(plain, b"", parsed(document)) == ""
    assert behind(plain, more, parsed(document)) == "MALFORMED_CALLDATA"
    document["rules"][0]["suffix"] = "0x" + more.hex()
    assert behind(plain, more, parsed(document)) == ""
    assert (
        judge(tx(VAULTS[0], plain + more), parsed(document)).decoded["args"]
        == (judge(tx(VAULTS[0], plain), parsed(document)).decoded["args"])
    )


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("rules/1/suffix", "ERC-8021", "rules[1].suffix"),
        ("rules/1/suffix", "", "rules[1].suffix"),
        ("rules/1/suffix", "0x", "rules[1].suffix"),
        ("rules/1/suffix", "0xabc", "rules[1].suffix"),
        ("rules/1/suffix", True, "rules[1].suffix"),
        ("rules/1/suffix", ["erc8021"], "rules[1].suffix"),
        ("rules/1/suffix", "0x" + "00" * (MAX_SUFFIX_BYTES + 1), "rules[1].suffix"),
    ],
)
def test_a_suffix_is_a_known_form_or_its_bytes(path: str, value: Any, where: str) -> None:
    with pytest.raises(BadPolicy) as bad:
        parsed(changed(interfaces(), path, value))
    assert str(bad.value).startswith(where)


def test_where_no_suffix_may_stand() -> None:
    rule = {"id": "x", "method": SIGN, "to": {"in": "vaults"}, "suffix": "erc8021"}
    for more, word in (
        ({"action": "ALLOW", "value": {"lte": "1"}}, "no calldata"),
        ({"action": "DENY", "function": "poke()"}, "sees through"),
    ):
        with pytest.raises(BadPolicy, match=word):
            parsed(interfaces() | {"rules": [rule | more]})
    many = [
        rule | {"id": f"r{n}", "action": "ALLOW", "function": "poke()", "suffix": f"0x0{n}"}
        for n in range(5)
    ]
    with pytest.raises(BadPolicy, match="at most 4 different"):
        parsed(interfaces() | {"rules": many})
    assert parse_suffix("0x00", "x").length(WALLET + b"\0") == 1


@given(st.binary(max_size=200))
def test_any_bytes_are_a_tag_or_not(data: bytes) -> None:
    assert erc8021_codes(data) is None
    found = erc8021_codes(data + ONE)
    assert found == "bc_b8nos5a8"
