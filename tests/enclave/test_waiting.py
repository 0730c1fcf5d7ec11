"""Who waits for stock: each wallet its turn, nobody beyond the policy, each binding paid for."""

import json
import time
from contextlib import contextmanager
from copy import copy

import pytest
from eth_abi.abi import decode

from keymoot.base.errors import KeymootError
from keymoot.base.fixed import WalletId
from keymoot.base.request import ASK_AGAIN
from keymoot.contracts import queue
from keymoot.contracts import stock as contract_stock
from keymoot.contracts.objection import objection
from keymoot.contracts.record import BOUND, QUEUED, REFUSED
from keymoot.contracts.wallet_events import RequestBound, RequestDecided
from keymoot.contracts.wallets import Wallets
from keymoot.enclave import follower
from keymoot.moot.message import Kind, NodeMessage
from keymoot.runtime import execute, gas
from keymoot.runtime.release import status_of
from tests.enclave.test_bindings import again, ask, emptied, quota, record
from tests.enclave.test_cosigning import combined, shares_of
from tests.runtime.people import AGENT, OWNER, RECOVERY, STRANGER, payment, policy


@pytest.fixture
def play(parliament):
    return parliament.play()


def another(play, name=b"t", value=10**20):
    """Give another wallet of the same owner, with the same agent and policy."""
    other = copy(play)
    made = other.send(OWNER, "create", name * 32, RECOVERY, value=value)
    assert made.status == 1, made.error
    other.wallet = WalletId(decode(["bytes32", "address"], made.output)[0])
    return other.ready(10**6)


def withdraw(parliament, play, name=b"w", nonce=0):
    raw = payment(1, nonce, RECOVERY).unsigned_bytes()
    until = parliament.ledger.now() + 300
    return play.send(OWNER, "withdraw", play.wallet, raw, name * 32, until, b"r" * 32, 0, 0)


@contextmanager
def refused(code):
    with pytest.raises(KeymootError) as error:
        yield
    assert error.value.code == code


def refill(parliament):
    parliament.mute = False
    parliament.settle()


def tick(parliament, number):
    """Have one enclave say that time has passed."""
    head, boot = parliament.assembly.hall.head, parliament.delegates[4].room._boot
    made = NodeMessage(
        parliament.genesis.network, head.generation, 4, Kind.TICK, number.to_bytes(8, "big")
    )
    assert parliament.send(made.signed(boot.signing).encode()).status == 1


def statuses(parliament, keys):
    return [record(parliament, key).status for key in keys]


def spent(play):
    return json.loads(play.view("usage", play.wallet)[0])[0]["used"]


# -- places and turns


def test_a_wallet_that_fills_its_places_leaves_the_others_theirs(parliament, play, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 2)
    other = another(play)
    emptied(parliament, play)
    for value in (1, 2):
        assert ask(parliament, play, value)[0].status == 1
    before, paid = spent(play), quota(play)
    receipt, key = ask(parliament, play, 3)
    assert (receipt.status, receipt.error_code) == (0, "STOCK_EMPTY")
    assert "2 requests of this wallet" in receipt.error
    # Nothing of it stays but what it was charged, as any answer is.
    assert record(parliament, key) is None
    assert spent(play) == before
    assert receipt.logs == ()
    assert paid - quota(play) == receipt.gas_used * receipt.price > 0
    receipt, key = ask(parliament, other, 1)
    assert receipt.status == 1
    assert record(parliament, key).status == QUEUED
    # The first one's owner is not kept waiting by her agent either.
    assert withdraw(parliament, play).status == 1


def test_what_was_turned_away_leaves_its_nonce_unsigned(parliament, play, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 0)
    emptied(parliament, play)
    receipt, _ = ask(parliament, play, 777)
    assert receipt.error_code == "STOCK_EMPTY"
    assert withdraw(parliament, play, nonce=778).error_code == "STOCK_EMPTY"
    monkeypatch.undo()
    # Had its budget been held under its nonce, a replacement would cost nothing more.
    before = int(spent(play))
    raw, _ = parliament.request(play, payment(5, 777).unsigned_bytes())
    assert parliament.send(raw).status == 1
    assert int(spent(play)) == before + 5


def test_wallets_are_served_in_turn_and_each_in_its_own_order(parliament, play):
    other = another(play)
    emptied(parliament, play)
    many = [ask(parliament, play, value)[1] for value in (1, 2, 3)]
    few = [ask(parliament, other, value)[1] for value in (1, 2)]
    refill(parliament)
    order = [many[0], few[0], many[1], few[1], many[2]]
    bound = [record(parliament, key).bound_to for key in order]
    assert bound == sorted(set(bound))
    assert all(bound)


def test_who_comes_does_not_take_what_is_there_for_those_who_wait(parliament, play, monkeypatch):
    other = another(play)
    emptied(parliament, play)
    first = ask(parliament, play, 1)[1]
    monkeypatch.setattr(execute, "bind_waiting", lambda *_: None)
    refill(parliament)
    assert parliament.assembly.stock.left()
    second = ask(parliament, other, 1)[1]
    assert statuses(parliament, [first, second]) == [QUEUED, QUEUED]


# -- what became of the policy


def why(parliament, key):
    error = record(parliament, key).outcome_json()
    assert error["code"] == 4100
    return error["data"]["reason"], error["message"]


def decided(parliament, key):
    """Give what events said of a request, in order: (bound, reason)."""
    found = []
    for height in sorted(parliament.shown):
        for receipt in parliament.shown[height].receipts:
            for log in receipt.logs:
                if log.address == Wallets.ADDRESS and log.topics[0] == RequestDecided.topic():
                    told = RequestDecided.read(log.topics, log.data)
                    if told["key"] == key:
                        found.append((told["bound"], told["reason"]))
    return found


def test_a_request_that_waits_does_not_outlive_its_policy(parliament, play):
    emptied(parliament, play)
    key = ask(parliament, play, 40)[1]
    reserved = spent(play)
    assert play.rule(policy(10**6, rules=[])).status == 1
    before = parliament.assembly.stock.page.bound
    refill(parliament)
    found = record(parliament, key)
    assert (found.status, found.bound_to, found.digest) == (REFUSED, b"", bytes(32))
    assert (found.policy_version, found.rule) == (1, "")
    reason, message = why(parliament, key)
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
    assert decided(parliament, key) == [(True, ""), (False, "POLICY_CHANGED")]
    assert parliament.assembly.stock.page.bound == before
    assert spent(play) == reserved
    # It is over for everyone who asks how far it has come, also after it has expired.
    assert status_of(found, found.expires_at + 1) == "refused"
    receipt, _ = again(parliament, play, key)
    assert receipt.error_code == "NOT_BOUND"
    # Asked with a new id, the policy that stands decides.
    receipt, _ = ask(parliament, play, 40)
    assert receipt.error_code == "NO_RULE"


def test_a_policy_that_is_set_again_as_it_was_is_another(parliament, play):
    emptied(parliament, play)
    key = ask(parliament, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    refill(parliament)
    assert why(parliament, key)[0] == "POLICY_CHANGED"
    _, key = ask(parliament, play, 1)
    assert record(parliament, key).status == BOUND
    assert combined(parliament, key, shares_of(parliament, key))


def test_only_the_wallet_whose_policy_changed_is_refused(parliament, play):
    other = another(play)
    emptied(parliament, play)
    keys = [ask(parliament, one, value)[1] for one in (play, other) for value in (1, 2)]
    assert play.rule(policy(10**6)).status == 1
    refill(parliament)
    assert statuses(parliament, keys) == [REFUSED, REFUSED, BOUND, BOUND]


def test_only_what_the_change_concerns_is_refused(parliament, play):
    assert play.grant(STRANGER).status == 1
    emptied(parliament, play)
    old = ask(parliament, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    new = ask(parliament, play, 2)[1]
    raw, others = parliament.request(play, payment(3, 3).unsigned_bytes(), who=STRANGER)
    assert parliament.send(raw).status == 1
    raw = parliament.said.pop(0)
    parliament.send(raw)
    assert statuses(parliament, [old, new, others]) == [REFUSED, QUEUED, QUEUED]
    assert play.send(OWNER, "revoke", play.wallet, AGENT.address).status == 1
    refill(parliament)
    assert statuses(parliament, [new, others]) == [REFUSED, BOUND]


@pytest.mark.parametrize(
    ("how", "reason"),
    [("pause", "PAUSED"), ("revoke", "CREDENTIAL_REVOKED"), ("expire", "CREDENTIAL_EXPIRED")],
)
def test_a_pause_and_a_credential_that_ends_refuse_what_waits(parliament, play, how, reason):
    emptied(parliament, play)
    key = ask(parliament, play, 1)[1]
    if how == "pause":
        assert play.send(OWNER, "pause", play.wallet).status == 1
    elif how == "revoke":
        assert play.send(OWNER, "revoke", play.wallet, AGENT.address).status == 1
    else:
        # Granted anew for a moment that is over when there is stock again.
        assert play.grant(seconds=1).status == 1
        wait_beyond(parliament, 2)
    refill(parliament)
    assert record(parliament, key).status == REFUSED
    found, message = why(parliament, key)
    assert found == reason
    assert "ask with" in message
    assert decided(parliament, key)[-1] == (False, reason)


def wait_beyond(parliament, seconds):
    deadline = parliament.ledger.now() + seconds
    while parliament.ledger.now() < deadline:
        time.sleep(0.05)


def test_an_owners_withdrawal_waits_through_pauses_and_policies(parliament, play):
    emptied(parliament, play)
    receipt = withdraw(parliament, play)
    key = receipt.output
    assert record(parliament, key).status == QUEUED
    assert play.rule(policy(10**6, rules=[])).status == 1
    assert play.send(OWNER, "pause", play.wallet).status == 1
    refill(parliament)
    assert record(parliament, key).status == BOUND


def test_those_behind_are_refused_though_there_is_no_stock_for_the_first(parliament, play):
    other = another(play)
    emptied(parliament, play)
    first, behind = ask(parliament, other, 1)[1], ask(parliament, play, 1)[1]
    assert play.rule(policy(10**6)).status == 1
    # One message brings no stock yet, and tells those who need not wait any longer.
    raw = parliament.said.pop(0)
    parliament.send(raw)
    assert statuses(parliament, [first, behind]) == [QUEUED, REFUSED]


def test_a_message_looks_at_the_first_alone_until_an_owner_has_changed_something(
    parliament, play, monkeypatch
):
    others = [another(play, name) for name in (b"a", b"b", b"c")]
    emptied(parliament, play)
    for one in others:
        ask(parliament, one, 1)
    tick(parliament, 99)
    looks = []

    def counted(cells, ctx, one):
        looks.append(bytes(one.wallet))
        return objection(cells, ctx, one)

    monkeypatch.setattr(contract_stock, "objection", counted)
    first, *_ = (bytes(one.wallet) for one in others)
    # A broken enclave says something many times over: nobody pays for that.
    for at in range(3):
        tick(parliament, at)
    assert looks == [first] * 3
    assert others[2].send(OWNER, "pause", others[2].wallet).status == 1
    looks.clear()
    tick(parliament, 3)
    assert sorted(set(looks)) == sorted(bytes(one.wallet) for one in others)
    looks.clear()
    tick(parliament, 4)
    assert looks == [first]


def test_what_expired_while_it_waited_stays_what_it_was(parliament, play):
    emptied(parliament, play)
    raw, key = parliament.request(play, payment(1).unsigned_bytes(), seconds=1)
    assert parliament.send(raw).status == 1
    wait_beyond(parliament, 3)
    assert play.rule(policy(10**6)).status == 1
    before = parliament.assembly.stock.page.bound
    refill(parliament)
    found = record(parliament, key)
    assert found.status == QUEUED
    assert status_of(found, parliament.ledger.now()) == "expired"
    assert parliament.assembly.stock.page.bound == before


def test_nothing_is_bound_again_under_a_policy_that_is_gone(parliament, play):
    key = parliament.bind(play)
    assert play.rule(policy(10**6)).status == 1
    receipt, other = again(parliament, play, key)
    assert (receipt.status, receipt.error_code) == (0, "NOT_BOUND")
    assert "version 2" in receipt.error
    assert record(parliament, other) is None
    # What was bound is bound: its answer comes as it would have.
    assert combined(parliament, key, shares_of(parliament, key))


def test_what_is_asked_again_and_waits_does_not_outlive_the_policy_either(parliament, play):
    key = parliament.bind(play)
    emptied(parliament, play)
    other = again(parliament, play, key)[1]
    assert record(parliament, other).status == QUEUED
    assert play.rule(policy(10**6)).status == 1
    refill(parliament)
    assert why(parliament, other)[0] == "POLICY_CHANGED"
    assert record(parliament, other).method == ASK_AGAIN


# -- each binding is paid for


def bindings(receipts):
    return [
        RequestBound.read(log.topics, log.data)
        for receipt in receipts
        for log in receipt.logs
        if log.address == Wallets.ADDRESS and log.topics[0] == RequestBound.topic()
    ]


def shown(parliament):
    return [one for height in sorted(parliament.shown) for one in parliament.shown[height].receipts]


def test_no_wallet_takes_more_from_the_stock_than_its_quota_pays(parliament, play):
    price = gas.REQUEST_LIMIT * parliament.ledger.block_environment().base_fee
    poor = another(play, value=price + price // 4)
    # 1. It asks, and asks again, as long as it can pay: each takes from its quota.
    first, asked = parliament.bind(poor), 1
    while quota(poor) >= price:
        before = quota(poor)
        receipt, _ = again(parliament, poor, first) if asked % 2 else ask(parliament, poor, 1)
        assert receipt.status == 1
        assert before - quota(poor) == receipt.gas_used * receipt.price > 0
        asked += 1
    assert asked > 3
    # 2. Then it gets nothing any more, by no way of asking.
    taken = parliament.assembly.stock.page.bound
    with refused("QUOTA_EMPTY"):
        ask(parliament, poor, 1)
    with refused("QUOTA_EMPTY"):
        again(parliament, poor, first)
    assert parliament.assembly.stock.page.bound == taken
    # 3. It got no more than it has paid for.
    mine = [one for one in bindings(shown(parliament)) if one["wallet"] == poor.wallet]
    assert len(mine) == asked


def test_who_waited_has_paid_before_and_pays_once(parliament, play):
    emptied(parliament, play)
    before = quota(play)
    receipt, key = ask(parliament, play, 1)
    paid = before - quota(play)
    assert paid == receipt.gas_used * receipt.price > 0
    refill(parliament)
    assert record(parliament, key).status == BOUND
    assert before - quota(play) == paid


def test_a_withdrawal_is_paid_by_its_owner_and_not_from_the_quota(parliament, play):
    before = quota(play)
    has = parliament.ledger.state().account(OWNER.address).balance
    receipt = withdraw(parliament, play)
    assert record(parliament, receipt.output).status == BOUND
    assert quota(play) == before
    paid = has - parliament.ledger.state().account(OWNER.address).balance
    assert paid == receipt.gas_used * receipt.price > 0
    # Without gas there is none, and only owners have this way.
    assert (
        play.send(STRANGER, "withdraw", play.wallet, b"", b"w" * 32, 0, b"r" * 32, 0, 0).status == 0
    )


# -- one that cannot be bound


def test_nobody_waits_behind_one_that_cannot_be_bound(parliament, play, monkeypatch):
    emptied(parliament, play)
    bad = ask(parliament, play, 1)[1]
    good = another(play)
    behind = ask(parliament, good, 1)[1]
    right = contract_stock._take

    def fail(ctx, found, wallet):
        if found.wallet == play.wallet:
            raise KeyError("nobody expected this record")
        return right(ctx, found, wallet)

    monkeypatch.setattr(contract_stock, "_take", fail)
    refill(parliament)
    assert record(parliament, behind).status == BOUND
    assert record(parliament, bad).status == REFUSED
    assert why(parliament, bad)[0] == "UNEXECUTABLE"
    assert parliament.assembly.stock.page.bound > 0


def test_an_enclave_that_cannot_follow_a_block_names_the_transaction(parliament, play, monkeypatch):
    one, other = parliament.delegates[1], parliament.delegates[2]
    told = []
    right = follower._notice

    def fail(*given):
        told.append(given)
        if len(told) == 1:  # the first enclave that is shown the block
            raise KeyError("nobody expected this log")
        return right(*given)

    monkeypatch.setattr(follower, "_notice", fail)
    assert play.send(OWNER, "pause", play.wallet).status == 1
    assert (one.refusal, other.refusal) == ("DIVERGED", "")
    # It answers on, and was shown nothing that it took in part.
    assert play.wallet not in one.room.member.follower.paused
    assert play.wallet in other.room.member.follower.paused
