"""Work is counted before it is done: what an owner writes and what an agent sends multiply."""

from typing import Any

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.fixed import Address
from keymoot.base.strict_json import canonical
from keymoot.policy import condition, work
from keymoot.policy.chains.evm.signature import parse_function
from keymoot.policy.chains.solana.address import MAX_MEMBERS
from keymoot.policy.chains.solana.rule import MAX_TOKEN_OWNERS
from keymoot.policy.chains.solana.token_account import LIKELY_BUMPS
from keymoot.policy.document import (
    MAX_DOCUMENT_BYTES,
    MAX_PARTS,
    MAX_RULES,
    parse_policy,
)
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import read_intent
from keymoot.policy.work import MAX_COMPARISONS, comparisons
from tests.examples import examples
from tests.policy import documents
from tests.policy.chains.solana import messages
from tests.policy.documents import SIGN, USDC, WALLET, changed, interfaces, judge, parsed, tx

PAY = "pay(uint256[] amounts)"
OPERATORS = {"gt": "0", "gte": "1", "lt": "9", "lte": "8", "notIn": ["5"], "in": ["1"], "eq": "1"}


def rule(at: int, operators: list[str], elements: str = "all") -> dict[str, Any]:
    return {
        "id": f"r{at}",
        "action": "ALLOW",
        "method": SIGN,
        "to": {"eq": USDC.hex0x},
        "function": PAY,
        "args": {"amounts": {elements: {one: OPERATORS[one] for one in operators}}},
        "value": {"eq": "0"},
    }


def paying(amounts: list[int]) -> bytes:
    return parse_function(PAY, "").selector + encode(["uint256[]"], [amounts])


def counted(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    made: list[int] = []
    holds = condition.Test.holds
    monkeypatch.setattr(condition.Test, "holds", lambda *given: made.append(1) or holds(*given))
    return made


def test_arrays_times_rules_are_refused_before_the_first_comparison(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """508 values, 64 rules, 6 operators: 195,000 comparisons, for the gas of one transfer."""
    operators = ["gt", "gte", "lt", "lte", "notIn", "in"]
    rules = [rule(at, operators) for at in range(38)]
    rules += [rule(at, ["gt"]) for at in range(38, MAX_RULES)]
    rules = rules[: MAX_PARTS // 16]
    policy = parsed(changed(interfaces(), "rules", rules))
    made = counted(monkeypatch)
    refusal = judge(tx(USDC, paying([1] * 508)), policy).refusal
    assert refusal is not None
    assert refusal.reason == "TOO_MUCH_WORK"
    assert "at most 4096 are made" in refusal.message
    assert made == []


@settings(max_examples=examples(40), deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.sampled_from(sorted(OPERATORS)), min_size=1, max_size=7, unique=True),
            st.sampled_from(["all", "any"]),
        ),
        min_size=1,
        max_size=12,
    ),
    st.lists(st.integers(0, 9), max_size=40),
)
def test_no_more_comparisons_are_made_than_were_counted(
    rules: list[tuple[list[str], str]], amounts: list[int]
) -> None:
    document = changed(interfaces(), "rules", [rule(at, *one) for at, one in enumerate(rules)])
    policy, transaction = parsed(document), tx(USDC, paying(amounts))
    intent = read_intent(SIGN, transaction.unsigned_bytes(), WALLET)
    with pytest.MonkeyPatch.context() as patch:
        made = counted(patch)
        judge(transaction, policy)
    assert len(made) <= comparisons(policy, intent)


@pytest.mark.parametrize(("mints", "refused"), [(1, False), (2, True)])
def test_token_accounts_to_derive_are_counted(mints: int, refused: bool) -> None:
    owners = [documents_address(at).base58 for at in range(MAX_TOKEN_OWNERS)]
    document = changed(messages.document(), "sets/payees", owners)
    both = [messages.USDC.base58, messages.BONK.base58]
    policy = messages.parsed(changed(document, "rules/1/mint", {"in": both}))
    each = [messages.token(messages.STRANGER, 5, mint) for mint in (messages.USDC, messages.BONK)]
    intent = read_intent(messages.SIGN, messages.built(*each[:mints]), messages.WALLET)
    assert comparisons(policy, intent) >= mints * MAX_TOKEN_OWNERS * LIKELY_BUMPS
    decision = messages.judge(*each[:mints], policy=policy)
    assert decision.refusal is not None
    assert (decision.refusal.reason == "TOO_MUCH_WORK") == refused


def documents_address(at: int) -> Any:
    return type(messages.WALLET)(bytes((1, at)) + bytes(30))


def test_a_policy_that_takes_long_to_read_is_refused_when_it_is_set() -> None:
    rules = [rule(at, list(OPERATORS)) for at in range(MAX_RULES)]
    with pytest.raises(BadPolicy, match=f"rules: .* at most {MAX_PARTS} are read"):
        parsed(changed(interfaces(), "rules", rules))
    text = f"f({','.join(f'bool a{at}' for at in range(90))})"
    rules = [
        {"id": f"r{at}", "action": "DENY", "method": SIGN, "function": text} for at in range(9)
    ]
    with pytest.raises(BadPolicy, match=f"rules: .* at most {MAX_PARTS} are read"):
        parsed(changed(interfaces(), "rules", rules))


def test_sets_together_are_bounded() -> None:
    members = [Address(at.to_bytes(20, "big")).hex0x for at in range(513)]
    document = changed(interfaces(), "sets/more", members)
    assert len(canonical(document)) < MAX_DOCUMENT_BYTES
    parsed(document)
    with pytest.raises(BadPolicy, match="all sets together list at most 1024"):
        parsed(changed(document, "sets/other", members))
    known = [documents_address(at).base58 for at in range(MAX_MEMBERS)]
    with pytest.raises(BadPolicy, match="256 addresses on solana"):
        messages.parsed(changed(messages.document(), "sets/more", known))


@pytest.mark.parametrize("document", [documents.interfaces(), messages.document()])
def test_a_policy_that_was_read_before_reads_the_same(document: dict[str, Any]) -> None:
    source = canonical(document)
    first, again = parse_policy(source), parse_policy(source, known=True)
    assert first == again
    assert first.hash == again.hash


def test_the_bound_is_met_by_what_people_write() -> None:
    """Thirty rules on ordinary calls are below it, even if all speak of one function."""
    rules = [{**interfaces()["rules"][0], "id": f"r{at}"} for at in range(30)]
    policy = parsed(changed(interfaces(), "rules", rules))
    data = parse_function(interfaces()["rules"][0]["function"], "").selector + encode(
        ["address", "uint256"], [USDC, 5]
    )
    intent = read_intent(SIGN, tx(USDC, data).unsigned_bytes(), WALLET)
    assert comparisons(policy, intent) < MAX_COMPARISONS
    assert work.too_much(MAX_COMPARISONS) is None
