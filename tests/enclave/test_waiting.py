"""Who waits for stock: each wallet its turn, nobody beyond the policy, each binding paid for."""

import pytest

from keymoot.contracts.builtin.wallets import queue
from keymoot.contracts.builtin.wallets import stock as contract_stock
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.events import RequestBound
from keymoot.contracts.builtin.wallets.record import BOUND, QUEUED, REFUSED
from keymoot.runtime import execute, gas
from tests.enclave.test_bindings import again, ask, emptied, quota, record
from tests.enclave.waiters import another, refill, spent, statuses, why, withdraw
from tests.runtime.people import OWNER, STRANGER, payment


@pytest.fixture
def scenario(network):
    return network.scenario()


# -- places and turns


def test_a_wallet_that_fills_its_places_leaves_the_others_theirs(network, scenario, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 2)
    other = another(scenario)
    emptied(network, scenario)
    for value in (1, 2):
        assert ask(network, scenario, value)[0].status == 1
    before, paid = spent(scenario), quota(scenario)
    receipt, key = ask(network, scenario, 3)
    assert (receipt.status, receipt.error_code) == (0, "STOCK_EMPTY")
    assert "2 requests of this wallet" in receipt.error
    # Nothing of it stays but what it was charged, as any answer is.
    assert record(network, key) is None
    assert spent(scenario) == before
    assert receipt.logs == ()
    assert paid - quota(scenario) == receipt.gas_used * receipt.price > 0
    receipt, key = ask(network, other, 1)
    assert receipt.status == 1
    assert record(network, key).status == QUEUED
    # The first one's owner is not kept waiting by her agent either.
    assert withdraw(network, scenario).status == 1


def test_what_was_turned_away_leaves_its_nonce_unsigned(network, scenario, monkeypatch):
    monkeypatch.setattr(queue, "MAX_PLACES", 0)
    emptied(network, scenario)
    receipt, _ = ask(network, scenario, 777)
    assert receipt.error_code == "STOCK_EMPTY"
    assert withdraw(network, scenario, nonce=778).error_code == "STOCK_EMPTY"
    monkeypatch.undo()
    # Had its budget been held under its nonce, a replacement would cost nothing more.
    before = int(spent(scenario))
    raw, _ = network.request(scenario, payment(5, 777).unsigned_bytes())
    assert network.send(raw).status == 1
    assert int(spent(scenario)) == before + 5


def test_wallets_are_served_in_turn_and_each_in_its_own_order(network, scenario):
    other = another(scenario)
    emptied(network, scenario)
    many = [ask(network, scenario, value)[1] for value in (1, 2, 3)]
    few = [ask(network, other, value)[1] for value in (1, 2)]
    refill(network)
    order = [many[0], few[0], many[1], few[1], many[2]]
    bound = [record(network, key).bound_to for key in order]
    assert bound == sorted(set(bound))
    assert all(bound)


def test_who_comes_does_not_take_what_is_there_for_those_who_wait(network, scenario, monkeypatch):
    other = another(scenario)
    emptied(network, scenario)
    first = ask(network, scenario, 1)[1]
    monkeypatch.setattr(execute, "bind_waiting", lambda *_: None)
    refill(network)
    assert network.machine.stock.left()
    second = ask(network, other, 1)[1]
    assert statuses(network, [first, second]) == [QUEUED, QUEUED]


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


def test_no_wallet_takes_more_from_the_stock_than_its_quota_pays(network, scenario):
    price = gas.REQUEST_LIMIT * network.block.base_fee
    poor = another(scenario, value=price + price // 4)
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
    taken = network.machine.stock.page.bound
    assert ask(network, poor, 1)[0].error_code == "QUOTA_EMPTY"
    assert again(network, poor, first)[0].error_code == "QUOTA_EMPTY"
    assert network.machine.stock.page.bound == taken
    # 3. It got no more than it has paid for.
    mine = [one for one in bindings(shown(network)) if one.wallet == poor.wallet]
    assert len(mine) == asked


def test_who_waited_has_paid_before_and_pays_once(network, scenario):
    emptied(network, scenario)
    before = quota(scenario)
    receipt, key = ask(network, scenario, 1)
    paid = before - quota(scenario)
    assert paid == receipt.gas_used * receipt.price > 0
    refill(network)
    assert record(network, key).status == BOUND
    assert before - quota(scenario) == paid


def test_a_withdrawal_is_paid_by_its_owner_and_not_from_the_quota(network, scenario):
    before = quota(scenario)
    has = network.state().account(OWNER.address).balance
    receipt = withdraw(network, scenario)
    assert record(network, receipt.output).status == BOUND
    assert quota(scenario) == before
    paid = has - network.state().account(OWNER.address).balance
    assert paid == receipt.gas_used * receipt.price > 0
    # Without gas there is none, and only owners have this way.
    assert (
        scenario.send(
            STRANGER, "withdraw", scenario.wallet, b"", b"w" * 32, 0, b"r" * 32, 0, 0
        ).status
        == 0
    )


# -- one that cannot be bound


def test_nobody_waits_behind_one_that_cannot_be_bound(network, scenario, monkeypatch):
    emptied(network, scenario)
    bad = ask(network, scenario, 1)[1]
    good = another(scenario)
    behind = ask(network, good, 1)[1]
    right = contract_stock._take

    def fail(cells, ctx, found, wallet):
        if found.wallet == scenario.wallet:
            raise KeyError("nobody expected this record")
        return right(cells, ctx, found, wallet)

    monkeypatch.setattr(contract_stock, "_take", fail)
    refill(network)
    assert record(network, behind).status == BOUND
    assert record(network, bad).status == REFUSED
    assert why(network, bad)[0] == "UNEXECUTABLE"
    assert network.machine.stock.page.bound > 0
