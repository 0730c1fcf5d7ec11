"""Account signs as eth_account's accounts do, through the network, and hides no key."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount
from eth_account.messages import encode_defunct, encode_typed_data
from eth_account.signers.local import LocalAccount

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import (
    AnswerLost,
    BadTransaction,
    CredentialUnusable,
    NetworkUnreachable,
    NoKeyHere,
    NotSignable,
    WrongAnswer,
    WrongSender,
)
from keymoot.base.errors import KeymootError
from keymoot.base.fixed import Hash32, Signature65
from keymoot.base.secret import Secret
from keymoot.base.units import UnixSeconds
from keymoot.crypto import secp256k1
from tests.agent.fake_network import FakeNetwork, secret_of, stranger
from tests.agent.transfers import TO, TRANSFER

LEGACY: dict[str, Any] = {
    "chainId": 1,
    "nonce": 0,
    "gas": 50_000,
    "gasPrice": 3,
    "to": TO,
    "value": 1,
    "data": "0xdeadbeef",
}
LISTED: dict[str, Any] = {
    "chainId": 10,
    "nonce": 1,
    "gas": 60_000,
    "gasPrice": 9,
    "to": TO,
    "value": 0,
    "data": "0x",
    "accessList": [{"address": TO, "storageKeys": ["0x" + "11" * 32]}],
}


@pytest.mark.parametrize("fields", [TRANSFER, LEGACY, LISTED], ids=["1559", "legacy", "2930"])
def test_signs_exactly_as_a_local_key_would(
    account: Account, network: FakeNetwork, fields: dict[str, Any]
) -> None:
    local = EthAccount.from_key(network.wallet_key.expose())
    assert account.address == local.address
    assert account.sign_transaction(fields) == local.sign_transaction(fields)
    assert EthAccount.recover_transaction(account.sign_transaction(fields).raw_transaction) == (
        local.address
    )


def test_is_a_local_account_without_a_key(account: Account) -> None:
    assert isinstance(account, LocalAccount)
    asking: list[Callable[[], object]] = [
        lambda: account.key,
        lambda: bytes(account),
        lambda: account.encrypt("password"),
    ]
    for asks_for_the_key in asking:
        with pytest.raises(NoKeyHere, match="never leaves"):
            asks_for_the_key()


def test_holds_nothing_that_eth_account_keeps_a_key_in(account: Account) -> None:
    for name in ("_private_key", "_key_obj", "_publicapi"):
        assert not hasattr(account, name)


def test_signs_nothing_blind(account: Account, network: FakeNetwork) -> None:
    with pytest.raises(NotSignable, match="bare hash"):
        account.unsafe_sign_hash(bytes(32))
    with pytest.raises(NotSignable, match="7702"):
        account.sign_authorization({"chainId": 1, "address": TO, "nonce": 0})
    typed = encode_typed_data(full_message=PERMIT)
    with pytest.raises(NotSignable, match="call sign_typed_data with the document itself"):
        account.sign_message(typed)
    with pytest.raises(NotSignable, match="type 3"):
        account.sign_transaction(TRANSFER, blobs=[b""])
    assert network.sent == []


def test_refusal_carries_all_its_fields(account: Account, network: FakeNetwork) -> None:
    network.rule = lambda _: "LIMIT_EXCEEDED"
    with pytest.raises(PolicyRefused) as caught:
        account.sign_transaction(TRANSFER)
    assert caught.value.reason == "LIMIT_EXCEEDED"
    assert caught.value.data["limit"] == "usdc-day"
    assert caught.value.to_json()["code"] == 4100
    assert network.signed == []


PERMIT: dict[str, Any] = {
    "types": {
        "EIP712Domain": [
            {"name": "name", "type": "string"},
            {"name": "chainId", "type": "uint256"},
        ],
        "Permit": [{"name": "spender", "type": "address"}, {"name": "value", "type": "uint256"}],
    },
    "primaryType": "Permit",
    "domain": {"name": "USD Coin", "chainId": 8453},
    "message": {"spender": TO, "value": 2**256 - 1},
}


def test_messages_and_typed_data_are_asked_and_refused_by_policy(
    account: Account, network: FakeNetwork
) -> None:
    asking: list[Callable[[], object]] = [
        lambda: account.sign_message(encode_defunct(text="log me in")),
        lambda: account.sign_typed_data(full_message=PERMIT),
        lambda: account.sign_typed_data(
            PERMIT["domain"], {"Permit": PERMIT["types"]["Permit"]}, PERMIT["message"]
        ),
    ]
    for ask in asking:
        with pytest.raises(PolicyRefused):
            ask()
    assert len(network.sent) == 3


def _other_digest(_: Hash32, signature: Signature65) -> tuple[Hash32, Signature65]:
    return Hash32(bytes(32)), signature


def _other_signer(digest: Hash32, _: Signature65) -> tuple[Hash32, Signature65]:
    return digest, secp256k1.sign(secret_of("somebody"), digest)


def _other_content(digest: Hash32, _: Signature65) -> tuple[Hash32, Signature65]:
    return digest, secp256k1.sign(secret_of("wallet"), Hash32(b"\1" * 32))


def _no_signature(digest: Hash32, _: Signature65) -> tuple[Hash32, Signature65]:
    return digest, Signature65(bytes(65))


@pytest.mark.parametrize("lie", [_other_digest, _other_signer, _other_content, _no_signature])
def test_a_signature_of_anything_else_is_not_returned(
    account: Account, network: FakeNetwork, lie: Any
) -> None:
    network.lie = lie
    with pytest.raises(WrongAnswer):
        account.sign_transaction(TRANSFER)


def test_another_nodes_answer_is_not_believed(account: Account, network: FakeNetwork) -> None:
    network.node_seed = Secret(b"\x06" * 32)
    with pytest.raises(WrongAnswer, match="is no member of the network"):
        account.sign_transaction(TRANSFER)


def test_checks_the_dictionary_before_anything_is_sent(
    account: Account, network: FakeNetwork
) -> None:
    with pytest.raises(WrongSender):
        account.sign_transaction({**TRANSFER, "from": stranger().hex0x})
    with pytest.raises(BadTransaction, match="nonce"):
        account.sign_transaction({k: v for k, v in TRANSFER.items() if k != "nonce"})
    account.sign_transaction({**TRANSFER, "from": account.address})
    assert len(network.sent) == 1


def test_sixteen_threads_share_one_account(account: Account, network: FakeNetwork) -> None:
    def one(nonce: int) -> str:
        signed = account.sign_transaction({**TRANSFER, "nonce": nonce})
        return str(EthAccount.recover_transaction(signed.raw_transaction))

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(one, range(64))) == {account.address}
    assert len(network.signed) == 64
    assert network.connections <= 16


def test_connections_are_kept(account: Account, network: FakeNetwork) -> None:
    for _ in range(5):
        account.sign_transaction(TRANSFER)
    assert network.connections == 1


def test_shows_the_wallet_and_never_the_credential(account: Account, network: FakeNetwork) -> None:
    key = network.credential().key.expose()
    for text in (repr(account), str(account), f"{account}", str(vars(account))):
        assert key.hex() not in text
        assert str(int.from_bytes(key, "big")) not in text
    for carries in (copy, pickle.dumps):
        with pytest.raises(TypeError, match="connect"):
            carries(account)


def test_equals_an_account_of_the_same_wallet(account: Account, network: FakeNetwork) -> None:
    assert account == Account(network.credential())
    assert len({account, Account(network.credential())}) == 1


def test_connects_by_the_environment(
    network: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network.credential().save(tmp_path / "yield.cred")
    monkeypatch.setenv("KEYMOOT_CREDENTIAL", str(tmp_path / "yield.cred"))
    monkeypatch.setenv("KEYMOOT_URL", network.url)
    account = Account.connect("yield")
    assert account.name == "yield"
    assert account.credential == network.credential().requester
    account.sign_transaction(TRANSFER)


def test_connect_says_what_is_missing(
    network: FakeNetwork, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KEYMOOT_CREDENTIAL", raising=False)
    with pytest.raises(CredentialUnusable, match="KEYMOOT_CREDENTIAL"):
        Account.connect("yield")
    with pytest.raises(CredentialUnusable, match="cannot be read"):
        Account.connect("yield", credential=tmp_path / "none")
    network.credential(name="other").save(tmp_path / "other.cred")
    with pytest.raises(CredentialUnusable, match='"other", not "yield"'):
        Account.connect("yield", credential=tmp_path / "other.cred")


def test_an_expired_credential_says_whom_to_ask(network: FakeNetwork, tmp_path: Path) -> None:
    old = replace(network.credential(), expires=UnixSeconds(1_700_000_000))
    old.save(tmp_path / "yield.cred")
    with pytest.raises(CredentialUnusable, match="expired: ask the owner"):
        Account.connect("yield", credential=tmp_path / "yield.cred")


def test_every_error_of_the_agent_is_one_of_ours() -> None:
    for kind in (AnswerLost, NetworkUnreachable, NoKeyHere, WrongAnswer, PolicyRefused):
        assert issubclass(kind, KeymootError)
