"""A rule that is seen not to hold is not tried; what is decided, and why, is the same."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.fixed import Address
from keymoot.policy.chains.evm.typed import trial
from keymoot.policy.chains.evm.typed.match import CONDITIONS
from keymoot.policy.decide import Decision, decide
from keymoot.policy.document import Policy
from keymoot.policy.intent import read_intent
from tests.policy.chains.evm.typed import payments
from tests.policy.chains.evm.typed.payments import NOW, PERMIT, STRANGER, USDC
from tests.policy.documents import WALLET

OTHER, SHOP = Address(b"\x84" * 20), Address(b"\x0c" * 20)
ORDER = "Order(address maker,uint256 amount,bool buys,string memo)"
DOMAINS: tuple[dict[str, Any], ...] = (
    {"verifyingContract": {"eq": USDC.hex0x}},
    {"verifyingContract": {"eq": USDC.hex0x}, "chainId": {"eq": "8453"}, "version": "any"},
    {"verifyingContract": {"in": [USDC.hex0x, OTHER.hex0x]}},
    {"verifyingContract": {"eq": "$wallet"}},
    {"name": {"eq": "USD Coin"}, "verifyingContract": {"eq": OTHER.hex0x}},
)
FIELDS: tuple[dict[str, Any], ...] = (
    {},
    {"maker": {"eq": "$wallet"}},
    {"maker": {"eq": SHOP.hex0x}, "amount": {"lte": "10"}},
    {"amount": {"eq": "7"}, "memo": {"eq": "a"}},
    {"buys": {"eq": True}, "maker": {"in": [SHOP.hex0x, WALLET.hex0x]}},
    {"memo": {"notIn": ["a"]}, "amount": {"eq": "7", "gte": "3"}},
)
TOLD: tuple[dict[str, Any], ...] = (
    {"verifyingContract": USDC.hex0x},
    {"verifyingContract": USDC.hex0x, "chainId": 8453, "version": "2"},
    {"verifyingContract": WALLET.hex0x},
    {"verifyingContract": OTHER.hex0x, "name": "USD Coin"},
)

rules = st.tuples(
    st.sampled_from(("ALLOW", "DENY")),
    st.sampled_from(DOMAINS),
    st.sampled_from((ORDER, PERMIT, None)),
    st.sampled_from(FIELDS),
)
messages = st.fixed_dictionaries(
    {
        "maker": st.sampled_from([SHOP.hex0x, STRANGER.hex0x, WALLET.hex0x]),
        "amount": st.sampled_from(["7", "8", "70"]),
        "buys": st.booleans(),
        "memo": st.sampled_from(["a", "b"]),
    }
)


def policy_of(chosen: list[tuple[str, dict[str, Any], str | None, dict[str, Any]]]) -> Policy:
    written = []
    for at, (action, domain, kind, fields) in enumerate(chosen):
        # an ALLOW has a type; one of Permit has to say more than this test is about
        named = kind if action == "DENY" else ORDER
        rule = {"id": f"r{at}", "action": action, "method": "eth_signTypedData_v4"}
        rule |= {"domain": domain} | ({} if named is None else {"type": named})
        written.append(rule | ({"fields": fields} if named == ORDER else {}))
    return payments.policy(*written)


def decided(policy: Policy, told: dict[str, Any]) -> Decision:
    wish = read_intent("eth_signTypedData_v4", json.dumps(told).encode(), WALLET)
    return decide(policy, wish, {}, (), NOW)


def shown(decision: Decision) -> tuple[Any, ...]:
    refusal = None if decision.refusal is None else decision.refusal.to_json()
    return decision.rule, refusal, decision.decoded, [step.to_json() for step in decision.trace]


@given(st.lists(rules, min_size=1, max_size=5), st.sampled_from(TOLD), messages)
def test_what_is_decided_and_why_is_as_if_each_rule_were_tried(
    chosen: list[Any], domain: dict[str, Any], message: dict[str, Any]
) -> None:
    policy = policy_of(chosen)
    told = payments.document(ORDER, message)
    told["domain"] = domain
    fast = shown(decided(policy, told))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "reach_of", lambda rule, intent: CONDITIONS)
        assert shown(decided(policy, told)) == fast


def test_of_fifty_rules_the_one_that_may_hold_is_tried(monkeypatch) -> None:
    places, kind = (
        [Address(bytes((at,)) * 20).hex0x for at in range(1, 51)],
        "Order(uint256 amount)",
    )
    policy = payments.policy(
        *(
            {"id": place, "action": "ALLOW", "method": "eth_signTypedData_v4", "type": kind}
            | {"domain": {"verifyingContract": {"eq": place}}}
            for place in places
        )
    )
    told = payments.document(kind, {"amount": "7"})
    told["domain"] = {"verifyingContract": places[-1]}
    tried, plain = itertools.count(), trial.TypedMatch

    def counted(*arguments: Any) -> Any:
        next(tried)
        return plain(*arguments)

    monkeypatch.setattr(trial, "TypedMatch", counted)
    decision = decided(policy, told)
    assert (decision.rule, next(tried)) == (places[-1], 1)
    # whoever reads the trace sees all of them
    assert [step.rule for step in decision.trace if not step.passed] == places[:-1]


@given(st.lists(rules, min_size=1, max_size=5), st.sampled_from(TOLD), messages)
def test_no_rule_is_tried_twice_for_one_decision(
    chosen: list[Any], domain: dict[str, Any], message: dict[str, Any]
) -> None:
    """It was paid for once, whatever is refused; only whoever reads the trace has more."""
    policy, tried, plain = policy_of(chosen), list[str](), trial.TypedMatch
    told = payments.document(ORDER, message)
    told["domain"] = domain

    def noted(rule: Any, *arguments: Any) -> Any:
        tried.append(rule.name)
        return plain(rule, *arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "TypedMatch", noted)
        decided(policy, told)
    assert len(tried) == len(set(tried))
