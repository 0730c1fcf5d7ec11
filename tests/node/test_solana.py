"""Wallets on Solana: a committee signs what policy allows, whoever of it is silent or lies."""

import time

import pytest
from nacl.signing import VerifyKey
from solders.pubkey import Pubkey
from solders.transaction import VersionedTransaction

from keymoot.agent import Account, SolanaAccount
from keymoot.agent.errors import (
    CredentialUnusable,
    IdempotencyReused,
    NotSignable,
    WrongAnswer,
)
from keymoot.agent.submission import TransactionFailed
from keymoot.base.fixed import SolanaAddress
from keymoot.base.units import Wei
from keymoot.policy.errors import PolicyRefused
from tests.node.in_memory import epoch, in_memory, turn, until_seated
from tests.node.running import pay, wallet_with_agent
from tests.node.solana import (
    LOGIN,
    PAYEE,
    RECOVERY,
    payment,
    pays,
    policy,
    wallet_on_solana,
)
from tests.node.test_liars import LIES, Spoiled, spoil_seats


@pytest.fixture(scope="module")
def node(tmp_path_factory):
    with in_memory(tmp_path_factory.mktemp("solana"), batch=64) as made:
        yield made


@pytest.fixture(scope="module")
def owner(node):
    return node.owner()


@pytest.fixture(scope="module")
def treasury(owner):
    return wallet_on_solana(owner)


@pytest.fixture(scope="module")
def account(treasury):
    return treasury[2]


def test_a_payment_is_signed_and_solana_takes_it(account):
    pays(account)


def test_payments_race_and_all_are_signed(node, account):
    asking = [node.beside(lambda: pays(account)) for _ in range(24)]
    made = [one.result() for one in asking]
    assert len({bytes(one.signatures[0])[:32] for one in made}) == 24


def test_a_text_with_an_allowed_prefix_is_signed(account):
    text = f"{LOGIN}\n{account.address}\n\nNonce: 7"
    VerifyKey(bytes(account.pubkey)).verify(text.encode(), account.sign_message(text))
    with pytest.raises(PolicyRefused):
        account.sign_message(text[1:])
    with pytest.raises(PolicyRefused):
        account.sign_message(bytes(payment(account, 1)))


@pytest.mark.parametrize(
    ("lamports", "to", "reason"),
    [
        (1_000_001, PAYEE, "CONDITION_FAILED"),
        (1, Pubkey.new_unique(), None),
    ],
)
def test_what_no_rule_allows_is_refused_with_its_reason(account, lamports, to, reason):
    with pytest.raises(PolicyRefused) as refused:
        account.sign_transaction(payment(account, lamports, to))
    assert refused.value.data["decoded"]
    assert reason in (None, refused.value.reason)


def test_a_limit_holds_when_payments_race(node, owner):
    _, _, account = wallet_on_solana(owner, "racing", limit=10)

    def try_one():
        try:
            pays(account, 2)
        except PolicyRefused as error:
            return error.reason
        return "signed"

    asking = [node.beside(try_one) for _ in range(20)]
    outcomes = [one.result() for one in asking]
    assert outcomes.count("signed") == 5
    assert outcomes.count("LIMIT_EXCEEDED") == 15


def test_the_same_wish_under_the_same_name_is_one(account):
    message = payment(account, 3)
    first = account.sign_transaction(message, idempotency_key="rent")
    assert account.sign_transaction(message, idempotency_key="rent") == first
    with pytest.raises(IdempotencyReused):
        account.sign_transaction(payment(account, 4), idempotency_key="rent")
    # Another process knows the name from the ledger only.
    other = SolanaAccount(account._credential)
    with pytest.raises(IdempotencyReused):
        other.sign_transaction(payment(account, 4), idempotency_key="rent")
    VersionedTransaction.from_bytes(other.sign_transaction(message, idempotency_key="rent"))


def test_the_owner_withdraws_to_recovery_and_nowhere_else(owner, treasury):
    view, _, account = treasury
    recovery = Pubkey.from_bytes(bytes(RECOVERY))
    raw = owner.withdraw_solana(view.wallet, bytes(payment(account, 5_000, recovery)))
    assert VersionedTransaction.from_bytes(raw).verify_with_results() == [True]
    with pytest.raises((TransactionFailed, Exception)) as refused:
        owner.withdraw_solana(view.wallet, bytes(payment(account, 5_000)))
    assert "recovery" in str(refused.value) or "withdrawal" in str(refused.value)


def test_each_kind_of_wallet_names_the_other_kinds_account(node, owner, treasury):
    view, credential, _ = treasury
    with pytest.raises(CredentialUnusable, match="SolanaAccount"):
        Account(credential)
    evm, other, _ = wallet_with_agent(node, owner)
    with pytest.raises(CredentialUnusable, match=r"agent\.Account"):
        SolanaAccount(other)
    with pytest.raises(NotSignable):
        owner.withdraw_solana(evm.wallet, b"x")
    assert view.account != owner.show(evm.wallet).account
    assert isinstance(owner.show(view.wallet).recovery, SolanaAddress)


def test_addresses_are_each_wallets_own(owner, treasury):
    other = owner.create_solana("other", RECOVERY, Wei(10**18))
    assert other.account != treasury[0].account
    with pytest.raises(Exception, match="choose another"):
        owner.create_solana("other", RECOVERY, Wei(10**18))


# -- liars


@pytest.mark.parametrize("seat", [1, 2, 3, 4])
@pytest.mark.parametrize("lie", LIES, ids=lambda lie: lie.__name__)
def test_one_that_lies_stops_nothing(account, lie, seat):
    with Spoiled(account, spoil_seats(lie, {seat})):
        pays(account)


def test_two_that_lie_get_no_signature_and_no_wrong_one(account):
    for lie in LIES[:3]:
        with Spoiled(account, spoil_seats(lie, {1, 2})), pytest.raises(WrongAnswer):
            pays(account)


def test_a_wrong_share_is_traced_to_who_sent_it(account):
    seen = []
    settle = account._wishes._wish

    def watched(name, method, payload):
        seen.append(payload)
        return settle(name, method, payload)

    def wrong(answer, others):
        # The share of another request: sealed to us, signed by its node, and wrong here.
        return {**answer, "sealed": old[answer["seat"]][0], "signature": old[answer["seat"]][1]}

    old = {}

    def keep(answers):
        for one in answers:
            if "sealed" in one:
                old[one["seat"]] = (one["sealed"], one["signature"])
        return answers

    with Spoiled(account, keep):
        for _ in range(4):
            pays(account)
    account._wishes._wish = watched
    with Spoiled(account, spoil_seats(wrong, {2})):
        for _ in range(4):
            pays(account)
    # Whoever was asked again was asked without seat 2, and without nobody else.
    named = {payload[32:] for payload in seen if len(payload) == 40}
    assert named == {(1 << 1).to_bytes(8, "big")}


# -- enclaves that end, hang, and turn


def test_a_dead_enclave_and_one_that_hangs_stop_nothing(node, account):
    node.world.process(2).kill()
    for _ in range(6):
        pays(account)
    node.until(lambda: node.world.holder(2).restarts)
    until_seated(node)
    hung = node.world.process(3)
    hung.freeze()
    for _ in range(8):
        pays(account)
    hung.thaw()
    pays(account)


def test_a_hung_enclave_does_not_stop_wallets_of_evm_chains_either(node, owner):
    evm = owner.create("hung", b"\x99" * 20, Wei(10**20))
    from keymoot.base.strict_json import canonical
    from tests.runtime.people import policy as evm_policy

    owner.set_policy(evm.wallet, canonical(evm_policy(10**6)), 0)
    credential = owner.grant(evm.wallet, "hung", int(time.time()) + 3_600)
    signing = Account(credential, node.url)
    hung = node.world.process(1)
    hung.freeze()
    for nonce in range(6):
        signing.sign_transaction(pay(nonce))
    hung.thaw()


def test_epochs_end_while_payments_are_signed(node, account):
    before = epoch(node)
    epochs = node.beside(lambda: turn(node))
    pays(account)
    while epoch(node) == before:
        pays(account)
    epochs.result()
    for _ in range(5):
        pays(account)


def test_the_address_outlives_a_restart_of_everything(node, account):
    pays(account)
    node.kill()
    node.start()
    pays(account)
    assert policy()
