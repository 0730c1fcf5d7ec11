"""Owners make wallets, rule them, and take everything back."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account
from keymoot.agent.errors import Unproven, WrongAnswer
from keymoot.agent.identity import read_identity
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key, salt_of
from keymoot.agent.submission import TransactionFailed
from keymoot.agent.views import WalletViews
from keymoot.base import hexes
from keymoot.base.fixed import Address, RequestId, WalletId
from keymoot.base.secret import Secret
from keymoot.base.transaction import DYNAMIC_FEE, EvmTransaction
from keymoot.base.units import ChainId, Gas, Nonce, UnixSeconds, Wei
from keymoot.committee.genesis import Genesis
from keymoot.contracts.builtin.wallets.errors import NoSuchWallet
from keymoot.contracts.builtin.wallets.wallet import BY_COMMITTEE
from keymoot.crypto import secp256k1
from tests.agent.fake_ledger import GENESIS, FakeLedger
from tests.agent.fake_network import FAR, NETWORK, WORLD, secret_of, serving
from tests.proof.world import World

RECOVERY = Address(b"\x77" * 20)
MISSING = WalletId(b"\x01" * 32)
OUT = EvmTransaction(
    DYNAMIC_FEE, ChainId(8453), Nonce(3), Wei(1), Wei(2), Gas(21_000), RECOVERY, Wei(10**18), b""
)


@pytest.fixture
def ledger() -> Iterator[FakeLedger]:
    """Serve a ledger."""
    with serving(FakeLedger()) as running:
        assert isinstance(running, FakeLedger)
        yield running


@pytest.fixture
def owner(ledger: FakeLedger) -> Owner:
    """Give an owner who has made a wallet called yield."""
    made = Owner(Network(ledger.url, timeout_seconds=60), secret_of("owner"))
    made.create("yield", RECOVERY, Wei(500))
    return made


def test_creates_a_wallet_whose_id_follows_from_its_name(owner: Owner, ledger: FakeLedger) -> None:
    shown = owner.show(owner.wallet_of("yield"))
    assert (shown.owner, shown.recovery, shown.account) == (owner.address, RECOVERY, ledger.address)
    assert (shown.quota, shown.policy_version, shown.paused) == (500, 0, False)
    assert ledger.calls == [(owner.address, "create", (salt_of("yield"), RECOVERY), 500)]
    assert owner.wallet_of("other") != shown.wallet


def test_rules_a_wallet(owner: Owner, ledger: FakeLedger) -> None:
    wallet = owner.wallet_of("yield")
    assert owner.fund(wallet, Wei(7)).height == len(ledger.world.blocks) == 4
    owner.set_policy(wallet, b'{"version":"1"}', 0)
    owner.pause(wallet)
    shown = owner.show(wallet)
    assert (shown.quota, shown.policy_version, shown.paused) == (507, 1, True)
    assert owner.policy(wallet) == b'{"version":"1"}'
    owner.resume(wallet)
    assert not owner.show(wallet).paused
    assert [name for _, name, _, _ in ledger.calls] == [
        "create",
        "fund",
        "setPolicy",
        "pause",
        "resume",
    ]


def test_reads_what_anyone_may(owner: Owner, ledger: FakeLedger) -> None:
    views = WalletViews(Network(ledger.url))
    wallet = owner.wallet_of("yield")
    log = views.log(wallet)
    assert [one["index"] for one in log if isinstance(one, dict)] == [0, 1]
    assert views.log(wallet, 1, 1) == log[1:]
    assert views.log(wallet, 2) == []
    assert views.usage(wallet) == []
    for asking in (views.show, views.policy):
        with pytest.raises(NoSuchWallet):
            asking(MISSING)


def test_a_granted_credential_works_at_once(
    owner: Owner, ledger: FakeLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.agent.owner.new_key", lambda: secret_of("agent"))
    granted = owner.grant(owner.wallet_of("yield"), "yield", FAR)
    assert (granted.verifying_key, granted.network) == (WORLD.verifying_key, NETWORK)
    seen = owner.credential(owner.wallet_of("yield"), granted.requester)
    assert (seen.expires_at, seen.revoked) == (FAR, False)
    granted.save(tmp_path / "yield.cred")
    account = Account.connect("yield", credential=tmp_path / "yield.cred")
    fields = {"chainId": 1, "nonce": 0, "gas": 21_000, "gasPrice": 1, "to": RECOVERY, "value": 1}
    signed = account.sign_transaction(fields)
    assert EthAccount.recover_transaction(signed.raw_transaction) == account.address
    assert secp256k1.address_of_secret(ledger.wallet_key) == granted.address
    owner.revoke(owner.wallet_of("yield"), granted.requester)
    assert ledger.calls[-1][1:3] == ("revoke", (owner.wallet_of("yield"), granted.requester))


def test_no_credential_is_granted_under_a_key_that_the_founders_did_not_sign(
    owner: Owner, ledger: FakeLedger
) -> None:
    ledger.founding = {**ledger.founding, "record": World("another").founding().to_json()["record"]}
    calls = len(ledger.calls)
    anew = Owner(Network(ledger.url), secret_of("owner"))
    with pytest.raises(Unproven, match="founding record is of network"):
        anew.grant(owner.wallet_of("yield"), "yield", FAR)
    assert len(ledger.calls) == calls


def test_an_address_that_the_root_does_not_give_is_not_shown(
    owner: Owner, ledger: FakeLedger
) -> None:
    """Who sends funds to a wallet's address has it from here."""
    ledger.custody = BY_COMMITTEE
    with pytest.raises(Unproven, match="does not follow from the network's root"):
        owner.show(owner.wallet_of("yield"))


def test_every_credential_is_a_new_key(owner: Owner) -> None:
    wallet = owner.wallet_of("yield")
    first, second = (owner.grant(wallet, "yield", UnixSeconds(FAR)) for _ in range(2))
    assert first.requester != second.requester
    assert new_key().expose() != new_key().expose()


def test_withdraws_a_transaction_signed_by_the_wallet(owner: Owner, ledger: FakeLedger) -> None:
    raw = owner.withdraw(owner.wallet_of("yield"), OUT)
    assert (
        EthAccount.recover_transaction(raw)
        == EthAccount.from_key(ledger.wallet_key.expose()).address
    )
    assert ledger.calls[-1][2][1] == OUT.unsigned_bytes()


def test_a_repeated_withdrawal_is_opened_by_the_same_owner(
    owner: Owner, ledger: FakeLedger
) -> None:
    wallet, name = owner.wallet_of("yield"), RequestId(b"\x09" * 32)
    again = Owner(Network(ledger.url), secret_of("owner"))
    assert owner.withdraw(wallet, OUT, name) == again.withdraw(wallet, OUT, name)


def test_a_false_withdrawal_is_not_returned(owner: Owner, ledger: FakeLedger) -> None:
    ledger.lie = lambda digest, _: (digest, secp256k1.sign(secret_of("somebody"), digest))
    with pytest.raises(WrongAnswer):
        owner.withdraw(owner.wallet_of("yield"), OUT)


@pytest.mark.parametrize("lost", [1, 2])
def test_a_lost_receipt_is_found_and_nothing_done_twice(
    owner: Owner, ledger: FakeLedger, lost: int
) -> None:
    wallet = owner.wallet_of("yield")
    calls = len(ledger.calls)
    original = ledger.submit

    def losing(raw: bytes) -> dict[str, object]:
        answer = original(raw)
        ledger.lose = 1 if len(ledger.receipts) == calls + 1 and losses.pop() else 0
        return answer

    losses = [False] * 9 + [True] * lost
    ledger.submit = losing  # type: ignore[method-assign]
    owner.fund(wallet, Wei(7))
    assert owner.show(wallet).quota == 507
    assert len(ledger.calls) == calls + 1


def test_a_failed_transaction_says_why(owner: Owner, ledger: FakeLedger) -> None:
    ledger.fail = "only the wallet's owner may do this"
    with pytest.raises(TransactionFailed, match="only the wallet's owner") as caught:
        owner.pause(owner.wallet_of("yield"))
    assert (caught.value.reason, caught.value.receipt["status"]) == ("NOT_OWNER", "0x0")


def test_asks_the_faucet_and_the_balance(owner: Owner, ledger: FakeLedger) -> None:
    owner.network.faucet(owner.address)
    assert ledger.drips == [owner.address.hex0x]
    assert owner.network.balance(owner.address) == 100


def _told(**change: object) -> dict[str, object]:
    good = {"network": NETWORK.hex0x, "genesis": "0x" + GENESIS.hex(), "chainId": "0x5afd"}
    return {**good, **change}


def test_a_network_is_who_its_genesis_says() -> None:
    identity = read_identity(_told())
    assert (identity.network, identity.chain_id) == (NETWORK, 0x5AFD)
    assert identity.attestation == Genesis.decode(GENESIS).attestation


def test_a_development_network_is_simulated_whatever_its_node_says() -> None:
    """Its genesis takes evidence that anybody can make; of another one the node may say so."""
    for development in (True, False):
        genesis = replace(Genesis.decode(GENESIS), development=development)
        told = {"network": genesis.network.hex0x, "genesis": hexes.data(genesis.encode())}
        assert read_identity(_told(simulated=False, **told)).simulated is development
        assert read_identity(_told(**told)).simulated


@pytest.mark.parametrize(
    "told",
    [
        None,
        [],
        {},
        _told(network="0x" + "00" * 32),
        _told(network="0x12"),
        _told(genesis="0xc0"),
        _told(genesis=5),
        _told(chainId="5afd"),
    ],
)
def test_a_network_that_is_somebody_else_is_not_believed(told: object) -> None:
    with pytest.raises(WrongAnswer):
        read_identity(told)


def test_an_owner_shows_no_key(owner: Owner) -> None:
    key: Secret = secret_of("owner")
    asking: list[Callable[[], str]] = [lambda: repr(owner), lambda: str(vars(owner))]
    for ask in asking:
        assert key.expose().hex() not in ask()
