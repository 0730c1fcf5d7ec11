"""A wish is delivered once, whatever is lost on the way, and every no says why."""

from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import (
    AnswerLost,
    IdempotencyReused,
    NetworkBusy,
    NetworkRefused,
    NetworkUnreachable,
    RequestExpired,
    RequestForgotten,
    WrongAnswer,
)
from keymoot.base.request import ASK_AGAIN, SIGN_TRANSACTION, decode_request
from tests.agent.fake_network import FakeNetwork
from tests.agent.transfers import TRANSFER

SHORT_SECONDS = 3.0
"""How long an account waits where nothing comes."""
PATIENCE_SECONDS = 240.0
"""And where something does."""


@pytest.mark.parametrize("lost", [1, 3])
def test_a_lost_answer_is_asked_for_with_the_same_bytes(
    account: Account, network: FakeNetwork, lost: int
) -> None:
    network.lose = lost
    account.sign_transaction(TRANSFER)
    assert len(network.sent) == lost + 1
    assert len(set(network.sent)) == 1
    assert len(network.signed) == 1


def test_an_answer_lost_for_good_says_how_to_get_it(network: FakeNetwork) -> None:
    network.lose = 1_000
    account = Account(network.credential(), timeout_seconds=SHORT_SECONDS)
    with pytest.raises(AnswerLost) as caught:
        account.sign_transaction(TRANSFER)
    network.lose = 0
    account._wishes._timeout_seconds = PATIENCE_SECONDS
    signed = account.sign_transaction(TRANSFER, idempotency_key=caught.value.idempotency_key)
    assert len(network.signed) == 1
    assert len(set(network.sent)) == 1
    assert EthAccount.recover_transaction(signed.raw_transaction) == account.address


def test_a_wish_is_repeated_as_it_was_first_sent(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = Account(network.credential(), timeout_seconds=SHORT_SECONDS)
    network.deaf = True
    with pytest.raises(AnswerLost):
        account.sign_transaction(TRANSFER, idempotency_key="round 7")
    first = account._wishes._unanswered["round 7"].raw
    network.deaf = False
    account._wishes._timeout_seconds = PATIENCE_SECONDS
    monkeypatch.setattr("keymoot.agent.signing_request.LIFETIME_SECONDS", 99)
    account.sign_transaction(TRANSFER, idempotency_key="round 7")
    assert network.sent == [first]


def test_the_same_key_gives_the_same_answer_in_another_process(network: FakeNetwork) -> None:
    first = Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    again = Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    assert first == again
    assert len(network.signed) == 1
    assert len(network.sent) == 1


def test_the_same_key_for_something_else_is_refused(account: Account, network: FakeNetwork) -> None:
    account.sign_transaction(TRANSFER, idempotency_key="round 7")
    for asking in (account, Account(network.credential())):
        with pytest.raises(IdempotencyReused):
            asking.sign_transaction({**TRANSFER, "value": 1}, idempotency_key="round 7")
    assert len(network.signed) == 1


def test_after_such_a_refusal_the_key_still_means_what_it_meant(network: FakeNetwork) -> None:
    first = Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    other = Account(network.credential())
    with pytest.raises(IdempotencyReused):
        other.sign_transaction({**TRANSFER, "value": 1}, idempotency_key="round 7")
    assert other.sign_transaction(TRANSFER, idempotency_key="round 7") == first


def test_every_call_is_a_new_request(account: Account, network: FakeNetwork) -> None:
    account.sign_transaction(TRANSFER)
    account.sign_transaction(TRANSFER)
    assert len(network.bodies) == 2


def test_waits_while_the_request_is_bound(account: Account, network: FakeNetwork) -> None:
    network.wait_polls = 4
    account.sign_transaction(TRANSFER)
    assert list(network.polls.values()) == [5]


def test_waiting_ends(network: FakeNetwork) -> None:
    network.wait_polls = 1_000_000
    account = Account(network.credential(), timeout_seconds=SHORT_SECONDS)
    with pytest.raises(AnswerLost, match="no answer from the network"):
        account.sign_transaction(TRANSFER)


def test_waits_for_room_in_the_pool(account: Account, network: FakeNetwork) -> None:
    network.full = 3
    account.sign_transaction(TRANSFER)
    assert len(set(network.sent)) == 1


def test_a_pool_without_room_is_said_so(network: FakeNetwork) -> None:
    network.full = 1_000
    with pytest.raises(NetworkBusy, match="try again"):
        Account(network.credential(), timeout_seconds=SHORT_SECONDS).sign_transaction(TRANSFER)


def test_looks_again_when_it_looked_too_often(account: Account, network: FakeNetwork) -> None:
    network.hurried = 2
    account.sign_transaction(TRANSFER)


def test_a_bound_request_that_was_stopped_is_refused(
    account: Account, network: FakeNetwork
) -> None:
    network.stopped = True
    with pytest.raises(PolicyRefused, match="paused"):
        account.sign_transaction(TRANSFER)


def test_a_credential_that_was_not_granted_is_refused(network: FakeNetwork) -> None:
    with pytest.raises(PolicyRefused) as caught:
        Account(network.credential(agent="another")).sign_transaction(TRANSFER)
    assert caught.value.reason == "NO_SUCH_CREDENTIAL"


def test_a_key_that_another_process_is_still_using_is_refused(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Account(network.credential())
    monkeypatch.setattr("keymoot.agent.signing_request.SigningRequests._known", lambda *_: False)
    first.sign_transaction(TRANSFER, idempotency_key="round 7")
    monkeypatch.setattr("keymoot.agent.signing_request.LIFETIME_SECONDS", 99)
    with pytest.raises(IdempotencyReused):
        Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    assert len(network.signed) == 1


def test_two_processes_that_use_a_key_at_once_get_one_answer(
    network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = Account(network.credential()), Account(network.credential())
    original = network.told
    # The second has looked before the first was heard.
    monkeypatch.setattr(network, "told", lambda _: {"known": False})
    one = first.sign_transaction(TRANSFER, idempotency_key="round 7")
    looks = iter([{"known": False}])
    monkeypatch.setattr(network, "told", lambda key: next(looks, None) or original(key))
    monkeypatch.setattr("keymoot.agent.signing_request.LIFETIME_SECONDS", 99)
    assert second.sign_transaction(TRANSFER, idempotency_key="round 7") == one
    assert len(network.signed) == 1


def test_a_key_that_was_refused_is_not_refused_for_something_else(
    account: Account, network: FakeNetwork
) -> None:
    network.rule = lambda _: "NO_RULE"
    with pytest.raises(PolicyRefused):
        account.sign_transaction(TRANSFER, idempotency_key="round 7")
    # The same wish in another process is refused alike, whatever the policy says by now.
    network.rule = lambda _: None
    with pytest.raises(PolicyRefused, match="NO_RULE"):
        Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    with pytest.raises(IdempotencyReused):
        Account(network.credential()).sign_transaction(
            {**TRANSFER, "nonce": 99}, idempotency_key="round 7"
        )


def test_after_its_time_a_key_still_means_the_same_transaction(network: FakeNetwork) -> None:
    for crashes in range(1, 4):
        # Each process has it signed, and dies before it reads the answer.
        Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
        network.expired |= network.answers.keys()
        assert len(network.signed) == crashes
    signed = Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    assert EthAccount.recover_transaction(signed.raw_transaction).lower() == network.address.hex0x
    assert len(set(network.signed)) == 1
    assert [decode_request(raw)[0].method for raw in network.sent] == [
        SIGN_TRANSACTION,
        *[ASK_AGAIN] * 3,
    ]
    with pytest.raises(IdempotencyReused):
        Account(network.credential()).sign_transaction(
            {**TRANSFER, "nonce": 99}, idempotency_key="round 7"
        )


def test_a_key_of_yesterday_says_that_it_is_too_late(network: FakeNetwork) -> None:
    Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    network.expired |= network.answers.keys()
    data = {"reason": "REQUEST_FORGOTTEN"}
    network.submit_error = {"code": 4100, "message": "decided long ago", "data": data}
    with pytest.raises(RequestForgotten, match=r"24 hours.*target chain") as caught:
        Account(network.credential()).sign_transaction(TRANSFER, idempotency_key="round 7")
    assert caught.value.idempotency_key == "round 7"
    assert len(network.signed) == 1


def test_an_answer_that_is_there_already_is_fetched(
    account: Account, network: FakeNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = network.submit

    def answered(raw: bytes) -> dict[str, Any]:
        original(raw)
        data = {"reason": "ALREADY_ANSWERED"}
        return {"error": {"code": 4100, "message": "it is decided", "data": data}}

    monkeypatch.setattr(network, "submit", answered)
    account.sign_transaction(TRANSFER)


def test_an_expired_request_says_so(account: Account, network: FakeNetwork) -> None:
    network.status = "expired"
    with pytest.raises(RequestExpired):
        account.sign_transaction(TRANSFER)


def test_an_unknown_status_is_no_answer(account: Account, network: FakeNetwork) -> None:
    network.status = "perhaps"
    with pytest.raises(WrongAnswer):
        account.sign_transaction(TRANSFER)


def test_the_ledgers_no_is_repeated(account: Account, network: FakeNetwork) -> None:
    network.submit_error = {"code": -32000, "message": "quota is empty: fund the wallet"}
    with pytest.raises(NetworkRefused, match="fund the wallet") as caught:
        account.sign_transaction(TRANSFER)
    assert caught.value.rpc_code == -32000
    assert len(network.sent) == 1


def test_a_refusal_before_any_block_is_a_policys_too(
    account: Account, network: FakeNetwork
) -> None:
    network.submit_error = {"code": 4100, "message": "no", "data": {"reason": "WALLET_PAUSED"}}
    with pytest.raises(PolicyRefused) as caught:
        account.sign_transaction(TRANSFER)
    assert caught.value.reason == "WALLET_PAUSED"


def test_a_network_that_is_down_says_how_to_start_it(network: FakeNetwork) -> None:
    account = Account(network.credential(), url="http://127.0.0.1:9", timeout_seconds=0.2)
    with pytest.raises(NetworkUnreachable, match="keymoot up"):
        account.sign_transaction(TRANSFER)
