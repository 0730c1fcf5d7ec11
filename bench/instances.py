"""What ten thousand instances of an app cost somebody's signature while they renew.

An instance's request is executed in a block of its own, twenty a second; an epoch of an hour has
10,000 renewals, so one comes with every seventh block. Beside it: the same with nobody else.
"""

import time

from bench.row import Row
from keymoot.base.fixed import Address
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from tests.contracts.builtin.apps.cast import AppScenario, Enclave
from tests.runtime.people import STRANGER, payment

INSTANCES, EPOCH_SECONDS, REQUESTS_PER_SECOND = 10_000, 3_600, 20
EVERY = EPOCH_SECONDS * REQUESTS_PER_SECOND // INSTANCES
"""A renewal comes with each block of this number."""

BLOCKS = 210
MOST = 1.25


def crowd(scenario: AppScenario) -> None:
    """Put ten thousand instances into the state, as if they had registered."""
    one = scenario.instance()
    assert one is not None
    journal = Journal(scenario.chain.state())
    store = PublicStore(journal, Apps.ADDRESS, FreeMeter())
    for number in range(INSTANCES):
        Apps.instances.set(store, Address(number.to_bytes(Address.LENGTH, "big")), one)
    scenario.chain.alter(journal.changes())


def seconds_of(*, crowded: bool) -> float:
    """Give the seconds of one block with one request, on the average."""
    scenario = AppScenario().granted()
    scenario.registered()
    if crowded:
        crowd(scenario)
    other, spent = Enclave(scenario.app, STRANGER), 0.0
    for number in range(BLOCKS):
        raws = [scenario.request(payment(1, nonce=number).unsigned_bytes())[0]]
        if crowded and number % EVERY == 0:
            arguments = other.call(scenario.newest, scenario.chain.block.network)
            data = Apps.method("register").encode(arguments)
            raws.append(scenario.raw(STRANGER, Apps.ADDRESS, data))
        start = time.perf_counter()
        receipts = scenario.chain.send_together(raws)
        spent += time.perf_counter() - start
        assert all(receipt.status == 1 for receipt in receipts)
    return spent / BLOCKS


def measure() -> list[Row]:
    alone = min(seconds_of(crowded=False) for _ in range(3))
    among = min(seconds_of(crowded=True) for _ in range(3))
    return [
        Row("request of an instance, alone", alone * 1_000, "ms"),
        Row("request of an instance, 10,000 renewing in an hour", among * 1_000, "ms"),
        Row("of these, the second over the first", among / alone, "times", MOST),
    ]
