"""Rules of Solana in the document: what is not understood names its place."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.strict_json import canonical
from keymoot.policy.chains.solana.rule import MAX_TOKEN_OWNERS
from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.lint.warnings import warnings_of
from tests.examples import examples
from tests.policy import documents
from tests.policy.chains.solana.messages import PAYEES, document, parsed
from tests.policy.documents import DELETE

HEX = documents.STRANGER.hex0x
KEY = PAYEES[0].base58


def changed(path: str, value: Any, start: dict[str, Any] | None = None) -> dict[str, Any]:
    return documents.changed(start or document(), path, value)


BAD = [
    ("chain", "solana:mainnet", "chain"),
    ("chain", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvd0", "chain"),
    ("chain", "solana:5eykt4UsFv8P8NJdTREpY1vzqKqZKvdpp", "chain"),
    ("chain", "solana", "chain"),
    ("chain", "eip155:1", "sets.payees[0]"),
    ("sets/payees", [HEX], "sets.payees[0]"),
    ("sets/payees", [KEY, KEY], "sets.payees"),
    ("sets/payees", [KEY[:-2]], "sets.payees[0]"),
    ("sets/payees", [KEY + "1"], "sets.payees[0]"),
    ("rules/0/method", "eth_signTransaction", "rules[0].method"),
    ("rules/0/method", "personal_sign", "rules[0].method"),
    ("rules/0/instruction", DELETE, "rules[0].instruction"),
    ("rules/0/instruction", "token.transfer", "rules[0].instruction"),
    ("rules/0/instruction", ["system.transfer"], "rules[0].instruction"),
    ("rules/0/action", "MAYBE", "rules[0].action"),
    ("rules/0/id", "", "rules[0].id"),
    ("rules/0/mint", {"eq": KEY}, "rules[0].mint"),
    ("rules/0/from", {"eq": KEY}, "rules[0].from"),
    ("rules/0/function", "f()", "rules[0].function"),
    ("rules/0/to", DELETE, "rules[0].to"),
    ("rules/0/to", {"notIn": "payees"}, "rules[0].to"),
    ("rules/0/to", {"in": "nobody"}, "rules[0].to.in"),
    ("rules/0/to", {"eq": HEX}, "rules[0].to.eq"),
    ("rules/0/to", {"in": [HEX]}, "rules[0].to.in[0]"),
    ("rules/0/to", {"lte": KEY}, "rules[0].to.lte"),
    ("rules/0/to", KEY, "rules[0].to"),
    ("rules/0/amount", {"lte": 5}, "rules[0].amount.lte"),
    ("rules/0/amount", {"in": "payees"}, "rules[0].amount.in"),
    ("rules/0/spend", {"sol-day": "value"}, "rules[0].spend.sol-day"),
    ("rules/0/spend", {"sol-day": "$value"}, "rules[0].spend.sol-day"),
    ("rules/0/spend", {"nothing": "amount"}, "rules[0].spend.nothing"),
    ("rules/0/spend", {"rate": "amount"}, "rules[0].spend.rate"),
    ("rules/1/mint", DELETE, "rules[1].mint"),
    ("rules/1/mint", {"notIn": [KEY]}, "rules[1].mint"),
    ("rules/1/mint", {"eq": HEX}, "rules[1].mint.eq"),
    ("rules/1/to", DELETE, "rules[1].to"),
    ("rules/1/instruction", "system.transfer", "rules[1].mint"),
    ("rules/2/prefix", DELETE, "rules[2].prefix"),
    ("rules/2/prefix", "app.exa", "rules[2].prefix"),
    ("rules/2/prefix", "app.example\n", "rules[2].prefix"),
    ("rules/2/prefix", "äpp.example", "rules[2].prefix"),
    ("rules/2/prefix", "a" * 257, "rules[2].prefix"),
    ("rules/2/prefix", ["app.example"], "rules[2].prefix"),
    ("rules/2/to", {"eq": KEY}, "rules[2].to"),
    ("rules/2/spend", {"sol-day": "amount"}, "rules[2].spend"),
]


@pytest.mark.parametrize(("path", "value", "where"), BAD, ids=lambda value: str(value)[:40])
def test_errors_name_the_json_path(path: str, value: Any, where: str) -> None:
    with pytest.raises(BadPolicy) as refused:
        parse_policy(canonical(changed(path, value)))
    assert refused.value.path == where


def test_addresses_of_solana_have_no_place_in_a_policy_of_ethereum() -> None:
    cases = [
        ("sets/usdc", [KEY], "sets.usdc[0]"),
        ("rules/0/to", {"eq": KEY}, "rules[0].to.eq"),
        ("rules/0/method", "solana_signTransaction", "rules[0].method"),
        ("rules/0/method", "solana_signMessage", "rules[0].method"),
    ]
    for path, value, where in cases:
        with pytest.raises(BadPolicy) as refused:
            parse_policy(canonical(changed(path, value, documents.interfaces())))
        assert refused.value.path == where


places = st.sampled_from(sorted({path for path, _, _ in BAD}))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=30) | st.just(KEY),
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


def test_the_owners_of_token_accounts_are_bounded() -> None:
    many = [bytes([1, n]) + bytes(30) for n in range(200)]
    from keymoot.base.fixed import SolanaAddress

    payees = [SolanaAddress(one).base58 for one in many]
    assert parsed(changed("sets/payees", payees[:MAX_TOKEN_OWNERS]))
    with pytest.raises(BadPolicy, match="name 65 addresses, at most 64") as refused:
        parsed(changed("sets/payees", payees[: MAX_TOKEN_OWNERS + 1]))
    assert refused.value.path == "rules"


def test_lint_finds_what_an_attacker_would() -> None:
    def found(path: str, value: Any, start: Any = None) -> list[str]:
        return [one.code for one in warnings_of(parsed(changed(path, value, start)))]

    assert warnings_of(parsed()) == []
    assert found("limits/2/meter", "value") == ["NO_FEE_CAP"]
    assert found("expires", DELETE) == ["NEVER_EXPIRES"]
    assert found("rules/0/spend", {}) == ["UNCOUNTED", "UNFED_LIMIT"]
    whole = changed("rules/1/spend", DELETE)
    assert found("rules/1/amount", DELETE, whole) == ["ANY_AMOUNT", "UNFED_LIMIT"]
    assert found("rules/1/spend", {"sol-day": "amount"}) == ["UNFED_LIMIT", "MIXED_LIMIT"]
    assert found("rules/2/prefix", "app.example wants") == ["OPEN_PREFIX"]


def test_the_reference_shows_the_example() -> None:
    root = Path(__file__).resolve().parents[4]
    example = (root / "examples" / "solana.json").read_text()
    assert example in (root / "docs" / "policies.md").read_text()
    assert warnings_of(parse_policy(example)) == []
