"""The agent's side against a real node: one process tree on this machine."""

import json
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_typed_data

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import IdempotencyReused, NetworkUnreachable
from keymoot.agent.owner import Owner
from keymoot.agent.submission import TransactionFailed
from keymoot.agent.views import WalletView
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Address, RequestId
from keymoot.base.strict_json import canonical
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, UnixSeconds, Wei
from tests.node.in_memory import in_memory
from tests.node.running import Running
from tests.policy.chains.evm.typed import payments

pytestmark = pytest.mark.long

pytest.importorskip("uvicorn")

FRIEND = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
RECOVERY = Address(b"\x77" * 20)
QUOTA = Wei(100 * 10**18)


def _policy(limit: int) -> bytes:
    return canonical(
        {
            "version": "1",
            "chain": "eip155:8453",
            "rules": [
                {
                    "id": "pay",
                    "action": "ALLOW",
                    "method": "eth_signTransaction",
                    "to": {"eq": FRIEND},
                    "value": {"lte": "1000"},
                    "spend": {"day": "value"},
                }
            ],
            "limits": [{"id": "day", "max": str(limit), "window": "24h", "kind": "rolling"}],
            "expires": "2036-01-01T00:00:00Z",
        }
    )


def _pay(nonce: int, value: int = 10, to: str = FRIEND) -> dict[str, Any]:
    return {
        "type": 2,
        "chainId": 8453,
        "nonce": nonce,
        "gas": 21_000,
        "maxFeePerGas": 2,
        "maxPriorityFeePerGas": 1,
        "to": to,
        "value": value,
        "data": "0x",
    }


def _in(seconds: int) -> UnixSeconds:
    return UnixSeconds(int(time.time()) + seconds)


@pytest.fixture
def owner(node: Running) -> Owner:
    """Make an owner with test tokens."""
    return node.owner()


def _wallet(owner: Owner, limit: int = 10_000) -> WalletView:
    wallet = owner.create("yield", RECOVERY, QUOTA)
    owner.set_policy(wallet.wallet, _policy(limit), 0)
    return wallet


def _account(owner: Owner, wallet: WalletView) -> Account:
    return Account(owner.grant(wallet.wallet, "yield", _in(3_600)))


def test_a_wallet_signs_what_its_policy_allows(owner: Owner) -> None:
    wallet = _wallet(owner)
    account = _account(owner, wallet)
    signed = account.sign_transaction(_pay(0))
    assert EthAccount.recover_transaction(signed.raw_transaction) == account.address
    for bad in (_pay(1, value=1_001), _pay(1, to="0x" + "99" * 20), {**_pay(1), "chainId": 1}):
        with pytest.raises(PolicyRefused) as caught:
            account.sign_transaction(bad)
        assert {"reason", "requestId", "wallet", "policyVersion", "policyHash"} <= set(
            caught.value.data
        )
    shown = owner.show(wallet.wallet)
    assert (shown.log_length, shown.policy_version, shown.account) == (4, 1, wallet.account)
    assert [line["status"] for line in owner.log(wallet.wallet) if isinstance(line, dict)] == [
        "bound",
        "refused",
        "refused",
        "refused",
    ]


def test_a_wallet_without_a_policy_refuses_everything(owner: Owner) -> None:
    wallet = owner.create("yield", RECOVERY, QUOTA)
    with pytest.raises(PolicyRefused) as caught:
        _account(owner, wallet).sign_transaction(_pay(0))
    assert caught.value.reason == "NO_POLICY"


def test_fifty_racing_requests_spend_exactly_the_limit(owner: Owner) -> None:
    account = _account(owner, _wallet(owner, limit=200))

    def ask(nonce: int) -> str:
        try:
            account.sign_transaction(_pay(nonce))
        except PolicyRefused as error:
            return error.reason
        return "SIGNED"

    with ThreadPoolExecutor(16) as pool:
        outcomes = list(pool.map(ask, range(50)))
    assert outcomes.count("SIGNED") == 20
    assert outcomes.count("LIMIT_EXCEEDED") == 30


def test_the_same_wish_is_signed_once(owner: Owner) -> None:
    wallet = _wallet(owner)
    credential = owner.grant(wallet.wallet, "yield", _in(3_600))
    first, again = Account(credential), Account(credential)
    one = first.sign_transaction(_pay(0), idempotency_key="round 7")
    assert first.sign_transaction(_pay(0), idempotency_key="round 7") == one
    assert again.sign_transaction(_pay(0), idempotency_key="round 7") == one
    with pytest.raises(IdempotencyReused):
        Account(credential).sign_transaction(_pay(1), idempotency_key="round 7")
    assert owner.show(wallet.wallet).log_length == 1


def test_messages_are_refused_with_an_entry_in_the_log(owner: Owner) -> None:
    from eth_account.messages import encode_defunct

    wallet = _wallet(owner)
    account = _account(owner, wallet)
    with pytest.raises(PolicyRefused):
        account.sign_message(encode_defunct(text="log me in"))
    typed = {
        "types": {
            "EIP712Domain": [{"name": "name", "type": "string"}],
            "Permit": [{"name": "spender", "type": "address"}],
        },
        "primaryType": "Permit",
        "domain": {"name": "USD Coin"},
        "message": {"spender": FRIEND},
    }
    with pytest.raises(PolicyRefused):
        account.sign_typed_data(full_message=typed)
    assert owner.show(wallet.wallet).log_length == 2


def test_typed_data_is_signed_under_a_rule_and_shares_the_budget(owner: Owner) -> None:
    rule = payments.payment_rule(spend={"day": "value"}, within={"validBefore": "1h"})
    document = json.loads(_policy(100))
    wallet = _wallet(owner)
    rules = canonical(document | {"rules": [*document["rules"], rule]})
    owner.set_policy(wallet.wallet, rules, 1)
    account = _account(owner, wallet)
    until = _in(600)
    told = payments.authorization(60, validBefore=until, **{"from": account.address})
    signed = account.sign_typed_data(full_message=told)
    signable = encode_typed_data(full_message=told)
    assert EthAccount.recover_message(signable, signature=signed.signature) == account.address
    with pytest.raises(PolicyRefused) as refused:
        account.sign_typed_data(full_message=told)
    assert refused.value.to_json()["code"] == 4100
    wanted = {"reason": "LIMIT_EXCEEDED", "limit": "day", "used": "60", "requested": "60"}
    assert wanted.items() <= refused.value.data.items()
    assert refused.value.data["path"] == "message.value"
    # What was paid by typed data, a transaction cannot pay again.
    with pytest.raises(PolicyRefused) as also:
        account.sign_transaction(_pay(0, 41))
    assert (also.value.data["used"], also.value.data["requested"]) == ("60", "41")
    assert account.sign_transaction(_pay(0, 40)).raw_transaction
    # The same in eth_account's other form, for another payee.
    types = {name: one for name, one in told["types"].items() if name != "EIP712Domain"}
    message = told["message"] | {"to": payments.STRANGER.hex0x}
    with pytest.raises(PolicyRefused, match=r"wants message\.to"):
        account.sign_typed_data(told["domain"], types, message)


def test_revoked_and_paused_credentials_are_refused(owner: Owner) -> None:
    wallet = _wallet(owner)
    account = _account(owner, wallet)
    owner.pause(wallet.wallet)
    with pytest.raises(PolicyRefused, match="paused"):
        account.sign_transaction(_pay(0))
    owner.resume(wallet.wallet)
    account.sign_transaction(_pay(0))
    owner.revoke(wallet.wallet, account.credential)
    with pytest.raises(PolicyRefused, match="revoked"):
        account.sign_transaction(_pay(1))
    assert owner.credential(wallet.wallet, account.credential).revoked


def test_the_owner_takes_everything_back_even_while_paused(owner: Owner) -> None:
    wallet = owner.create("yield", RECOVERY, QUOTA)
    owner.pause(wallet.wallet)
    out = EvmTransaction(
        DYNAMIC_FEE, ChainId(1), Nonce(0), Wei(1), Wei(2), Gas(21_000), RECOVERY, Wei(5), b""
    )
    name = RequestId(os.urandom(32))
    raw = owner.withdraw(wallet.wallet, out, name)
    assert EthAccount.recover_transaction(raw).lower() == wallet.account.hex0x
    assert owner.withdraw(wallet.wallet, out, name) == raw
    elsewhere = EvmTransaction(
        DYNAMIC_FEE,
        ChainId(1),
        Nonce(0),
        Wei(1),
        Wei(2),
        Gas(21_000),
        Address.from_hex(FRIEND),
        Wei(5),
        b"",
    )
    with pytest.raises(KeymootError, match="a withdrawal goes to"):
        owner.withdraw(wallet.wallet, elsewhere)


def test_nobody_else_rules_a_wallet(owner: Owner, node: Running) -> None:
    wallet = _wallet(owner)
    stranger = node.owner()
    for attempt in (
        lambda: stranger.set_policy(wallet.wallet, _policy(10**9), 1),
        lambda: stranger.pause(wallet.wallet),
        lambda: stranger.grant(wallet.wallet, "yield", _in(60)),
    ):
        with pytest.raises((KeymootError, TransactionFailed), match="owner"):
            attempt()
    assert owner.show(wallet.wallet).policy_version == 1


def test_an_answer_survives_a_killed_node(tmp_path: Path) -> None:
    with in_memory(tmp_path) as node:
        owner = node.owner()
        wallet = _wallet(owner)
        credential = owner.grant(wallet.wallet, "yield", _in(3_600))
        before = Account(credential).sign_transaction(_pay(0), idempotency_key="one")
        node.kill()
        with pytest.raises(NetworkUnreachable):
            Account(credential, timeout_seconds=5).sign_transaction(_pay(1))
        node.start()
        after = Account(credential).sign_transaction(_pay(0), idempotency_key="one")
        assert after == before
        assert owner.show(wallet.wallet).log_length == 1
