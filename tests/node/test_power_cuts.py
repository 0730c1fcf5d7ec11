"""Power cuts at steps of a network in memory: as it is founded, and as it recovers."""

from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.base.fixed import NetworkId
from keymoot.engine.folder import founded, stored_genesis
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.testing.clients import PowerCut, Served, not_yet_served
from keymoot.testing.network import memory
from tests.examples import some
from tests.node.in_memory import committee_status, in_memory, until_seated
from tests.node.running import pay, wallet_with_agent

FOUNDING = [
    "join:3:after",
    "execute:2:before",
    "execute:9:after",
    "outcome:3:after",
    "execute:40:before",
    "write:1:before",
    "write:1:after",
    "write:2:before",
]
"""The record is not on the disk yet: the network begins anew, with another id."""

RECOVERING = [
    "begin:2:after",
    "endorse:1:before",
    "endorse:3:after",
    "execute:3:after",
    "certify:1:before",
    "certify:2:after",
    "write:1:before",
    "write:1:after",
    "stored:6:after",
]
"""In the order in which a node that was started again comes to them."""


def dies_at(net: Served, step: str) -> None:
    """Start a node whose power is cut at a step."""
    word, count, moment = step.split(":")
    net.kill_at(word, int(count), moment)
    with pytest.raises(PowerCut):
        net.start()
        net.until(lambda: not net.runs)
        raise PowerCut


def on_disk(net: Served) -> NetworkId | None:
    """Give the network of the data folder, if it is founded."""
    store = LmdbStore(net.world.host.config.data)
    genesis = stored_genesis(store) if founded(store) else None
    store.close()
    return genesis and genesis.network


def signs(net: Served) -> Account:
    """Check that a node signs, and that all its enclaves are known again."""
    _, _, account = wallet_with_agent(net, net.owner())
    account.sign_transaction(pay(0))
    until_seated(net)
    return account


@pytest.mark.parametrize("step", some(FOUNDING, 3))
def test_a_founding_whose_power_is_cut_before_its_record_begins_anew(
    tmp_path: Path, step: str
) -> None:
    with memory(7, tmp_path, batch=2) as world, not_yet_served(world) as net:
        dies_at(net, step)
        assert on_disk(net) is None
        net.start()
        net.network.committee()
        signs(net)


def test_a_recovery_whose_power_is_cut_at_each_step_goes_on(tmp_path: Path) -> None:
    with in_memory(tmp_path, batch=2) as net:
        account = signs(net)
        key = "0x" + "07" * 32
        signed = account.sign_transaction(pay(7), idempotency_key=key)
        network, recoveries = net.network.identity().network, committee_status(net)["recoveries"]
        for step in RECOVERING:
            net.kill()
            dies_at(net, step)
        net.start()
        assert net.network.identity().network == network
        signs(net)
        assert committee_status(net)["recoveries"] > recoveries
        # What was acknowledged before all of this is there, and gives the very same bytes.
        again = Account(account._credential, net.url).sign_transaction(pay(7), idempotency_key=key)
        assert again == signed
