"""Rules on typed data: what they allow, what they have to say, and what they share."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keymoot.base.units import UnixSeconds
from keymoot.policy.decide import decide
from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.intent import NeverSigned, read_intent
from keymoot.policy.limit import Usage
from keymoot.policy.shown import show
from keymoot.policy.work import comparisons
from tests.policy.chains.evm.typed.payments import (
    AUTHORIZATION,
    DOMAIN,
    NOW,
    PAYEE,
    PERMIT,
    PERMIT_BATCH,
    PERMIT_SINGLE,
    RULED_DOMAIN,
    STRANGER,
    USDC,
    authorization,
    decided,
    document,
    payment_rule,
    policy,
)
from tests.policy.documents import WALLET, data, tx

ROOT = Path(__file__).resolve().parents[5]
PERMIT_RULE = payment_rule(
    id="permit",
    type=PERMIT,
    fields={"owner": {"eq": "$wallet"}, "spender": {"eq": PAYEE.hex0x}, "value": {"lte": "500"}},
    within={"deadline": "1h"},
    spend={},
)
SINGLE_RULE = payment_rule(
    id="single",
    type=PERMIT_SINGLE,
    fields={"spender": {"eq": PAYEE.hex0x}, "details.token": {"eq": USDC.hex0x}},
    within={"sigDeadline": "10m", "details.expiration": "1h"},
    spend={"usdc-day": "details.amount"},
)
BATCH_RULE = payment_rule(
    id="batch",
    type=PERMIT_BATCH,
    fields={
        "spender": {"eq": PAYEE.hex0x},
        "permitted[].token": {"all": {"eq": USDC.hex0x}},
        "permitted[].amount": {"all": {"lte": "100"}},
    },
    within={"deadline": "10m"},
    spend={},
)


def permit(value: int = 500, spender: str = PAYEE.hex0x, deadline: int = NOW) -> dict[str, Any]:
    message = {"owner": WALLET.hex0x, "spender": spender, "value": value, "nonce": 0}
    return document(PERMIT, message | {"deadline": deadline})


def single(amount: int = 10, **changed: Any) -> dict[str, Any]:
    details = {"token": USDC.hex0x, "amount": amount, "expiration": NOW + 60, "nonce": 0}
    message = {"details": details | changed, "spender": PAYEE.hex0x, "sigDeadline": NOW}
    return document(PERMIT_SINGLE, message)


def batch(*amounts: int) -> dict[str, Any]:
    permitted = [{"token": USDC.hex0x, "amount": one} for one in amounts]
    message = {"permitted": permitted, "spender": PAYEE.hex0x, "nonce": 0, "deadline": NOW}
    return document(PERMIT_BATCH, message)


def test_what_the_rule_names_is_allowed_and_spends() -> None:
    decision = decided(policy(), authorization(1_000))
    assert decision.allowed, decision.refusal
    assert decision.rule == "x402"
    assert decision.usage["usdc-day"].buckets == ((NOW, 1_000),)
    assert decision.decoded["primaryType"] == "TransferWithAuthorization"
    shown: Any = decision.decoded["message"]
    assert shown["value"] == "1000"
    assert shown["to"].lower() == PAYEE.hex0x
    assert decision.decoded["domain"]["chainId"] == "8453"  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("told", "reason", "path"),
    [
        (authorization(to=STRANGER), "CONDITION_FAILED", "message.to"),
        (authorization(**{"from": STRANGER.hex0x}), "CONDITION_FAILED", "message.from"),
        (authorization(validBefore=NOW + 601), "CONDITION_FAILED", "message.validBefore"),
        (authorization(validBefore=2**256 - 1), "CONDITION_FAILED", "message.validBefore"),
        (authorization(5_001), "LIMIT_EXCEEDED", "message.value"),
        (authorization() | {"domain": DOMAIN | {"chainId": 1}}, "WRONG_CHAIN", "chainId"),
        (
            authorization() | {"domain": DOMAIN | {"verifyingContract": STRANGER.hex0x}},
            "NO_RULE",
            "domain.verifyingContract",
        ),
        (authorization() | {"domain": {"name": "USD Coin"}}, "NO_RULE", "domain"),
        (
            authorization() | {"domain": DOMAIN | {"salt": "0x" + "00" * 32}},
            "NO_RULE",
            "domain",
        ),
        (permit(), "PERMIT", "primaryType"),
        (document("Mail(string text)", {"text": "hello"}), "NO_RULE", "primaryType"),
    ],
)
def test_everything_else_is_refused(told: dict[str, Any], reason: str, path: str) -> None:
    decision = decided(policy(), told)
    assert decision.refusal is not None
    assert (decision.refusal.reason, decision.refusal.path) == (reason, path)
    assert decision.refusal.message.startswith("keymoot refused: ")
    assert decision.usage == {}


def test_a_type_that_only_has_the_name_is_another_one() -> None:
    told = authorization()
    fields = told["types"]["TransferWithAuthorization"]
    fields[0], fields[1] = fields[1], fields[0]
    refusal = decided(policy(), told).refusal
    assert refusal is not None
    assert refusal.reason == "PERMIT"


@pytest.mark.parametrize(
    ("rule", "told", "reason"),
    [
        (PERMIT_RULE, permit(), None),
        (PERMIT_RULE, permit(501), "CONDITION_FAILED"),
        (PERMIT_RULE, permit(spender=STRANGER.hex0x), "CONDITION_FAILED"),
        (PERMIT_RULE, permit(deadline=NOW + 3_600), None),
        (PERMIT_RULE, permit(deadline=NOW + 3_601), "CONDITION_FAILED"),
        (SINGLE_RULE, single(5_000), None),
        (SINGLE_RULE, single(5_001), "LIMIT_EXCEEDED"),
        (SINGLE_RULE, single(token=STRANGER.hex0x), "CONDITION_FAILED"),
        (SINGLE_RULE, single(expiration=NOW + 3_601), "CONDITION_FAILED"),
        (BATCH_RULE, batch(100, 100), None),
        (BATCH_RULE, batch(), None),
        (BATCH_RULE, batch(1, 101), "CONDITION_FAILED"),
    ],
)
def test_permits_by_spender_amount_and_deadline(
    rule: dict[str, Any], told: dict[str, Any], reason: str | None
) -> None:
    refusal = decided(policy(rule, payment_rule()), told).refusal
    assert (None if refusal is None else refusal.reason) == reason


def test_one_budget_for_payments_and_transfers() -> None:
    transfer = {
        "id": "pay",
        "action": "ALLOW",
        "method": "eth_signTransaction",
        "to": {"eq": USDC.hex0x},
        "function": "transfer(address to,uint256 amount)",
        "args": {"to": {"eq": PAYEE.hex0x}},
        "spend": {"usdc-day": "amount"},
    }
    rules = policy(payment_rule(), transfer)
    usage: dict[str, Usage] = {}
    for told in (authorization(3_000), authorization(1_500)):
        usage |= decided(rules, told, usage).usage
    sent = tx(USDC, data("transfer(address,uint256)", PAYEE, 501))
    wish = read_intent("eth_signTransaction", sent.unsigned_bytes(), WALLET)
    refusal = decide(rules, wish, usage, (), NOW).refusal
    assert refusal is not None
    assert (refusal.reason, refusal.used, refusal.requested) == ("LIMIT_EXCEEDED", 4_500, 501)
    sent = tx(USDC, data("transfer(address,uint256)", PAYEE, 500))
    wish = read_intent("eth_signTransaction", sent.unsigned_bytes(), WALLET)
    usage |= decide(rules, wish, usage, (), NOW).usage
    refusal = decided(rules, authorization(1), usage).refusal
    assert refusal is not None
    assert refusal.limit == "usdc-day"


def test_a_payment_is_never_taken_for_a_replacement() -> None:
    """The same document twice is two signatures: each is spent."""
    rules, usage = policy(most=1_500), dict[str, Usage]()
    usage |= decided(rules, authorization(1_000), usage).usage
    refusal = decided(rules, authorization(1_000), usage).refusal
    assert refusal is not None
    assert refusal.available_at == NOW + 86_400


def test_a_deny_wins_and_may_name_little() -> None:
    deny = {"id": "no", "action": "DENY", "method": "eth_signTypedData_v4"}
    for more in ({}, {"domain": {"chainId": {"eq": "8453"}}}, {"type": AUTHORIZATION}):
        refusal = decided(policy(deny | more, payment_rule()), authorization()).refusal
        assert refusal is not None
        assert refusal.reason == "DENIED_BY_RULE"
    # One that speaks of something else denies nothing.
    for other in (
        {"domain": {"chainId": {"eq": "1"}}},
        {"domain": {"salt": "any"}},
        {"type": PERMIT},
        {"type": AUTHORIZATION, "fields": {"to": {"eq": STRANGER.hex0x}}},
    ):
        assert decided(policy(deny | other, payment_rule()), authorization()).allowed


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"type": None}, "a type is text"),
        ({"type": "Mail(string x) "}, "is written as"),
        ({"domain": {}}, "says for whom"),
        ({"domain": RULED_DOMAIN | {"verifyingContract": "any"}}, "says for whom"),
        ({"domain": RULED_DOMAIN | {"verifyingContract": {"notIn": [USDC.hex0x]}}}, "for whom"),
        ({"domain": RULED_DOMAIN | {"owner": "any"}}, "a domain has"),
        ({"fields": {"to": {"notIn": [STRANGER.hex0x]}}}, "name whom, with eq or in"),
        ({"fields": {}}, "name whom, with eq or in"),
        ({"within": {}}, "say for how long"),
        ({"within": {"validBefore": "1y"}}, "a length of time"),
        ({"within": {"nonce": "1h"}}, "a moment is"),
        ({"within": {"none": "1h"}}, "no such field"),
        ({"spend": {}}, "say how much at most"),
        ({"spend": {"usdc-day": "to"}}, "only an unsigned integer"),
        ({"spend": {"other": "value"}}, "not one of the policy's limits"),
        ({"fields": {"to": {"eq": PAYEE.hex0x}, "x": {"eq": "1"}}}, "no such field"),
        ({"fields": {"value": {"lte": "-1"}}}, "decimal text"),
        ({"args": {}}, "unknown field"),
    ],
)
def test_a_rule_says_what_matters(change: dict[str, Any], why: str) -> None:
    with pytest.raises(BadPolicy, match=why):
        policy(payment_rule() | change)


@pytest.mark.parametrize(
    ("rule", "drop"),
    [
        (PERMIT_RULE, ("fields", "spender")),
        (PERMIT_RULE, ("fields", "value")),
        (PERMIT_RULE, ("within", "deadline")),
        (SINGLE_RULE, ("fields", "spender")),
        (SINGLE_RULE, ("spend", "usdc-day")),
        (SINGLE_RULE, ("within", "sigDeadline")),
        (SINGLE_RULE, ("within", "details.expiration")),
        (BATCH_RULE, ("fields", "permitted[].amount")),
        (BATCH_RULE, ("fields", "permitted[].token")),
        (SINGLE_RULE, ("fields", "details.token")),
        (BATCH_RULE, ("within", "deadline")),
    ],
)
def test_a_permit_names_spender_amount_and_deadline(
    rule: dict[str, Any], drop: tuple[str, str]
) -> None:
    policy(rule)
    part, name = drop
    less = rule | {part: {one: told for one, told in rule[part].items() if one != name}}
    with pytest.raises(BadPolicy):
        policy(less)


def test_one_element_of_many_is_no_bound() -> None:
    fields = BATCH_RULE["fields"] | {"permitted[].amount": {"any": {"lte": "100"}}}
    with pytest.raises(BadPolicy, match="say how much at most"):
        policy(BATCH_RULE | {"fields": fields})


@pytest.mark.parametrize("name", ["SafeTx", "PackedUserOperation", "UserOperation", "Agent"])
def test_what_hides_a_call_is_never_signed(name: str) -> None:
    with pytest.raises(BadPolicy, match="no rule can allow it"):
        policy(payment_rule(type=f"{name}(bytes32 x)", fields={}, within={}, spend={}))
    told = document(f"{name}(bytes32 x)", {"x": "0x" + "00" * 32})
    with pytest.raises(NeverSigned) as refused:
        decided(policy(), told)
    assert refused.value.refusal.reason == "BLIND_TYPED_DATA"


def test_a_document_that_names_no_chain() -> None:
    rule = payment_rule(domain={"verifyingContract": {"eq": USDC.hex0x}})
    told = authorization() | {"domain": {"verifyingContract": USDC.hex0x}}
    assert decided(policy(rule), told).allowed


def test_work_is_counted_before_it_is_done() -> None:
    wide = payment_rule(
        id="wide",
        type="M(uint256[] a)",
        fields={"a": {"all": {"lte": "5", "gte": "1"}}},
        within={},
        spend={},
    )
    rules = policy(*(wide | {"id": f"w{at}"} for at in range(20)))
    told = document("M(uint256[] a)", {"a": [1] * 200})
    decision = decided(rules, told)
    assert decision.refusal is not None
    assert decision.refusal.reason == "TOO_MUCH_WORK"
    assert decision.trace == ()
    few = document("M(uint256[] a)", {"a": [1]})
    wish = read_intent("eth_signTypedData_v4", json.dumps(few).encode(), WALLET)
    assert 0 < comparisons(rules, wish) < 4_096
    assert decided(rules, few).allowed


moments = st.integers(0, 2**64)


@given(st.integers(0, 10_000), moments, moments, st.binary(min_size=20, max_size=20))
def test_a_decision_is_made_whatever_is_asked(value: int, until: int, now: int, to: bytes) -> None:
    told = authorization(value, validBefore=until)
    told["message"]["to"] = "0x" + to.hex()
    at = UnixSeconds(min(now, 2**40))
    decision = decided(policy(), told, now=at)
    meant = to == PAYEE and until <= at + 600 and value <= 5_000
    assert decision.allowed == meant
    told["message"]["to"] = PAYEE.hex0x
    assert decided(policy(), told, now=at).allowed == (until <= at + 600 and value <= 5_000)


def test_rules_are_read_again_from_their_canonical_form() -> None:
    rules = policy(payment_rule(), PERMIT_RULE, SINGLE_RULE, BATCH_RULE)
    assert parse_policy(rules.source, known=True) == rules


def test_the_rules_of_the_page_are_rules() -> None:
    page = (ROOT / "docs" / "policies.md").read_text()
    section = page[page.index("## Typed data") : page.index("## Warnings")]
    examples = [json.loads(one) for one in re.findall(r"```json\n(.*?)```", section, re.DOTALL)]
    rules = [one for one in examples if "id" in one]
    assert [one["id"] for one in rules] == ["x402", "permit"]
    sets = {name: [PAYEE.hex0x] for name in ("shops", "routers", "usdc")}
    limits = [{"id": "usdc-day", "max": "5", "window": "24h", "kind": "rolling"}]
    document = {"version": "1", "chain": "eip155:8453", "sets": sets, "limits": limits}
    parse_policy(json.dumps(document | {"rules": rules}))
    for whole in (one for one in examples if one not in rules):
        parse_policy(json.dumps(whole))


def test_arrays_of_arrays_are_signed_and_not_spoken_of() -> None:
    grid = "Grid(address to,uint256[][] rows)"
    rule = payment_rule(
        id="grid", type=grid, fields={"to": {"eq": PAYEE.hex0x}}, within={}, spend={}
    )
    told = document(grid, {"to": PAYEE.hex0x, "rows": [["1", 2], []]})
    assert decided(policy(rule), told).allowed
    for rows in ({"all": {"all": {"lte": "5"}}}, {"any": {"lte": "5"}}, {"lte": "5"}):
        with pytest.raises(BadPolicy, match="array") as caught:
            policy(rule | {"fields": rule["fields"] | {"rows": rows}})
        assert str(caught.value.path).startswith("rules[0].fields.rows")


def test_nobody_writes_what_nobody_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of fifty rules that are tried, the texts of a comparison are written when it is shown."""
    written: list[Any] = []

    def noting(value: Any) -> str:
        written.append(value)
        return show(value)

    monkeypatch.setattr("keymoot.policy.chains.evm.typed.match.show", noting)
    denied = [
        {
            "id": f"denied-{at}",
            "action": "DENY",
            "method": "eth_signTypedData_v4",
            "domain": {"verifyingContract": {"eq": "0x" + f"{at:040x}"}},
        }
        for at in range(40)
    ]
    made = decided(policy(*denied, payment_rule()), authorization())
    assert made.allowed
    assert len(written) == len(made.decoded["message"]) == 6
    assert len(made.trace) > 40
    wanted = made.trace[1].to_json()
    assert (wanted["path"], wanted["passed"]) == ("domain.verifyingContract", False)
    assert wanted["wanted"] == "eq 0x" + f"{1:040x}"
    assert wanted["got"] == show(USDC)


def test_a_rule_on_another_type_is_no_work_but_its_own() -> None:
    """Its arrays are not looked for in a document that has none."""
    alone, beside = policy(payment_rule()), policy(BATCH_RULE, payment_rule())
    wish = read_intent("eth_signTypedData_v4", json.dumps(authorization()).encode(), WALLET)
    # A rule is worth 32 comparisons, each of its domain's two conditions 16 and what it compares.
    assert comparisons(beside, wish) - comparisons(alone, wish) == 32 + 2 * (16 + 1)
    assert decided(beside, authorization()).rule == "x402"
