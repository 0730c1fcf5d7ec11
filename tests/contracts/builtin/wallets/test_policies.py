"""What reading policies costs, and how many are remembered."""

import gc
import tracemalloc
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from keymoot.base.request import MAX_PAYLOAD_BYTES
from keymoot.base.strict_json import canonical
from keymoot.contracts.builtin.wallets import policies
from keymoot.contracts.builtin.wallets.policies import (
    GAS_PER_BYTE,
    GAS_PER_PART,
    MOST_PARTS,
    REMEMBERED_BYTES,
    SHORT_BYTES,
    policy_of,
    reading_gas,
)
from keymoot.contracts.builtin.wallets.record import MAX_OUTCOME_BYTES
from keymoot.contracts.builtin.wallets.requests import CHECK_GAS, GAS_PER_COMPARISON
from keymoot.contracts.builtin.wallets.views import SHOWING_GAS
from keymoot.policy.chains.evm.calldata import BadCalldata, Calldata
from keymoot.policy.chains.evm.signature import parse_function
from keymoot.policy.document import MAX_DOCUMENT_BYTES, parse_policy
from keymoot.policy.work import MAX_COMPARISONS
from keymoot.runtime import gas
from tests.policy.documents import interfaces
from tests.runtime.people import STRANGER, Scenario, payment


def test_every_value_and_argument_is_paid_for() -> None:
    document = canonical(interfaces())
    longer = interfaces()
    longer["rules"][0]["args"]["value"] = {"gte": "1", "lte": "500000000"}
    more = canonical(longer)
    difference = len(more) - len(document)
    assert reading_gas(more) - reading_gas(document) == GAS_PER_PART + GAS_PER_BYTE * difference


@pytest.mark.parametrize("long", [False, True])
def test_what_is_remembered_is_bounded_in_bytes(long: bool) -> None:
    remembered = policies._long if long else policies._short
    size = MAX_DOCUMENT_BYTES if long else SHORT_BYTES
    assert remembered.cache_info().maxsize * size <= REMEMBERED_BYTES
    document = interfaces()
    if long:
        document["sets"]["more"] = ["0x" + at.to_bytes(20, "big").hex() for at in range(200)]
    other = policies._short if long else policies._long
    before = other.cache_info().misses
    source = canonical(document)
    assert policy_of(source) is policy_of(source)
    assert policy_of(source) == parse_policy(source)
    assert other.cache_info().misses == before


def test_the_dearest_request_leaves_its_record() -> None:
    """One that ran out of gas would leave none, and could be charged again."""
    around = 1_000  # the other fields of a request and of a record
    words = (MAX_PAYLOAD_BYTES + around) // gas.WORD_BYTES
    dearest = (
        gas.intrinsic(b"\1" * (MAX_PAYLOAD_BYTES + around))
        + CHECK_GAS
        + GAS_PER_BYTE * (MAX_PAYLOAD_BYTES + MAX_DOCUMENT_BYTES)
        + GAS_PER_PART * MOST_PARTS
        + GAS_PER_COMPARISON * MAX_COMPARISONS
        # The policy is read, and the record written, with the longest outcome.
        + gas.READ_WORD * MAX_DOCUMENT_BYTES // gas.WORD_BYTES
        + gas.WRITE_WORD * (words + MAX_OUTCOME_BYTES // gas.WORD_BYTES)
        # Wallet, book, credential, nonce, log, queue: each once or twice, of a few words.
        + 40 * gas.WRITE_COLD
    )
    assert dearest < gas.REQUEST_LIMIT


def test_whoever_asks_in_a_transaction_pays_for_the_reading() -> None:
    """A view is free in a query; in a block it takes every replica's time."""
    scenario = Scenario().ready()
    source = scenario.view("policy", scenario.wallet)[0]
    before = scenario.send(STRANGER, "policy", scenario.wallet).gas_used
    assert (
        scenario.send(STRANGER, "usage", scenario.wallet).gas_used
        > before + reading_gas(source) / 2
    )
    scenario.ask(payment(1))
    scenario.ask(payment(1, nonce=1))
    one, two = (
        scenario.send(STRANGER, "log", scenario.wallet, 0, count).gas_used for count in (1, 2)
    )
    assert two - one > SHOWING_GAS


def _growth() -> int:
    """Give the bytes that 300 new signatures leave behind, after 300 others."""

    def some(start: int) -> None:
        for at in range(start, start + 300):
            text = f"f{at}(uint{8 + at % 32 * 8}[{at + 1}][] a,(bytes{1 + at % 32} b,bool c)[{at + 1}] d)"
            function = parse_function(text, "")
            with pytest.raises(BadCalldata):
                Calldata(function.selector + bytes(64)).arguments(function)

    tracemalloc.start()
    some(0)
    gc.collect()
    first, _ = tracemalloc.get_traced_memory()
    some(300)
    gc.collect()
    second, _ = tracemalloc.get_traced_memory()
    return second - first


def test_new_types_leave_nothing_behind() -> None:
    """An agent or owner may write a new signature into every request: 50 MB in a minute once.

    A process of its own: other tests' threads allocate too.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as alone:
        assert alone.submit(_growth).result() < 20_000
