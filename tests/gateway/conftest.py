"""What happens on a real node, for the tests of the gateway; and a node open to more people."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from keymoot.agent.account import Account
from keymoot.agent.owner import Owner
from keymoot.agent.views import WalletView
from tests.node.running import Running, pay, running, wallet_with_agent

EXTENSION, PAGE, HOST = (
    "chrome-extension://nkbihfbeogaeaoehlefnkodbefgpgknn",
    "https://app.example",
    "keymoot.lan",
)


@dataclass
class Scene:
    node: Running
    owner: Owner
    wallet: WalletView
    account: Account
    since: int
    """Height before the first of its blocks."""


@pytest.fixture(scope="session")
def scene(node: Running) -> Scene:
    since = int(node.network.call("eth_blockNumber"), 16)
    owner = node.owner()
    wallet, _, account = wallet_with_agent(node, owner)
    for nonce in range(3):
        account.sign_transaction(pay(nonce))
    return Scene(node, owner, wallet, account, since)


@pytest.fixture(scope="session")
def open_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Run a node on all addresses, with a name and pages allowed, and blocks for no occasion."""
    options = ["--host", "0.0.0.0", "--allow-host", HOST, "--allow-origin", EXTENSION]
    options += ["--allow-origin", PAGE + "/", "--block-time", "1", "--keep-dealings"]
    with running(tmp_path_factory.mktemp("open"), options=options) as made:
        yield made
