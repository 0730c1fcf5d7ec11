"""Real owners and agents of a network in memory: its time is theirs, and one goes on at a time."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from keymoot.agent.errors import AnswerLost, NetworkUnreachable
from keymoot.agent.transport import ConnectionLost, Transport
from keymoot.base.fixed import Address
from keymoot.testing.clients import PowerCut, Served, served
from keymoot.testing.network import memory
from tests.node.running import pay, wallet_with_agent

pytestmark = pytest.mark.long

REAL = time.time, time.monotonic, time.sleep, Transport._exchange, time.thread_time


@pytest.fixture
def net(tmp_path: Path) -> Iterator[Served]:
    with memory(3, tmp_path, batch=8, epoch_seconds=300) as world, served(world) as made:
        yield made
        assert not made.defects
    now = (time.time, time.monotonic, time.sleep, Transport._exchange, time.thread_time)
    assert now == REAL


def test_an_agent_signs_and_goes_on_after_a_power_cut(net: Served) -> None:
    owner = net.owner()
    wallet, _, account = wallet_with_agent(net, owner)
    first = account.sign_transaction(pay(0), idempotency_key="first")
    net.kill()
    with pytest.raises(NetworkUnreachable):
        net.network.identity()
    net.start()
    assert account.sign_transaction(pay(0), idempotency_key="first") == first
    account.sign_transaction(pay(1))
    assert owner.show(wallet.wallet).log_length == 2


def test_ten_minutes_of_the_network_take_no_ten_minutes(net: Served) -> None:
    began = REAL[1]()
    before, height = time.time(), net.world.ledger.height()
    time.sleep(600)
    assert time.time() - before == pytest.approx(600)
    assert net.world.loop.clock() == pytest.approx(time.time() * 1e9)
    assert net.world.ledger.height() > height  # the epoch has ended
    assert REAL[1]() - began < 600


def test_work_takes_none_of_its_time_on_however_slow_a_machine(net: Served) -> None:
    """What a client owes for its queries is counted in processor time: the network's, too."""
    before = time.thread_time()
    assert sum(range(10**6))
    assert time.thread_time() == before
    time.sleep(2)
    assert time.thread_time() == pytest.approx(before + 2)


def test_who_asks_beside_others_gets_what_is_theirs(net: Served) -> None:
    _, _, account = wallet_with_agent(net, net.owner())
    order: list[int] = []

    def ask(number: int) -> bytes:
        signed = account.sign_transaction(pay(number))
        order.append(number)
        return bytes(signed.raw_transaction)

    asking = [net.beside(lambda number=number: ask(number)) for number in range(5)]
    assert not order
    found = [one.result() for one in asking]
    assert len(set(found)) == 5
    assert sorted(order) == list(range(5))
    assert all(one.done for one in asking)

    def fails() -> None:
        time.sleep(5)
        raise ValueError("ours")

    with pytest.raises(ValueError, match="ours"):
        net.beside(fails).result()


def test_the_power_is_cut_at_the_very_step_that_was_asked_for(net: Served) -> None:
    _, _, account = wallet_with_agent(net, net.owner())
    seen = []
    net.world.host.at("certify", 2, "after", lambda: seen.append(len(asked("certify"))))

    def asked(word: str) -> list[str]:
        starts = net.world.host.processes.values()
        return [one for process in starts for one in process.asked if one == word]

    before = len(asked("certify"))
    account.sign_transaction(pay(0))
    assert seen[0] >= before + 2
    # Nothing of the block whose write was cut off is on the disk, and the next start goes on.
    net.kill_at("write", 1, "before")
    with pytest.raises(AnswerLost):
        Account(account._credential, net.url, timeout_seconds=5).sign_transaction(pay(1))
    assert not net.runs
    net.kill()
    net.kill_at("endorse", 1, "before")
    with pytest.raises(PowerCut):
        net.start()
    net.start()
    assert account.sign_transaction(pay(1)).raw_transaction


def test_whoever_is_not_answered_in_time_is_told_so(net: Served) -> None:
    for process in net.world.host.processes.values():
        process.freeze()
    way, began = Transport(net.url), time.monotonic()
    with pytest.raises(ConnectionLost, match="timed out"):
        way.call("keymoot_faucet", [Address(b"x" * 20).hex0x], 7.0)
    assert time.monotonic() - began == pytest.approx(7.0)
    asking = net.beside(lambda: way.call("keymoot_faucet", [Address(b"y" * 20).hex0x], 600.0))
    net.sleep(1)
    net.kill()
    with pytest.raises(ConnectionLost, match="closed the connection"):
        asking.result()


def test_a_thread_that_the_network_does_not_know_is_told_what_to_do(net: Served) -> None:
    def nested() -> None:
        net.world.loop.call_soon(lambda: caught.append(_error(lambda: net.sleep(1))))
        net.sleep(1)

    caught: list[str] = []
    nested()
    assert "see beside" in caught[0]


def _error(what) -> str:
    with pytest.raises(RuntimeError) as caught:
        what()
    return str(caught.value)


def test_the_credential_of_one_network_works_after_all_its_enclaves_started_anew(
    net: Served,
) -> None:
    _, credential, _ = wallet_with_agent(net, net.owner())
    for process in list(net.world.host.processes.values()):
        process.kill()
    assert Account(credential, net.url).sign_transaction(pay(0)).raw_transaction
