"""An account on a small network, for the tests of this folder."""

from collections.abc import Iterator

import pytest

from keymoot.agent.account import Account
from tests.agent.fake_network import FakeNetwork, serving


@pytest.fixture
def network() -> Iterator[FakeNetwork]:
    """Serve an honest network."""
    with serving(FakeNetwork()) as running:
        yield running


@pytest.fixture
def account(network: FakeNetwork) -> Iterator[Account]:
    """Connect to it."""
    made = Account(network.credential(), timeout_seconds=60)
    yield made
    made.close()
