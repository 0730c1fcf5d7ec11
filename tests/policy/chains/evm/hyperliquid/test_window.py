"""A nonce is the time of the call, by the ledger's time; an action may have to end soon."""

from typing import Any

import pytest

from keymoot.base.units import UnixSeconds
from keymoot.policy.chains.evm.hyperliquid.window import NONCE_SECONDS
from keymoot.policy.decide import decide
from keymoot.policy.document import parse_policy
from keymoot.policy.errors import BadPolicy
from keymoot.policy.refusal import Refusal
from keymoot.policy.work import comparisons
from tests.policy import documents
from tests.policy.chains.evm.hyperliquid import actions
from tests.policy.chains.evm.hyperliquid.actions import (
    NONCE,
    PAYEE,
    order,
    orders,
    perps,
    reason,
    user_signed,
)

MOST = 1_000 * NONCE_SECONDS
DAY = 86_400_000


def refused(action: Any, **changes: Any) -> Refusal:
    refusal = actions.judge(action, **changes).refusal
    assert refusal is not None
    return refusal


def limited(**within: str) -> Any:
    """Give a policy whose one rule on orders says `within`."""
    trade = perps()["rules"][1] | {"within": within}
    return documents.parsed(perps() | {"rules": [trade]})


@pytest.mark.parametrize("ahead", [0, 1, -1, MOST, -MOST])
def test_a_nonce_near_the_ledgers_time_is_signed(ahead: int) -> None:
    assert reason(orders(), nonce=NONCE + ahead) == ("", None)


@pytest.mark.parametrize(
    "nonce", [NONCE + MOST + 1, NONCE - MOST - 1, NONCE + DAY, NONCE - 2 * DAY, 0, 1, 2**64 - 1]
)
def test_one_that_is_not_may_be_hoarded_and_is_refused(nonce: int) -> None:
    refusal = refused(orders(), nonce=nonce)
    assert (refusal.reason, refusal.path) == ("NONCE_OUT_OF_WINDOW", "nonce")
    for words in (str(nonce), "2026-11-18T11:06:40Z", "300 s", "clock"):
        assert words in refusal.message
    assert ("ahead of" if nonce > NONCE else "behind") in refusal.message


def test_how_far_it_is_is_said_in_seconds() -> None:
    assert "is 86400 s ahead of the" in refused(orders(), nonce=NONCE + DAY).message
    assert "is 301 s behind the" in refused(orders(), nonce=NONCE - MOST - 1_999).message


def test_so_is_a_payment_of_another_time() -> None:
    payment = user_signed("usdSend", nonce=NONCE + DAY, destination=PAYEE, amount="5")
    assert reason(payment, nonce=NONCE + DAY) == ("NONCE_OUT_OF_WINDOW", "nonce")


def test_only_the_ledgers_time_counts() -> None:
    intent = actions.read(orders())
    later = UnixSeconds(documents.NOW + NONCE_SECONDS)
    assert decide(actions.POLICY, intent, {}, (), later).allowed
    refusal = decide(actions.POLICY, intent, {}, (), UnixSeconds(later + 1)).refusal
    assert refusal is not None
    assert refusal.reason == "NONCE_OUT_OF_WINDOW"


@pytest.mark.parametrize(
    ("expires", "word"),
    [
        (None, ""),
        (NONCE + 1, ""),
        (2**64 - 1, ""),
        (NONCE, "ACTION_EXPIRED"),
        (0, "ACTION_EXPIRED"),
    ],
)
def test_what_has_ended_spends_no_budget(expires: int | None, word: str) -> None:
    found = reason(orders(), expiresAfter=expires)
    assert found == (word, "expiresAfter" if word else None)


@pytest.mark.parametrize("ahead", [60_001, -60_001])
def test_a_rule_narrows_it(ahead: int) -> None:
    policy = limited(nonce="1m")
    assert reason(orders(), policy, nonce=NONCE + (ahead > 0 or -1) * 60_000) == ("", None)
    assert reason(orders(), policy, nonce=NONCE + ahead) == ("NONCE_OUT_OF_WINDOW", "nonce")


def test_a_rule_wants_an_end_that_is_near() -> None:
    policy = limited(expiresAfter="10m")
    for expires in (None, NONCE + 600_001, 2**64 - 1):
        found = reason(orders(), policy, expiresAfter=expires)
        assert found == ("CONDITION_FAILED", "expiresAfter")
    assert reason(orders(), policy, expiresAfter=NONCE + 600_000) == ("", None)


def test_every_order_of_a_batch_is_held_against_it() -> None:
    rules = perps()["rules"]
    strict = rules[1] | {"within": {"expiresAfter": "1m"}}
    policy = documents.parsed(perps() | {"rules": [rules[0], strict]})
    batch = orders(order(r=True, p="1"), order(s="0.001"))
    assert reason(batch, policy) == ("CONDITION_FAILED", "expiresAfter")
    assert reason(orders(order(r=True, p="1")), policy) == ("", None)


def test_the_trace_shows_it_and_its_work_is_counted() -> None:
    policy = limited(nonce="1m", expiresAfter="10m")
    made = actions.judge(orders(), policy, expiresAfter=NONCE + 5)
    shown = [step.path for step in made.trace if step.passed]
    assert shown.count("nonce") == shown.count("expiresAfter") == 2
    told = actions.read(orders(), expiresAfter=NONCE + 5)
    assert comparisons(policy, told) == comparisons(limited(), told) + 2 * 16


BAD: list[tuple[str, Any, str]] = [
    ("rules/1/within", [], "rules[1].within"),
    ("rules/1/within", {"time": "5m"}, "rules[1].within.time"),
    ("rules/1/within", {"nonce": "6m"}, "rules[1].within.nonce"),
    ("rules/1/within", {"nonce": 60}, "rules[1].within.nonce"),
    ("rules/1/within", {"expiresAfter": "10"}, "rules[1].within.expiresAfter"),
    # What the user signs has no end: such a rule would allow nothing.
    ("rules/6/within", {"expiresAfter": "10m"}, "rules[6].within.expiresAfter"),
    ("rules/7/within", {"expiresAfter": "10m"}, "rules[7].within.expiresAfter"),
    ("rules/8/within", {"expiresAfter": "10m"}, "rules[8].within.expiresAfter"),
]


@pytest.mark.parametrize(("path", "value", "where"), BAD)
def test_a_length_that_cannot_be_names_its_place(path: str, value: Any, where: str) -> None:
    with pytest.raises(BadPolicy) as caught:
        documents.parsed(documents.changed(perps(), path, value))
    assert caught.value.path == where


def test_a_deny_has_none() -> None:
    deny = {"id": "no", "action": "DENY", "method": "hyperliquid_signAction"}
    with pytest.raises(BadPolicy, match="DENY"):
        documents.parsed(perps() | {"rules": [deny | {"within": {"nonce": "1m"}}]})


def test_a_stored_policy_reads_the_same() -> None:
    policy = limited(nonce="5m", expiresAfter="366d")
    assert parse_policy(policy.source, known=True).rules == policy.rules
