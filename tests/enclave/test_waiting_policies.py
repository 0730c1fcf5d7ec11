"""A request that waits for stock outlives no policy, pause or credential that would refuse it."""

import json

import pytest

from keymoot.base.request import ASK_AGAIN
from keymoot.contracts.builtin.wallets import stock as contract_stock
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestDecided
from keymoot.contracts.builtin.wallets.objection import objection
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED, REFUSED
from keymoot.runtime.release import status_of
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_bindings import again, ask, emptied, record
from tests.enclave.waiters import another, refill, spent, statuses, tick, wait_beyond, why, withdraw
from tests.runtime.people import AGENT, OWNER, STRANGER, payment, policy


@pytest.fixture
def scenario(network):
    return network.scenario()


def decided(network, key):
    """Give what events said of a request, in order: (bound, reason)."""
    found = []
    for height in sorted(network.branch.receipts):
        for receipt in network.branch.receipts[height]:
            for log in receipt.logs:
                if log.address == Wallets.ADDRESS and log.topics[0] == RequestDecided.topic():
                    told = RequestDecided.read(log.topics, log.data)
                    if told.key == key:
                        found.append((told.bound, told.reason))
    return found


def test_a_request_that_waits_does_not_outlive_its_policy(network, scenario):
    emptied(network, scenario)
    key = ask(network, scenario, 40)[1]
    reserved = spent(scenario)
    assert scenario.rule(policy(10**6, rules=[])).status == 1
    before = network.machine.stock.page.bound
    refill(network)
    found = record(network, key)
    assert (found.status, found.bound_to, found.digest) == (REFUSED, b"", bytes(32))
    assert (found.policy_version, found.rule) == (1, "")
    reason, message = why(network, key)
    assert reason == "POLICY_CHANGED"
    assert "version 1" in message
    assert "version 2" in message
    assert message.endswith("ask with a new id")
    data = found.outcome_json()["data"]
    assert data["policyVersion"] == 2
    assert data["decoded"]["value"] == "40"
    assert data["requestId"] == found.request_id.hex0x
    # Log and events tell it; the stock is untouched, the budget stays reserved.
    entry = json.loads(scenario.view("log", scenario.wallet, found.index, 1)[0][0])
    assert entry["status"] == "refused"
    assert entry["refusal"]["data"]["reason"] == "POLICY_CHANGED"
    assert decided(network, key) == [(True, ""), (False, "POLICY_CHANGED")]
    assert network.machine.stock.page.bound == before
    assert spent(scenario) == reserved
    # It is over for everyone who asks how far it has come, also after it has expired.
    assert status_of(found, found.expires_at + 1) == "refused"
    receipt, _ = again(network, scenario, key)
    assert receipt.error_code == "NOT_BOUND"
    # Asked with a new id, the policy that stands decides.
    receipt, _ = ask(network, scenario, 40)
    assert receipt.error_code == "NO_RULE"


def test_a_policy_that_is_set_again_as_it_was_is_another(network, scenario):
    emptied(network, scenario)
    key = ask(network, scenario, 1)[1]
    assert scenario.rule(policy(10**6)).status == 1
    refill(network)
    assert why(network, key)[0] == "POLICY_CHANGED"
    _, key = ask(network, scenario, 1)
    assert record(network, key).status == BOUND
    assert combined(network, key, shares_of(network, key))


def test_only_the_wallet_whose_policy_changed_is_refused(network, scenario):
    other = another(scenario)
    emptied(network, scenario)
    keys = [ask(network, one, value)[1] for one in (scenario, other) for value in (1, 2)]
    assert scenario.rule(policy(10**6)).status == 1
    refill(network)
    assert statuses(network, keys) == [REFUSED, REFUSED, BOUND, BOUND]


def test_only_what_the_change_concerns_is_refused(network, scenario):
    assert scenario.grant(STRANGER).status == 1
    emptied(network, scenario)
    old = ask(network, scenario, 1)[1]
    assert scenario.rule(policy(10**6)).status == 1
    new = ask(network, scenario, 2)[1]
    raw, others = network.request(scenario, payment(3, 3).unsigned_bytes(), who=STRANGER)
    assert network.send(raw).status == 1
    raw = network.said.pop(0)
    network.send(raw)
    assert statuses(network, [old, new, others]) == [REFUSED, QUEUED, QUEUED]
    assert scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address).status == 1
    refill(network)
    assert statuses(network, [new, others]) == [REFUSED, BOUND]


@pytest.mark.parametrize(
    ("how", "reason"),
    [("pause", "PAUSED"), ("revoke", "CREDENTIAL_REVOKED"), ("expire", "CREDENTIAL_EXPIRED")],
)
def test_a_pause_and_a_credential_that_ends_refuse_what_waits(network, scenario, how, reason):
    emptied(network, scenario)
    key = ask(network, scenario, 1)[1]
    if how == "pause":
        assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    elif how == "revoke":
        assert scenario.send(OWNER, "revoke", scenario.wallet, AGENT.address).status == 1
    else:
        # Granted anew for a moment that is over when there is stock again.
        assert scenario.grant(seconds=1).status == 1
        wait_beyond(network, 2)
    refill(network)
    assert record(network, key).status == REFUSED
    found, message = why(network, key)
    assert found == reason
    assert "ask with" in message
    assert decided(network, key)[-1] == (False, reason)


def test_an_owners_withdrawal_waits_through_pauses_and_policies(network, scenario):
    emptied(network, scenario)
    receipt = withdraw(network, scenario)
    key = receipt.output
    assert record(network, key).status == QUEUED
    assert scenario.rule(policy(10**6, rules=[])).status == 1
    assert scenario.send(OWNER, "pause", scenario.wallet).status == 1
    refill(network)
    assert record(network, key).status == BOUND


def test_those_behind_are_refused_though_there_is_no_stock_for_the_first(network, scenario):
    other = another(scenario)
    emptied(network, scenario)
    first, behind = ask(network, other, 1)[1], ask(network, scenario, 1)[1]
    assert scenario.rule(policy(10**6)).status == 1
    # One message brings no stock yet, and tells those who need not wait any longer.
    raw = network.said.pop(0)
    network.send(raw)
    assert statuses(network, [first, behind]) == [QUEUED, REFUSED]


def test_a_message_looks_at_the_first_alone_until_an_owner_has_changed_something(
    network, scenario, monkeypatch
):
    others = [another(scenario, name) for name in (b"a", b"b", b"c")]
    emptied(network, scenario)
    for one in others:
        ask(network, one, 1)
    tick(network, 99)
    looks = []

    def counted(cells, ctx, one):
        looks.append(bytes(one.wallet))
        return objection(cells, ctx, one)

    monkeypatch.setattr(contract_stock, "objection", counted)
    first, *_ = (bytes(one.wallet) for one in others)
    # A broken enclave says something many times over: nobody pays for that.
    for at in range(3):
        tick(network, at)
    # Each of the four enclaves looks once for each message.
    assert looks == [first] * 3 * len(network.boxes)
    assert others[2].send(OWNER, "pause", others[2].wallet).status == 1
    looks.clear()
    tick(network, 3)
    assert sorted(set(looks)) == sorted(bytes(one.wallet) for one in others)
    looks.clear()
    tick(network, 4)
    assert looks == [first] * len(network.boxes)


def test_what_expired_while_it_waited_stays_what_it_was(network, scenario):
    emptied(network, scenario)
    raw, key = network.request(scenario, payment(1).unsigned_bytes(), seconds=1)
    assert network.send(raw).status == 1
    wait_beyond(network, 3)
    assert scenario.rule(policy(10**6)).status == 1
    before = network.machine.stock.page.bound
    refill(network)
    found = record(network, key)
    assert found.status == QUEUED
    assert status_of(found, network.clock.now) == "expired"
    assert network.machine.stock.page.bound == before


def test_nothing_is_bound_again_under_a_policy_that_is_gone(network, scenario):
    key = network.bind(scenario)
    assert scenario.rule(policy(10**6)).status == 1
    receipt, other = again(network, scenario, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "version 2" in receipt.error
    assert record(network, other) is None
    # What was bound is bound: its answer comes as it would have.
    assert combined(network, key, shares_of(network, key))


def test_what_is_asked_again_and_waits_does_not_outlive_the_policy_either(network, scenario):
    key = network.bind(scenario)
    emptied(network, scenario)
    other = again(network, scenario, key)[1]
    assert record(network, other).status == QUEUED
    assert scenario.rule(policy(10**6)).status == 1
    refill(network)
    assert why(network, other)[0] == "POLICY_CHANGED"
    assert record(network, other).method == ASK_AGAIN
