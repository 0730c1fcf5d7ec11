"""One real node for all tests of the gateway."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from keymoot.agent.account import Account
from keymoot.agent.owner import Owner
from keymoot.agent.views import WalletView
from tests.node.running import Running, pay, running, wallet_with_agent


@dataclass
class Scene:
    node: Running
    owner: Owner
    wallet: WalletView
    account: Account


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    with running(tmp_path_factory.mktemp("node")) as node:
        owner = node.owner()
        wallet, _, account = wallet_with_agent(node, owner)
        for nonce in range(3):
            account.sign_transaction(pay(nonce))
        time.sleep(0.05)
        yield Scene(node, owner, wallet, account)
