"""The document: what is not understood is an error that names its place."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.errors import Malformed
from keymoot.base.strict_json import canonical
from keymoot.policy.chains.evm.calldata import Calldata
from keymoot.policy.chains.evm.signature import parse_function
from keymoot.policy.document import MAX_RULES, parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.moment import format_moment, parse_length, parse_moment
from keymoot.policy.names import checksummed, parse_address
from tests.examples import examples
from tests.policy import documents
from tests.policy.documents import DELETE, STRANGER, interfaces, parsed


def changed(path: str, value: Any) -> dict[str, Any]:
    return documents.changed(interfaces(), path, value)


BAD = [
    ("version", "2", "version"),
    ("version", DELETE, "version"),
    ("chain", "8453", "chain"),
    ("chain", "eip155:0", "chain"),
    ("chain", "eip155:08453", "chain"),
    ("chain", "solana:mainnet", "chain"),
    ("surprise", 1, "surprise"),
    ("expires", "2027-13-01T00:00:00Z", "expires"),
    ("expires", "tomorrow", "expires"),
    ("sets/usdc", [], "sets.usdc"),
    ("sets/usdc", ["0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02914"], "sets.usdc[0]"),
    ("sets/usdc", ["0x12"], "sets.usdc[0]"),
    ("sets/usdc", [STRANGER.hex0x, STRANGER.hex0x], "sets.usdc"),
    ("rules", {}, "rules"),
    ("rules/0", "x", "rules[0]"),
    ("rules/0/action", "allow", "rules[0].action"),
    ("rules/0/surprise", 1, "rules[0].surprise"),
    ("rules/0/id", "deposit", "rules[1].id"),
    ("rules/0/id", "", "rules[0].id"),
    ("rules/0/method", "eth_sign", "rules[0].method"),
    ("rules/0/method", "eth_sendTransaction", "rules[0].method"),
    ("rules/0/method", "personal_sign", "rules[0].args"),
    ("rules/0/to", DELETE, "rules[0].to"),
    ("rules/0/to", {"in": "nobody"}, "rules[0].to.in"),
    ("rules/0/to", {"lt": "5"}, "rules[0].to.lt"),
    ("rules/0/to", {"is": "0x"}, "rules[0].to.is"),
    ("rules/0/to", {}, "rules[0].to"),
    ("rules/0/function", "approve(address,uint256)", "rules[0].function"),
    ("rules/0/function", "approve(adress spender,uint256 value)", "rules[0].function"),
    ("rules/0/function", "approve(address a,uint256 a)", "rules[0].function"),
    ("rules/0/function", "approve(address spender", "rules[0].function"),
    ("rules/0/function", [], "rules[0].function"),
    ("rules/0/function", DELETE, "rules[0].args.spender"),
    ("rules/0/args/spendr", {"eq": "$wallet"}, "rules[0].args.spendr"),
    ("rules/0/args/value", {"lte": 500}, "rules[0].args.value.lte"),
    ("rules/0/args/value", {"lte": "0500"}, "rules[0].args.value.lte"),
    ("rules/0/args/value", {"lte": "1e9"}, "rules[0].args.value.lte"),
    ("rules/0/args/value", {"lte": "-1"}, "rules[0].args.value.lte"),
    ("rules/0/args/value", {"lte": str(2**256)}, "rules[0].args.value.lte"),
    ("rules/0/args/value", {"in": "vaults"}, "rules[0].args.value.in"),
    ("rules/0/accessList", True, "rules[0].accessList"),
    ("rules/1/spend", {"nothing": "assets"}, "rules[1].spend.nothing"),
    ("rules/1/spend", {"usdc-day": "receiver"}, "rules[1].spend.usdc-day"),
    ("rules/1/spend", {"gas-day": "assets"}, "rules[1].spend.gas-day"),
    ("rules/2/args/assets", {"eq": "1"}, "rules[2].args.assets"),
    ("limits/0/max", 5, "limits[0].max"),
    ("limits/0/window", "25 hours", "limits[0].window"),
    ("limits/0/window", "1s", "limits[0].window"),
    ("limits/0/window", DELETE, "limits[0].window"),
    ("limits/0/kind", "calendar", "limits[0].kind"),
    ("limits/0/per", "tx", "limits[0].per"),
    ("limits/1/meter", "usd", "limits[1].meter"),
    ("limits/1/id", "usdc-day", "limits[1].id"),
]


@pytest.mark.parametrize(("path", "value", "where"), BAD, ids=lambda value: str(value)[:40])
def test_errors_name_the_json_path(path: str, value: Any, where: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        parse_policy(canonical(changed(path, value)))
    assert refused.value.path == where


def test_a_bad_action_never_loosens_a_rule() -> None:
    with pytest.raises(BadPolicy, match=r"rules\[0\].args.spendr"):
        parsed(changed("rules/0/args", {"spendr": {"in": "vaults"}}))


@given(st.binary(max_size=200))
def test_any_bytes_are_a_policy_or_bad(raw: bytes) -> None:
    try:
        parse_policy(raw)
    except Malformed as error:
        assert isinstance(error, BadPolicy)


places = st.sampled_from(sorted({path for path, _, _ in BAD}))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@settings(max_examples=examples(300))
@given(places, values)
def test_any_change_gives_a_policy_or_an_error_with_a_path(path: str, value: Any) -> None:
    try:
        parse_policy(canonical(changed(path, value)))
    except BadPolicy as error:
        assert str(error)


@settings(max_examples=examples(300))
@given(st.text(alphabet="ab(),[] 125uint6address.ytes", max_size=60))
def test_any_text_is_a_signature_or_bad(text: str) -> None:
    for candidate in (text, f"f({text})", f"f({text} a)"):
        try:
            function = parse_function(candidate, "f")
        except BadPolicy:
            continue
        try:
            Calldata(function.selector + bytes(64)).arguments(function)
        except Malformed:
            pass


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("f()", "f()"),
        ("f(uint a,int b)", "f(uint256,int256)"),
        ("f((uint256 x,(bool y)[] z) t,bytes3[2][] q)", "f((uint256,(bool)[]),bytes3[2][])"),
    ],
)
def test_signatures_are_canonical(text: str, signature: str) -> None:
    assert parse_function(text, "f").signature == signature


def test_the_hash_is_of_the_canonical_json() -> None:
    document = interfaces()
    spaced = json.dumps(document, indent=3)
    assert parse_policy(spaced).hash == parsed(document).hash
    assert parse_policy(spaced).source == canonical(document)
    assert parsed(changed("limits/0/max", "1")).hash != parsed().hash


def test_documents_are_bounded() -> None:
    rule = {"action": "ALLOW", "method": "personal_sign", "prefix": "app.example wants"}
    many = [rule | {"id": f"r{n}"} for n in range(MAX_RULES + 1)]
    parsed(interfaces() | {"rules": many[:-1]})
    with pytest.raises(BadPolicy, match="at most 64"):
        parsed(interfaces() | {"rules": many})
    with pytest.raises(BadPolicy, match="bytes"):
        parse_policy(b" " * 70_000)
    with pytest.raises(BadPolicy, match="nested"):
        parse_policy(b"[" * 100)


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)]
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert parse_length(text, "x") == seconds


def test_moments_come_back() -> None:
    moment = parse_moment("2027-01-01T00:00:00Z", "x")
    assert moment == 1_798_761_600
    assert format_moment(moment) == "2027-01-01T00:00:00Z"


@pytest.mark.parametrize(  # EIP-55's own examples
    "text",
    [
        "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
        "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
        "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
        "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
    ],
)
def test_checksums_follow_eip_55(text: str) -> None:
    assert checksummed(parse_address(text, "x")) == text
    assert parse_address(text.lower(), "x") == parse_address(text, "x")
    flipped = (
        text[:-1] + text[-1].swapcase() if text[-1].isalpha() else text[:3] + text[3:].swapcase()
    )
    with pytest.raises(BadPolicy):
        parse_address(flipped, "x")
