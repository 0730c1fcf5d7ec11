"""Who waits for stock: each wallet its turn, nobody beyond the policy, each binding paid for."""

import json
from copy import copy

import pytest
from eth_abi.abi import decode

from keymoot.base.fixed import WalletId
from keymoot.base.request import ASK_AGAIN
from keymoot.contracts import queue
from keymoot.contracts import stock as contract_stock
from keymoot.contracts.objection import objection
from keymoot.contracts.record import BOUND, QUEUED, REFUSED
from keymoot.contracts.wallet_events import RequestBound, RequestDecided
from keymoot.contracts.wallets import Wallets
from keymoot.moot.message import Kind, NodeMessage
from keymoot.runtime import execute, gas
from keymoot.runtime.release import status_of
from tests.enclave.shares import combined, shares_of
from tests.enclave.test_bindings import again, ask, emptied, quota, record
from tests.runtime.people import AGENT, OWNER, RECOVERY, STRANGER, payment, policy


@pytest.fixture
def play(network):
    return network.play()


def another(play, name=b"t", value=10**20):
    """Give another wallet of the same owner, with the same agent and policy."""
    other = copy(play)
    made = other.send(OWNER, "create", name * 32, RECOVERY, value=value)
    assert made.status == 1, made.error
    other.wallet = WalletId(decode(["bytes32", "address"], made.output)[0])
    return other.ready(10**6)


def withdraw(network, play, name=b"w", nonce=0):
    raw = payment(1, nonce, RECOVERY).unsigned_bytes()
    until = network.clock.now + 300
    return play.send(OWNER, "withdraw", play.wallet, raw, name * 32, until, b"r" * 32, 0, 0)


def refill(network):
    network.mute = False
    network.settle()


def tick(network, number):
    """Have one enclave say that time has passed."""
    head, boot = network.assembly.hall.head, network.boxes[4].enclave.start.party.boot
    made = NodeMessage(
        network.genesis.network, head.generation, 4, Kind.TICK, number.to_bytes(8, "big")
    )
    assert network.send(made.signed(boot.signing).encode()).status == 1


def statuses(network, keys):
    return [record(network, key).status for key in keys]


def spent(play):
    return json.loads(play.view("usage", play.wallet)[0])[0]["used"]


# -- places and turns


def test_a_wallet_that_fills_its_places_leaves_the_others_theirs(network, play, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 2)
    other = another(play)
    emptied(network, play)
    for value in (1, 2):
        assert ask(network, play, value)[0].status == 1
    before, paid = spent(play), quota(play)
    receipt, key = ask(network, play, 3)
    assert (receipt.status, receipt.error_code) == (0, "STOCK_EMPTY")
    assert "2 requests of this wallet" in receipt.error
    # Nothing of it stays but what it was charged, as any answer is.
    assert record(network, key) is None
    assert spent(play) == before
    assert receipt.logs == ()
    assert paid - quota(play) == receipt.gas_used * receipt.price > 0
    receipt, key = ask(network, other, 1)
    assert receipt.status == 1
    assert record(network, key).status == QUEUED
    # The first one's owner is not kept waiting by her agent either.
    assert withdraw(network, play).status == 1


def test_what_was_turned_away_leaves_its_nonce_unsigned(network, play, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 0)
    emptied(network, play)
    receipt, _ = ask(network, play, 777)
    assert receipt.error_code == "STOCK_EMPTY"
    assert withdraw(network, play, nonce=778).error_code == "STOCK_EMPTY"
    monkeypatch.undo()
    # Had its budget been held under its nonce, a replacement would cost nothing more.
    before = int(spent(play))
    raw, _ = network.request(play, payment(5, 777).unsigned_bytes())
    assert network.send(raw).status == 1
    assert int(spent(play)) == before + 5


def test_wallets_are_served_in_turn_and_each_in_its_own_order(network, play):
    other = another(play)
    emptied(network, play)
    many = [ask(network, play, value)[1] for value in (1, 2, 3)]
    few = [ask(network, other, value)[1] for value in (1, 2)]
    refill(network)
    order = [many[0], few[0], many[1], few[1], many[2]]
    bound = [record(network, key).bound_to for key in order]
    assert bound == sorted(set(bound))
    assert all(bound)


def test_who_comes_does_not_take_what_is_there_for_those_who_wait(network, play, monkeypatch):
    other = another(play)
    emptied(network, play)
    first = ask(network, play, 1)[1]
    monkeypatch.setattr(execute, "bind_waiting", lambda *_: None)
    refill(network)
    assert network.assembly.stock.left()
    second = ask(network, other, 1)[1]
    assert statuses(network, [first, second]) == [QUEUED, QUEUED]


# -- what became of the policy


def why(network, key):
    error = record(network, key).outcome_json()
    assert error["code"] == 4100
    return error["data"]["reason"], error["message"]


def decided(network, key):
    """Give what events said of a request, in order: (bound, reason)."""
    found = []
    for height in sorted(network.branch.receipts):
        for receipt in network.branch.receipts[height]:
            for log in receipt.logs:
                if log.address == Wallets.ADDRESS and log.topics[0] == RequestDecided.topic():
                    told = RequestDecided.read(log.topics, log.data)
                    if told["key"] == key:
                        found.append((told["bound"], told["reason"]))
    return found


def test_a_request_that_waits_does_not_outlive_its_policy(network, play):
    emptied(network, play)
    key = ask(network, play, 40)[1]
    reserved = spent(play)
    assert play.rule(policy(10**6, rules=[])).status == 1
    before = network.assembly.stock.page.bound
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
    entry = json.loads(play.view("log", play.wallet, found.index, 1)[0][0])
    assert entry["status"] == "refused"
    assert entry["refusal"]["data"]["reason"] == "POLICY_CHANGED"
    assert decided(network, key) == [(True, ""), (False, "POLICY_CHANGED")]
    assert network.assembly.stock.page.bound == before
    assert spent(play) == reserved
    # It is over for everyone who asks how far it has come, also after it has expired.
    assert status_of(found, found.expires_at + 1) == "refused"
    receipt, _ = again(network, play, key)
    assert receipt.error_code == "NOT_BOUND"
    # Asked with a new id, the policy that stands decides.
    receipt, _ = ask(network, play, 40)
    assert receipt.error_code == "NO_RULE"


def test_a_policy_that_is_set_again_as_it_was_is_another(network, play):
    emptied(network, play)
    key = ask(network, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    refill(network)
    assert why(network, key)[0] == "POLICY_CHANGED"
    _, key = ask(network, play, 1)
    assert record(network, key).status == BOUND
    assert combined(network, key, shares_of(network, key))


def test_only_the_wallet_whose_policy_changed_is_refused(network, play):
    other = another(play)
    emptied(network, play)
    keys = [ask(network, one, value)[1] for one in (play, other) for value in (1, 2)]
    assert play.rule(policy(10**6)).status == 1
    refill(network)
    assert statuses(network, keys) == [REFUSED, REFUSED, BOUND, BOUND]


def test_only_what_the_change_concerns_is_refused(network, play):
    assert play.grant(STRANGER).status == 1
    emptied(network, play)
    old = ask(network, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    new = ask(network, play, 2)[1]
    raw, others = network.request(play, payment(3, 3).unsigned_bytes(), who=STRANGER)
    assert network.send(raw).status == 1
    raw = network.said.pop(0)
    network.send(raw)
    assert statuses(network, [old, new, others]) == [REFUSED, QUEUED, QUEUED]
    assert play.send(OWNER, "revoke", play.wallet, AGENT.address).status == 1
    refill(network)
    assert statuses(network, [new, others]) == [REFUSED, BOUND]


@pytest.mark.parametrize(
    ("how", "reason"),
    [("pause", "PAUSED"), ("revoke", "CREDENTIAL_REVOKED"), ("expire", "CREDENTIAL_EXPIRED")],
)
def test_a_pause_and_a_credential_that_ends_refuse_what_waits(network, play, how, reason):
    emptied(network, play)
    key = ask(network, play, 1)[1]
    if how == "pause":
        assert play.send(OWNER, "pause", play.wallet).status == 1
    elif how == "revoke":
        assert play.send(OWNER, "revoke", play.wallet, AGENT.address).status == 1
    else:
        # Granted anew for a moment that is over when there is stock again.
        assert play.grant(seconds=1).status == 1
        wait_beyond(network, 2)
    refill(network)
    assert record(network, key).status == REFUSED
    found, message = why(network, key)
    assert found == reason
    assert "ask with" in message
    assert decided(network, key)[-1] == (False, reason)


def wait_beyond(network, seconds):
    network.clock.now += seconds


def test_an_owners_withdrawal_waits_through_pauses_and_policies(network, play):
    emptied(network, play)
    receipt = withdraw(network, play)
    key = receipt.output
    assert record(network, key).status == QUEUED
    assert play.rule(policy(10**6, rules=[])).status == 1
    assert play.send(OWNER, "pause", play.wallet).status == 1
    refill(network)
    assert record(network, key).status == BOUND


def test_those_behind_are_refused_though_there_is_no_stock_for_the_first(network, play):
    other = another(play)
    emptied(network, play)
    first, behind = ask(network, other, 1)[1], ask(network, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    # One message brings no stock yet, and tells those who need not wait any longer.
    raw = network.said.pop(0)
    network.send(raw)
    assert statuses(network, [first, behind]) == [QUEUED, REFUSED]


def test_a_message_looks_at_the_first_alone_until_an_owner_has_changed_something(
    network, play, monkeypatch
):
    others = [another(play, name) for name in (b"a", b"b", b"c")]
    emptied(network, play)
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


def test_what_expired_while_it_waited_stays_what_it_was(network, play):
    emptied(network, play)
    raw, key = network.request(play, payment(1).unsigned_bytes(), seconds=1)
    assert network.send(raw).status == 1
    wait_beyond(network, 3)
    assert play.rule(policy(10**6)).status == 1
    before = network.assembly.stock.page.bound
    refill(network)
    found = record(network, key)
    assert found.status == QUEUED
    assert status_of(found, network.clock.now) == "expired"
    assert network.assembly.stock.page.bound == before


def test_nothing_is_bound_again_under_a_policy_that_is_gone(network, play):
    key = network.bind(play)
    assert play.rule(policy(10**6)).status == 1
    receipt, other = again(network, play, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "version 2" in receipt.error
    assert record(network, other) is None
    # What was bound is bound: its answer comes as it would have.
    assert combined(network, key, shares_of(network, key))


def test_what_is_asked_again_and_waits_does_not_outlive_the_policy_either(network, play):
    key = network.bind(play)
    emptied(network, play)
    other = again(network, play, key)[1]
    assert record(network, other).status == QUEUED
    assert play.rule(policy(10**6)).status == 1
    refill(network)
    assert why(network, other)[0] == "POLICY_CHANGED"
    assert record(network, other).method == ASK_AGAIN


# -- each binding is paid for


def bindings(receipts):
    return [
        RequestBound.read(log.topics, log.data)
        for receipt in receipts
        for log in receipt.logs
        if log.address == Wallets.ADDRESS and log.topics[0] == RequestBound.topic()
    ]


def shown(network):
    heights = sorted(network.branch.receipts)
    return [one for height in heights for one in network.branch.receipts[height]]


def test_no_wallet_takes_more_from_the_stock_than_its_quota_pays(network, play):
    price = gas.REQUEST_LIMIT * network.block.base_fee
    poor = another(play, value=price + price // 4)
    # 1. It asks, and asks again, as long as it can pay: each takes from its quota.
    first, asked = network.bind(poor), 1
    while quota(poor) >= price:
        before = quota(poor)
        receipt, _ = again(network, poor, first) if asked % 2 else ask(network, poor, 1)
        assert receipt.status == 1
        assert before - quota(poor) == receipt.gas_used * receipt.price > 0
        asked += 1
    assert asked > 3
    # 2. Then it gets nothing any more, by no way of asking.
    taken = network.assembly.stock.page.bound
    assert ask(network, poor, 1)[0].error_code == "QUOTA_EMPTY"
    assert again(network, poor, first)[0].error_code == "QUOTA_EMPTY"
    assert network.assembly.stock.page.bound == taken
    # 3. It got no more than it has paid for.
    mine = [one for one in bindings(shown(network)) if one["wallet"] == poor.wallet]
    assert len(mine) == asked


def test_who_waited_has_paid_before_and_pays_once(network, play):
    emptied(network, play)
    before = quota(play)
    receipt, key = ask(network, play, 1)
    paid = before - quota(play)
    assert paid == receipt.gas_used * receipt.price > 0
    refill(network)
    assert record(network, key).status == BOUND
    assert before - quota(play) == paid


def test_a_withdrawal_is_paid_by_its_owner_and_not_from_the_quota(network, play):
    before = quota(play)
    has = network.state().account(OWNER.address).balance
    receipt = withdraw(network, play)
    assert record(network, receipt.output).status == BOUND
    assert quota(play) == before
    paid = has - network.state().account(OWNER.address).balance
    assert paid == receipt.gas_used * receipt.price > 0
    # Without gas there is none, and only owners have this way.
    assert (
        play.send(STRANGER, "withdraw", play.wallet, b"", b"w" * 32, 0, b"r" * 32, 0, 0).status == 0
    )


# -- one that cannot be bound


def test_nobody_waits_behind_one_that_cannot_be_bound(network, play, monkeypatch):
    emptied(network, play)
    bad = ask(network, play, 1)[1]
    good = another(play)
    behind = ask(network, good, 1)[1]
    right = contract_stock._take

    def fail(ctx, found, wallet):
        if found.wallet == play.wallet:
            raise KeyError("nobody expected this record")
        return right(ctx, found, wallet)

    monkeypatch.setattr(contract_stock, "_take", fail)
    refill(network)
    assert record(network, behind).status == BOUND
    assert record(network, bad).status == REFUSED
    assert why(network, bad)[0] == "UNEXECUTABLE"
    assert network.assembly.stock.page.bound > 0
