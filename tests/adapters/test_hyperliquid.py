"""The adapter posts what the network signed, if that is what the SDK asked for.

The SDK itself is in tests/ecosystem; here stands what the adapter uses of it.
"""

import sys
from types import ModuleType
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.adapters.errors import NotAsAsked
from keymoot.adapters.hyperliquid import exchange
from keymoot.agent import Account, PolicyRefused
from tests.agent.conftest import account, network
from tests.agent.fake_network import FakeNetwork
from tests.fuzz.actions import signable
from tests.policy.chains.evm.hyperliquid.actions import NONCE, VAULT, order, orders, sent, wish

__all__ = ["account", "network"]

MAINNET_API_URL = "https://api.hyperliquid.xyz"


class Sdk:
    """What the SDK's `Exchange` does with its wallet, and with a signature."""

    def __init__(self, wallet: Any, base_url: str, vault_address: str | None = None) -> None:
        self.wallet, self.base_url, self.vault_address = wallet, base_url, vault_address
        self.expires_after: int | None = None
        self.posted: list[Any] = []

    def act(self, action: dict[str, Any], signed: dict[str, Any] | None = None) -> Any:
        """Sign `signed`, or else the action, and post the action."""
        told = wish(
            signed or action, vaultAddress=self.vault_address, expiresAfter=self.expires_after
        )
        found = self.wallet.sign_message(signable(told))
        signature = {"r": hex(found["r"]), "s": hex(found["s"]), "v": found["v"]}
        return self._post_action(action, signature, told["nonce"])

    def _post_action(self, action: Any, signature: Any, nonce: int) -> Any:
        told = {"action": action, "nonce": nonce, "signature": signature}
        told["expiresAfter"] = self.expires_after
        return self.post("/exchange", told)

    def post(self, url_path: str, payload: Any = None) -> Any:
        self.posted.append((url_path, payload))
        return {"status": "ok"}


@pytest.fixture(autouse=True)
def _sdk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the stand-in where the SDK would be."""
    module: Any = ModuleType("hyperliquid.exchange")
    module.Exchange, module.MAINNET_API_URL = Sdk, MAINNET_API_URL
    monkeypatch.setitem(sys.modules, "hyperliquid", ModuleType("hyperliquid"))
    monkeypatch.setitem(sys.modules, "hyperliquid.exchange", module)


def test_the_networks_signature_takes_the_placeholders_place(account: Account) -> None:
    venue = exchange(account, MAINNET_API_URL)
    assert venue.act(orders()) == {"status": "ok"}
    ((path, told),) = venue.posted
    assert path == "/exchange"
    parts = told["signature"]
    vrs = [parts["v"], parts["r"], parts["s"]]
    signed = signable(wish(orders(), expiresAfter=told["expiresAfter"]))
    assert EthAccount.recover_message(signed, vrs=vrs) == account.address


def test_what_the_user_signs_names_no_vault(account: Account) -> None:
    venue = exchange(account, MAINNET_API_URL, vault_address=VAULT)
    assert venue.act(sent()) == {"status": "ok"}
    with pytest.raises(PolicyRefused) as caught:
        venue.act(orders())
    assert caught.value.data["reason"] == "NO_RULE"


def test_a_refusal_posts_nothing(account: Account) -> None:
    venue = exchange(account, MAINNET_API_URL)
    for action in (orders(order(s="9")), sent(destination=VAULT)):
        with pytest.raises(PolicyRefused):
            venue.act(action)
    assert venue.posted == []


def test_every_other_address_is_a_testnet(account: Account) -> None:
    with pytest.raises(PolicyRefused) as caught:
        exchange(account, "http://127.0.0.1:1").act(orders())
    assert caught.value.data["reason"] == "NO_RULE"


def test_another_hash_than_the_actions_posts_nothing(account: Account) -> None:
    venue = exchange(account, MAINNET_API_URL)
    with pytest.raises(NotAsAsked, match="something else than order"):
        venue.act(orders(), signed=orders(order(s="0.02")))
    assert venue.posted == []


def test_a_placeholder_leaves_by_no_way(account: Account, network: FakeNetwork) -> None:
    venue = exchange(account, MAINNET_API_URL)
    found = venue.wallet.sign_message(signable(wish(orders())))
    told = {"action": {}, "signature": {"r": hex(found["r"]), "s": hex(found["s"]), "v": 27}}
    with pytest.raises(NotAsAsked, match="placeholder"):
        venue.post("/exchange", told)
    assert (venue.posted, network.sent) == ([], [])


def ends(venue: Any) -> list[int | None]:
    return [told["expiresAfter"] for _, told in venue.posted]


def test_every_action_that_can_have_an_end_has_a_near_one(account: Account) -> None:
    now = NONCE

    venue = exchange(account, MAINNET_API_URL, clock=lambda: now)
    venue.act(orders())
    now += 7_000
    venue.act(orders())
    venue.act(sent())
    venue.act(orders())
    assert ends(venue) == [NONCE + 60_000, now + 60_000, None, now + 60_000]


def test_an_end_is_one_throughout_an_action_however_long_that_takes(account: Account) -> None:
    ticks = iter(range(NONCE, NONCE + 10_000_000, 1_000))
    venue = exchange(account, MAINNET_API_URL, clock=lambda: next(ticks))
    venue.act(orders())
    venue.act(orders())
    assert ends(venue) == [NONCE + 60_000, NONCE + 61_000]


def test_an_end_of_the_traders_own_counts_and_none_only_if_it_is_said(account: Account) -> None:
    venue = exchange(account, MAINNET_API_URL, clock=lambda: NONCE)
    venue.expires_after = NONCE + 5
    venue.act(orders())
    venue.act(sent())
    venue.expires_after = None
    venue.act(orders())
    kept = exchange(account, MAINNET_API_URL, expires_in_seconds=None)
    kept.act(orders())
    assert (ends(venue), ends(kept)) == ([NONCE + 5, None, NONCE + 60_000], [None])


def test_what_was_refused_leaves_its_end_to_no_other(account: Account) -> None:
    now = NONCE
    venue = exchange(account, MAINNET_API_URL, clock=lambda: now)
    with pytest.raises(PolicyRefused):
        venue.act(orders(order(s="9")))
    now += 9_000
    venue.act(orders())
    assert ends(venue) == [now + 60_000]
