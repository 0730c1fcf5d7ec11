"""A chain that the product does not know: a folder and its registration, and wallets sign there."""

from collections.abc import Iterator
from typing import Any

import pytest
from eth_abi.abi import decode
from nacl.signing import VerifyKey

from keymoot.base.fixed import Bytes32, Hash32, WalletId
from keymoot.base.strict_json import canonical
from keymoot.committee.nonces.record import SignerCommitments
from keymoot.committee.roots import EDDSA
from keymoot.committee.wallet_key import wallet_key
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.builtin.wallets.record import BOUND, REFUSED
from keymoot.contracts.builtin.wallets.wallet import Wallet
from keymoot.crypto import hpke
from keymoot.crypto.scheme import ED25519
from keymoot.policy.chains import registry
from keymoot.policy.chains.registry import CHAINS, ChainRegistry
from keymoot.proof.wallet import account_of
from keymoot.runtime.release import find_record
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.threshold.edwards25519 import EDWARDS25519
from tests.enclave.network import REPLY, Network
from tests.enclave.shares import shares_of
from tests.policy.chains.memo.chain import MEMO, PAY, MemoAddress
from tests.runtime.people import OWNER, Scenario

HOME, PAYEE = MemoAddress(b"\x77" * 32), MemoAddress(b"\xa1" * 32)
SHOP = MemoAddress(b"\xb2" * 32)


@pytest.fixture(autouse=True)
def memo(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Memo is a chain like any other, for one test."""
    monkeypatch.setattr(registry, "_registry", ChainRegistry(*CHAINS, MEMO))
    Wallet.decode.cache_clear()
    yield
    Wallet.decode.cache_clear()


def document() -> dict[str, Any]:
    return {
        "version": "1",
        "chain": "memo:main",
        "sets": {"payees": [PAYEE.text, SHOP.text]},
        "rules": [
            {
                "id": "pay",
                "action": "ALLOW",
                "method": PAY,
                "to": {"in": "payees"},
                "amount": {"lte": "50"},
                "spend": {"day": "amount"},
            }
        ],
        "limits": [
            {"id": "day", "max": "60", "window": "24h", "kind": "rolling"},
            {"id": "fee", "meter": "maxFee", "max": "1", "per": "tx"},
        ],
    }


@pytest.fixture
def scenario(network: Network) -> Scenario:
    """An owner with a wallet on Memo, and an agent that may pay from it."""
    made = network.scenario()
    receipt = made.send(OWNER, "createOn", "memo", b"m" * 32, bytes(HOME), value=10**20)
    assert receipt.status == 1, receipt.error
    wallet, account = decode(["bytes32", "bytes"], receipt.output)
    made.wallet = WalletId(wallet)
    assert made.view("account", made.wallet) == ("memo", account, bytes(HOME))
    assert made.send(OWNER, "setPolicy", made.wallet, canonical(document()), 0).status == 1
    assert made.grant().status == 1
    return made


def kept(network: Network, wallet: WalletId) -> Wallet:
    store = PublicStore(Journal(network.state()), Wallets.ADDRESS, FreeMeter(), writable=False)
    found = Wallets.wallets.get(store, Bytes32(wallet))
    assert found is not None
    return found


def ask(
    network: Network, scenario: Scenario, amount: int, to: MemoAddress = PAYEE
) -> tuple[Hash32, bytes]:
    message = f"pay {amount} to {to.text}".encode()
    raw, key = network.request(scenario, message, PAY)
    network.send(raw)
    return key, message


def signature_of(network: Network, scenario: Scenario, key: Hash32) -> tuple[bytes, bytes]:
    """Give the wallet's public key and the signature, of all signers' shares."""
    slots = SignerCommitments.decode(find_record(network.state(), key).bound_to).slots
    found = [network.opened(one) for one in shares_of(network, key).values() if one.sealed]
    assert len(found) == len(slots)
    total = sum(EDWARDS25519.decode_scalar(one[3]) for one in found)
    nonce, public = found[0][1:3]
    return public, nonce + EDWARDS25519.encode_scalar(total % EDWARDS25519.ORDER)


def test_a_wallet_of_a_new_chain_signs_what_its_policy_allows(
    network: Network, scenario: Scenario
) -> None:
    key, message = ask(network, scenario, 40)
    public, signature = signature_of(network, scenario, key)
    VerifyKey(public).verify(message, signature)
    # The address is the chain's own, of the key that signed, and anyone can compute it.
    record = kept(network, scenario.wallet)
    assert isinstance(record.account, MemoAddress)
    assert record.account == MEMO.address_of(public)
    root = network.machine.state.root(EDDSA)
    assert public == wallet_key(ED25519, root, network.genesis.network, scenario.wallet)
    assert record.account == account_of(
        network.genesis.network, scenario.wallet, MEMO, {EDDSA: root}
    )
    assert MEMO.scheme.verify(public, Hash32(b"d" * 32), message, signature)
    assert not MEMO.scheme.verify(public, Hash32(b"d" * 32), message + b"0", signature)


def test_what_its_policy_does_not_allow_is_refused(network: Network, scenario: Scenario) -> None:
    for amount, to in ((51, PAYEE), (40, HOME)):
        key, _ = ask(network, scenario, amount, to)
        assert find_record(network.state(), key).status == REFUSED
    key, _ = ask(network, scenario, 40)
    assert find_record(network.state(), key).status == BOUND
    key, _ = ask(network, scenario, 40)
    refused = find_record(network.state(), key)
    assert refused.status == REFUSED
    assert b"day has 20 left" in refused.outcome


def test_its_owner_withdraws_to_the_recovery_address_alone(
    network: Network, scenario: Scenario
) -> None:
    until = network.block.time + 300
    for to, status in ((PAYEE, 0), (HOME, 1)):
        message = f"pay 1000 to {to.text}".encode()
        request = (
            scenario.wallet,
            message,
            b"w" * 32,
            until,
            Bytes32(hpke.public_key(REPLY)),
            0,
            0,
        )
        receipt = scenario.send(OWNER, "withdraw", *request)
        assert receipt.status == status, receipt.error
    (key,) = decode(["bytes32"], receipt.output)
    public, signature = signature_of(network, scenario, Hash32(key))
    VerifyKey(public).verify(message, signature)


def test_policies_of_other_chains_are_not_its_own(network: Network, scenario: Scenario) -> None:
    other = {**document(), "chain": "eip155:1", "sets": {}, "rules": []}
    receipt = scenario.send(OWNER, "setPolicy", scenario.wallet, canonical(other), 1)
    assert receipt.status == 0
    assert "the policy is for eip155:1" in str(receipt.error)


def test_its_record_names_it_and_those_of_others_do_not(
    network: Network, scenario: Scenario
) -> None:
    record = kept(network, scenario.wallet)
    assert record.encode().endswith(b"\x84memo")
    assert Wallet.decode(record.encode()) == record
