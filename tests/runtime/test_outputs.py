"""What a transaction's method returns: kept in its receipt, unless that is long."""

from keymoot.contracts.errors import UnknownMethod
from keymoot.contracts.wallets import Wallets
from keymoot.runtime.receipt import MAX_OUTPUT_BYTES
from tests.runtime.people import OWNER, Play, calldata, payment


def test_short_results_and_reasons_stand_in_the_receipt() -> None:
    play = Play().ready()
    read = play.send(OWNER, "wallet", play.wallet)
    asked = play.chain.ask(Wallets.ADDRESS, calldata(Wallets, "wallet", play.wallet))
    assert (read.status, read.output) == (1, asked)
    unknown = play.chain.send(play.raw(OWNER, Wallets.ADDRESS, b"\x01\x02\x03\x04"))
    assert (unknown.status, unknown.output[:4]) == (0, UnknownMethod(b"").revert_data()[:4])


def test_a_page_of_the_log_is_read_in_a_query_and_no_receipt_keeps_it() -> None:
    play = Play().ready(limit=10_000)
    for nonce in range(40):
        assert play.ask(payment(1, nonce))[0].status == 1
    page = calldata(Wallets, "log", play.wallet, 0, 256)
    asked = play.chain.ask(Wallets.ADDRESS, page)
    assert len(asked) > 2 * MAX_OUTPUT_BYTES
    kept = play.chain.send(play.raw(OWNER, Wallets.ADDRESS, page))
    assert (kept.status, kept.output) == (1, b"")
    assert len(kept.encode()) < 1_000
