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
from tests.policy.chains.evm.hyperliquid.actions import VAULT, order, orders, sent, wish

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
        told = wish(signed or action, vaultAddress=self.vault_address, expiresAfter=None)
        found = self.wallet.sign_message(signable(told))
        signature = {"r": hex(found["r"]), "s": hex(found["s"]), "v": found["v"]}
        return self._post_action(action, signature, told["nonce"])

    def _post_action(self, action: Any, signature: Any, nonce: int) -> Any:
        told = {"action": action, "nonce": nonce, "signature": signature}
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
    assert EthAccount.recover_message(signable(wish(orders())), vrs=vrs) == account.address


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
