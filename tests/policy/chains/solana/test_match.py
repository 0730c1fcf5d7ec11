"""What the example policy of Solana allows, and every way around it."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keymoot.base.request import SIGN_TRANSACTION
from keymoot.base.units import UnixSeconds, Wei
from keymoot.policy.chains.solana.token_account import associated_account
from keymoot.policy.decide import decide
from keymoot.policy.intent import read_intent
from keymoot.policy.limit import Usage
from tests.examples import examples
from tests.policy import documents
from tests.policy.chains.solana.messages import (
    BONK,
    NOW,
    PAYEES,
    SIGN,
    STRANGER,
    USDC,
    WALLET,
    budget,
    document,
    judge,
    parsed,
    reason,
    sol,
    token,
    token_to,
)

FRIEND, OTHER_FRIEND = PAYEES


@pytest.mark.parametrize(
    "calls",
    [
        [sol(FRIEND, 600_000_000)],
        [sol(FRIEND, 0)],
        [token(OTHER_FRIEND, 30_000_000)],
        [token_to(FRIEND, 1)],  # the payee named is itself a token account
        [*budget(20_000, 4_000_000), sol(FRIEND, 1)],
        [sol(FRIEND, 500_000_000), sol(OTHER_FRIEND, 500_000_000), token(FRIEND, 5)],
    ],
)
@pytest.mark.parametrize("legacy", [True, False])
def test_allows_what_the_rules_name(calls: list, legacy: bool) -> None:
    decision = judge(*calls, legacy=legacy)
    assert decision.allowed, decision.refusal


THEIRS = associated_account(STRANGER, USDC)

AROUND: list[tuple[str, list, str, str]] = [
    ("SOL to a stranger", [sol(STRANGER, 1)], "NO_RULE", "instructions[0].to"),
    ("too much SOL", [sol(FRIEND, 600_000_001)], "CONDITION_FAILED", "instructions[0].amount"),
    ("tokens to a stranger", [token(STRANGER, 1)], "NO_RULE", "instructions[0].to"),
    ("tokens to a stranger's name", [token_to(STRANGER, 1)], "NO_RULE", "instructions[0].to"),
    ("another token", [token(FRIEND, 1, BONK)], "NO_RULE", "instructions[0].mint"),
    (
        "a payee's account of another token",
        [token_to(associated_account(FRIEND, BONK), 1)],
        "NO_RULE",
        "instructions[0].to",
    ),
    ("too many tokens", [token(FRIEND, 30_000_001)], "CONDITION_FAILED", "instructions[0].amount"),
    (
        "tokens of a stranger",
        [token(FRIEND, 1, source=THEIRS)],
        "CONDITION_FAILED",
        "instructions[0].from",
    ),
    ("SOL to the mint", [sol(USDC, 1)], "NO_RULE", "instructions[0].to"),
    ("SOL to a payee's token account", [sol(THEIRS, 1)], "NO_RULE", "instructions[0].to"),
    (
        "a stranger behind a payee",
        [sol(FRIEND, 1), sol(STRANGER, 1)],
        "NO_RULE",
        "instructions[1].to",
    ),
    (
        "a stranger behind a budget",
        [*budget(1, 1), sol(STRANGER, 1)],
        "NO_RULE",
        "instructions[2].to",
    ),
]


@pytest.mark.parametrize(
    ("calls", "word", "path"), [case[1:] for case in AROUND], ids=[case[0] for case in AROUND]
)
def test_refuses_every_way_around_by_name(calls: list, word: str, path: str) -> None:
    refusal = judge(*calls).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.path) == (word, path)


def test_all_transfers_count_together() -> None:
    both = [sol(FRIEND, 600_000_000), sol(OTHER_FRIEND, 400_000_001)]
    assert [reason(one) for one in both] == ["", ""]
    refusal = judge(*both).refusal
    assert refusal.to_json() == refusal.to_json() | {
        "reason": "LIMIT_EXCEEDED",
        "rule": "pay",
        "limit": "sol-day",
        "max": "1000000000",
        "used": "0",
        "requested": "1000000001",
        "path": "instructions[0].amount",
    }
    tokens = [token(FRIEND, 30_000_000), token(OTHER_FRIEND, 20_000_001)]
    assert reason(*tokens) == "LIMIT_EXCEEDED"
    assert reason(*tokens[:1], token(OTHER_FRIEND, 20_000_000)) == ""


amounts = st.lists(st.integers(0, 600_000_000), min_size=1, max_size=4)


@settings(max_examples=examples(60), deadline=None)
@given(st.lists(amounts, min_size=1, max_size=6))
def test_no_split_spends_more_than_the_limit(transactions: list[list[int]]) -> None:
    usage: dict[str, Usage] = {}
    spent = 0
    for one in transactions:
        decision = judge(*[sol(FRIEND, amount) for amount in one], usage=usage)
        assert decision.allowed == (spent + sum(one) <= 1_000_000_000)
        if decision.allowed:
            usage |= decision.usage
            spent += sum(one)
    assert spent <= 1_000_000_000
    assert usage.get("sol-day", Usage()).used(parsed().limits["sol-day"], NOW) == spent


def test_meters_measure_the_whole_transaction() -> None:
    changed = document()
    changed["limits"] += [
        {"id": "lamports", "meter": "value", "max": "100", "window": "1h", "kind": "rolling"},
        {"id": "two", "meter": "count", "max": "2", "window": "1h", "kind": "rolling"},
    ]
    policy = parsed(changed)
    assert judge(sol(FRIEND, 60), sol(FRIEND, 41), policy=policy).refusal.limit == "lamports"
    yes = judge(sol(FRIEND, 60), sol(FRIEND, 40), token(FRIEND, 7), policy=policy)
    used = {name: one.buckets[0][1] for name, one in yes.usage.items()}
    assert used == {"sol-day": 100, "usdc-day": 7, "rate": 1, "lamports": 100, "two": 1}
    dear = judge(*budget(100_000, 950_001), sol(FRIEND, 1)).refusal
    assert (dear.limit, dear.requested) == ("fee-tx", 100_001)
    # Without a limit of units, the chain's maximum counts.
    assert judge(*budget(None, 67_858), sol(FRIEND, 1)).refusal.requested == 100_002


def test_what_an_allowed_transaction_shows() -> None:
    decision = judge(sol(FRIEND, 1), token(FRIEND, 2))
    assert decision.rule == "pay"
    assert decision.decoded["rules"] == ["pay", "usdc"]
    assert decision.decoded["feePayer"] == WALLET.base58
    assert decision.decoded["maxFee"] == "5000"
    assert decision.decoded["instructions"][1] == {
        "instruction": "token.transferChecked",
        "mint": USDC.base58,
        "from": associated_account(WALLET, USDC).base58,
        "to": associated_account(FRIEND, USDC).base58,
        "amount": "2",
        "decimals": 6,
    }


def with_rule(**rule: Any) -> Any:
    changed = document()
    changed["rules"].append({"id": "new", "action": "ALLOW", "method": SIGN} | rule)
    return parsed(changed)


def test_a_deny_of_any_transfer_denies_all() -> None:
    policy = with_rule(action="DENY", instruction="system.transfer", to={"eq": OTHER_FRIEND.base58})
    assert reason(sol(FRIEND, 1), policy=policy) == ""
    assert reason(sol(OTHER_FRIEND, 1), policy=policy) == "DENIED_BY_RULE"
    assert reason(sol(FRIEND, 1), sol(OTHER_FRIEND, 1), policy=policy) == "DENIED_BY_RULE"
    assert reason(sol(STRANGER, 1), sol(OTHER_FRIEND, 1), policy=policy) == "DENIED_BY_RULE"
    assert reason(token(OTHER_FRIEND, 1), policy=policy) == ""


def test_a_deny_means_an_owners_associated_account_too() -> None:
    policy = with_rule(
        action="DENY", instruction="token.transferChecked", to={"notIn": [FRIEND.base58]}
    )
    assert reason(token(FRIEND, 1), policy=policy) == ""
    assert reason(token_to(FRIEND, 1), policy=policy) == ""
    assert reason(token(OTHER_FRIEND, 1), policy=policy) == "DENIED_BY_RULE"
    named = with_rule(
        action="DENY", instruction="token.transferChecked", to={"eq": OTHER_FRIEND.base58}
    )
    assert reason(token(OTHER_FRIEND, 1), policy=named) == "DENIED_BY_RULE"
    assert reason(token(FRIEND, 1), policy=named) == ""


def test_the_wallet_may_be_named() -> None:
    home = with_rule(instruction="system.transfer", to={"eq": "$wallet"})
    assert reason(sol(WALLET, 10**12), policy=home) == ""
    assert reason(sol(STRANGER, 1), policy=home) == "NO_RULE"
    tokens = with_rule(
        instruction="token.transferChecked", mint={"eq": BONK.base58}, to={"eq": "$wallet"}
    )
    assert reason(token(WALLET, 5, BONK), policy=tokens) == ""
    assert reason(token(FRIEND, 5, BONK), policy=tokens) == "NO_RULE"


def test_a_rule_may_name_another_source() -> None:
    def allowing(source: dict[str, Any]) -> Any:
        return with_rule(
            **{
                "instruction": "token.transferChecked",
                "mint": {"eq": BONK.base58},
                "to": {"in": "payees"},
                "from": source,
            }
        )

    aside = [token(FRIEND, 1, BONK, source=STRANGER)]
    assert reason(*aside, policy=allowing({"eq": STRANGER.base58})) == ""
    assert reason(*aside, policy=allowing({"eq": "$wallet"})) == "CONDITION_FAILED"
    assert reason(token(FRIEND, 1, BONK), policy=allowing({"eq": "$wallet"})) == ""
    assert reason(token(FRIEND, 1, BONK), policy=allowing({"eq": STRANGER.base58})) != ""


def test_the_first_allow_that_holds_decides_for_each_transfer() -> None:
    changed = document()
    changed["rules"].insert(
        0, changed["rules"][0] | {"id": "tip", "amount": {"lte": "5"}, "spend": {}}
    )
    decision = judge(sol(FRIEND, 5), sol(FRIEND, 6), policy=parsed(changed))
    assert decision.decoded["rules"] == ["tip", "pay"]
    assert decision.usage["sol-day"].buckets[0][1] == 6


def test_kinds_of_keys_are_not_mixed() -> None:
    evm = documents.tx(documents.STRANGER, value=Wei(1)).unsigned_bytes()
    intent = read_intent(SIGN_TRANSACTION, evm, documents.WALLET)
    refused = decide(parsed(), intent, {}, (), NOW)
    assert refused.refusal.reason == "WRONG_CHAIN"
    assert reason(sol(FRIEND, 1), policy=documents.parsed()) == "WRONG_CHAIN"


def test_an_expired_policy_allows_nothing() -> None:
    changed = parsed(document() | {"expires": "2026-01-01T00:00:00Z"})
    assert reason(sol(FRIEND, 1), policy=changed) == "POLICY_EXPIRED"
    assert UnixSeconds(1_767_225_600) < NOW


def test_without_rules_everything_is_refused() -> None:
    empty = parsed(document() | {"rules": []})
    assert reason(sol(FRIEND, 1), policy=empty) == "NO_RULE"
    assert reason(token(FRIEND, 1), policy=empty) == "NO_RULE"
