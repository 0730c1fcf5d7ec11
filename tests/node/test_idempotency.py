"""An idempotency key means one thing, past its request's time, a crash and a restart."""

import time
from pathlib import Path

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account, PolicyRefused
from keymoot.agent.errors import IdempotencyReused
from keymoot.agent.owner import Owner
from keymoot.agent.reply import Reply
from keymoot.base.fixed import RequestId, WalletId
from keymoot.base.units import UnixSeconds
from keymoot.crypto.keccak import keccak256
from keymoot.crypto.transactions import request_key
from tests.node.in_memory import in_memory
from tests.node.running import pay, wallet_with_agent

LIFETIME_SECONDS = 4
ID = b"keymoot/idempotency/v1"


@pytest.fixture(autouse=True)
def _short_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keymoot.agent.signing_request.LIFETIME_SECONDS", LIFETIME_SECONDS)


class Crash(Exception):
    """The agent dies here."""


def _crash(*_: object) -> None:
    raise Crash


def _spent(owner: Owner, wallet: WalletId) -> object:
    return owner.usage(wallet)


@pytest.mark.parametrize("in_vault", [False, True], ids=["assembly", "vault"])
def test_a_key_holds_past_its_time_a_crash_and_a_restart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_vault: bool
) -> None:
    with in_memory(tmp_path) as node:
        owner = node.owner()
        wallet, credential, account = wallet_with_agent(node, owner, in_vault=in_vault)
        before = account.sign_transaction(pay(0, 7), idempotency_key="answered")
        # This one is bound, and the agent dies before it fetches the answer.
        with monkeypatch.context() as patch:
            patch.setattr(Reply, "settle", _crash)
            with pytest.raises(Crash):
                account.sign_transaction(pay(1, 9), idempotency_key="never answered")
        spent, length = _spent(owner, wallet.wallet), owner.show(wallet.wallet).log_length
        time.sleep(LIFETIME_SECONDS + 2)
        node.kill()
        node.start()

        def ask(nonce: int, value: int, key: str) -> object:
            again = Account(credential, node.url)
            return again.sign_transaction(pay(nonce, value), idempotency_key=key)

        # 1. What was answered is the same, to the byte.
        assert ask(0, 7, "answered") == before
        assert owner.show(wallet.wallet).log_length == length or in_vault
        # 2. What was not is signed now: the same transaction, once more in the log, and nothing
        #    more is spent.
        signed = ask(1, 9, "never answered")
        assert EthAccount.recover_transaction(signed.raw_transaction) == account.address
        assert _spent(owner, wallet.wallet) == spent
        assert ask(1, 9, "never answered") == signed
        # 3. Neither key is good for anything else.
        for key in ("answered", "never answered"):
            with pytest.raises(IdempotencyReused):
                ask(2, 1, key)
        # 4. Whoever is stopped gets nothing, under whichever key.
        owner.pause(wallet.wallet)
        for nonce, value, key in ((0, 7, "answered"), (1, 9, "never answered")):
            with pytest.raises(PolicyRefused, match="paused"):
                ask(nonce, value, key)
        owner.resume(wallet.wallet)
        assert ask(0, 7, "answered") == before
        owner.revoke(wallet.wallet, account.credential)
        for nonce, value, key in ((0, 7, "answered"), (1, 9, "never answered")):
            with pytest.raises(PolicyRefused, match="revoked"):
                ask(nonce, value, key)
        # Nor by asking for what was given before.
        name = request_key(account.credential, RequestId(keccak256(ID + b"answered")))
        told = node.network.nodes.line[0].get(f"/shares/{name.hex0x}", 10)
        assert told["refusal"]["data"]["reason"] == "NOT_BOUND"
        assert not told.get("answers")
        assert not told.get("sealed")


def test_a_credential_that_ended_since_gets_nothing(tmp_path: Path) -> None:
    with in_memory(tmp_path) as node:
        owner = node.owner()
        wallet, _, _ = wallet_with_agent(node, owner)
        until = UnixSeconds(int(time.time()) + 5)
        account = Account(owner.grant(wallet.wallet, "test", until), node.url)
        account.sign_transaction(pay(0), idempotency_key="one")
        time.sleep(7)
        with pytest.raises(PolicyRefused, match="expired"):
            account.sign_transaction(pay(0), idempotency_key="one")
