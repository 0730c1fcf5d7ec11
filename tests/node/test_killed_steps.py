"""Real processes, killed at a step: founding, first certificates, recovery; then started again."""

import signal
from pathlib import Path

import pytest

from keymoot.agent.account import Account
from tests.examples import some
from tests.node.dying import VARIABLE
from tests.node.running import PATIENCE_SECONDS, Running, pay, running, until, wallet_with_agent

FOUNDING = [
    "join:3:after:server",
    "execute:2:before:all",
    "execute:9:after:server",
    "outcome:3:after:all",
    "execute:40:before:server",
    "write:1:before:all",
]
"""The record is not on the disk yet: the network begins anew, with another id."""

FOUNDED = [
    "write:1:after:all",
    "certify:1:before:all",
    "certify:3:after:server",
    "stored:2:before:all",
    "certify:5:before:all",
    "certify:6:after:server",
    "write:2:before:server",
    "write:2:after:all",
]
"""It is: the network is founded, whoever of its enclaves has seen that."""

RECOVERING = [
    "begin:2:after:server",
    "endorse:1:before:all",
    "endorse:3:after:all",
    "execute:3:after:server",
    "certify:1:before:all",
    "certify:2:after:server",
    "write:1:before:all",
    "write:1:after:all",
    "stored:6:after:all",
]
"""In the order in which a node that was started again comes to them."""


def kill_at(folder: Path, step: str) -> None:
    """Start a node that dies at a step, and wait until it has."""
    node = Running(folder, "tests.node.dying")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, step)
        try:
            node.start()
        except RuntimeError:
            assert node.process is not None
    try:
        assert node.process.wait(PATIENCE_SECONDS) == -signal.SIGKILL
        word, _, moment, _ = step.split(":")
        assert node.log.read_text().endswith(f"dies {moment} {word}\n")
    finally:
        node.process.kill()


def goes_on(node: Running, nonce: int = 0) -> Account:
    """Check that a node signs, and that all its enclaves are known again."""
    _, _, account = wallet_with_agent(node, node.owner())
    account.sign_transaction(pay(nonce))
    until(lambda: all(one["seated"] for one in committee_status(node)["seats"]))
    return account


def committee_status(node: Running) -> dict:
    return node.network.call("keymoot_assembly")


def found_with_deaths(folder: Path, steps: list[str]) -> None:
    for step in steps:
        kill_at(folder, step)
    with running(folder) as node:
        assert len(node.enclaves()) == 4
        node.network.committee()
        goes_on(node)


def recover_with_deaths(folder: Path, steps: list[str]) -> None:
    with running(folder) as node:
        account = goes_on(node)
        key = "0x" + "07" * 32
        signed = bytes(account.sign_transaction(pay(7), idempotency_key=key).raw_transaction)
        network, recoveries = node.network.identity().network, committee_status(node)["recoveries"]
        node.kill()
        for step in steps:
            kill_at(folder, step)
        node.start()
        assert node.network.identity().network == network
        goes_on(node)
        assert committee_status(node)["recoveries"] > recoveries
        # What was acknowledged before all of this is there, and gives the very same bytes.
        account = Account(account._credential, node.url)
        again = account.sign_transaction(pay(7), idempotency_key=key)
        assert bytes(again.raw_transaction) == signed


@pytest.mark.timeout(900)
def test_a_founding_goes_on_or_begins_anew_wherever_it_was_killed(tmp_path: Path) -> None:
    found_with_deaths(tmp_path / "node", some([FOUNDED[0], FOUNDING[2], FOUNDING[-1]], 1))


@pytest.mark.timeout(900)
def test_a_recovery_goes_on_wherever_it_was_killed(tmp_path: Path) -> None:
    recover_with_deaths(tmp_path / "node", some([RECOVERING[4], RECOVERING[2], RECOVERING[7]], 1))


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("step", FOUNDING + FOUNDED)
def test_a_founding_killed_at_each_step(tmp_path: Path, step: str) -> None:
    found_with_deaths(tmp_path / "node", [step])


@pytest.mark.soak
@pytest.mark.timeout(3600)
def test_a_recovery_killed_at_each_step_one_after_the_other(tmp_path: Path) -> None:
    recover_with_deaths(tmp_path / "node", RECOVERING)
