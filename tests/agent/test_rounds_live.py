"""Several nodes before one live network: hostile ones stop neither an agent nor its owner."""

import time
from typing import cast

import pytest
from eth_account import Account as EthAccount

from keymoot.agent import Account
from keymoot.agent.errors import NetworkRefused, NoNodeAnswers, WrongAnswer
from keymoot.agent.network import Network
from keymoot.agent.owner import Owner, new_key
from keymoot.base.fixed import Hash32
from keymoot.base.units import UnixSeconds, Wei
from tests.agent.fake_network import FakeNetwork
from tests.agent.fronts import OWNERS_WAYS, Front, fronts, urls_of
from tests.agent.relay import Relay
from tests.node.running import PATIENCE_SECONDS, RECOVERY, Running, pay, wallet_with_agent

pytest.importorskip("uvicorn")

QUOTA = Wei(100 * 10**18)


@pytest.fixture(scope="module")
def relay(node: Running) -> FakeNetwork:
    return cast("FakeNetwork", Relay(node.url))


def owner_at(node: Running, made: list[Front], seconds: float = 60) -> Owner:
    """Give an owner with funds, who pins the network."""
    network = Network(urls_of(made), seconds, pin=node.network.anchor())
    made_one = Owner(network, new_key())
    node.network.faucet(made_one.address)
    return made_one


@pytest.mark.parametrize("way", OWNERS_WAYS)
def test_an_owner_acts_though_one_of_three_nodes_is_hostile(
    node: Running, relay: FakeNetwork, way: str
) -> None:
    with fronts(relay, way, "honest", "honest") as made:
        acting = owner_at(node, made)
        wallet = acting.create("several", RECOVERY, QUOTA).wallet
        acting.fund(wallet, Wei(7))
        acting.pause(wallet)
        # Each was done, and done once.
        shown = Owner(node.network, new_key()).show(wallet)
        assert (shown.quota, shown.paused) == (QUOTA + 7, True)
        assert node.network.count(acting.address) == 3
        # What failed is told from what did not.
        with pytest.raises(NetworkRefused, match="there is no wallet"):
            acting.network.send(acting._key, "pause", Hash32(b"w" * 32))


def test_where_all_hide_what_they_do_each_is_named(node: Running, relay: FakeNetwork) -> None:
    with fronts(relay, "swallows transactions", "forges receipts") as made:
        acting = owner_at(node, made, 3)
        with pytest.raises(NoNodeAnswers) as failed:
            acting.create("several", RECOVERY, QUOTA)
        assert set(failed.value.nodes) == {one.url for one in made}
        assert node.network.count(acting.address) == 0


def test_a_credential_names_the_owners_nodes(node: Running, relay: FakeNetwork) -> None:
    with fronts(relay, "honest", "dead", "honest") as made:
        _, credential, _ = wallet_with_agent(node, owner_at(node, made))
        assert credential.urls == tuple(one.url for one in made)


def test_nodes_of_two_networks_are_not_taken_for_one(node: Running, relay: FakeNetwork) -> None:
    """Who pins nothing believes whoever answers first, unless others contradict."""
    with fronts(relay, "honest", "is another network") as made:
        network = Network(urls_of(made), 10)
        with pytest.raises(WrongAnswer, match="two networks"):
            network.committee()


@pytest.mark.parametrize(
    "way", ["swallows", "withholds", "says lost", "gives the first share", "refuses", "hangs"]
)
def test_an_agent_signs_though_two_of_three_nodes_are_hostile(
    node: Running, relay: FakeNetwork, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, credential, _ = wallet_with_agent(node, node.owner())
    with fronts(relay, way, way, "honest") as made:
        account = Account(credential, urls_of(made), timeout_seconds=PATIENCE_SECONDS)
        signed = account.sign_transaction(pay(1))
        assert EthAccount.recover_transaction(signed.raw_transaction) == account.address
        # From then on it is one exchange with the one that answers, however long that takes.
        monkeypatch.setattr("keymoot.agent.rounds.TURN_SECONDS", PATIENCE_SECONDS)
        before = [len(one.exchanges) for one in made]
        for nonce in range(2, 12):
            account.sign_transaction(pay(nonce))
        after = [len(one.exchanges) for one in made]
        assert [b - a for a, b in zip(before, after, strict=True)] == [0, 0, 10]
        spent = node.network.log(credential.wallet, 0, 32).records
        assert len(spent) == 11
        assert credential.expires > UnixSeconds(int(time.time()))
