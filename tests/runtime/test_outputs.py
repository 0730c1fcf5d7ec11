"""What a transaction's method returns: kept in its receipt, unless that is long."""

from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.errors import UnknownMethod
from keymoot.runtime.receipt import MAX_OUTPUT_BYTES
from tests.runtime.people import OWNER, Scenario, calldata, payment


def test_short_results_and_reasons_stand_in_the_receipt() -> None:
    scenario = Scenario().ready()
    read = scenario.send(OWNER, "wallet", scenario.wallet)
    asked = scenario.chain.ask(Wallets.ADDRESS, calldata(Wallets, "wallet", scenario.wallet))
    assert (read.status, read.output) == (1, asked)
    unknown = scenario.chain.send(scenario.raw(OWNER, Wallets.ADDRESS, b"\x01\x02\x03\x04"))
    assert (unknown.status, unknown.output[:4]) == (0, UnknownMethod(b"").revert_data()[:4])


def test_a_page_of_the_log_is_read_in_a_query_and_no_receipt_keeps_it() -> None:
    scenario = Scenario().ready(limit=10_000)
    for nonce in range(40):
        assert scenario.ask(payment(1, nonce))[0].status == 1
    page = calldata(Wallets, "log", scenario.wallet, 0, 256)
    asked = scenario.chain.ask(Wallets.ADDRESS, page)
    assert len(asked) > 2 * MAX_OUTPUT_BYTES
    kept = scenario.chain.send(scenario.raw(OWNER, Wallets.ADDRESS, page))
    assert (kept.status, kept.output) == (1, b"")
    assert len(kept.encode()) < 1_000
