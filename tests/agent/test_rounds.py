"""Several nodes, hostile ones among them: the answer comes, once, or an error names each."""

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account
from tests.agent.fake_network import FakeNetwork
from tests.agent.fronts import WAYS, Front, fronts, now, urls_of
from tests.agent.sharing_network import SharingNetwork
from tests.agent.transfers import TRANSFER

HOSTILE = tuple(way for way in WAYS if way != "honest")

TURN = 0.25
SLACK = 2.5
"""Seconds that a slow machine may take beside."""


@pytest.fixture(autouse=True)
def short_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", TURN)


@pytest.fixture
def network() -> SharingNetwork:
    made = SharingNetwork()
    made.world.run(range(3))
    return made


def connected(network: FakeNetwork, made: list[Front], seconds: float = 20) -> Account:
    return Account(network.credential(), urls_of(made), timeout_seconds=seconds)


def check_signed(network: FakeNetwork, account: Account) -> None:
    """Have one transaction signed: once, by the wallet."""
    signed = account.sign_transaction(TRANSFER)
    assert EthAccount.recover_transaction(signed.raw_transaction).lower() == network.address.hex0x
    assert len(set(network.sent)) == len(network.bodies) == len(network.signed) == 1


@pytest.mark.parametrize("way", HOSTILE)
def test_one_hostile_node_of_three_stops_nothing(network: SharingNetwork, way: str) -> None:
    for place in range(3):
        ways = ["honest"] * 3
        ways[place] = way
        with fronts(network, *ways) as made:
            begun = now()
            check_signed(network, connected(network, made))
            assert now() - begun < TURN + SLACK
        for kept in (network.sent, network.bodies, network.signed, network.answers):
            kept.clear()


@pytest.mark.parametrize("way", HOSTILE)
def test_nor_do_all_but_one(network: SharingNetwork, way: str) -> None:
    with fronts(network, way, way, "honest") as made:
        begun = now()
        check_signed(network, connected(network, made))
        assert now() - begun < 2 * TURN + SLACK
