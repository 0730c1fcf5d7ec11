"""Each framework of today signs or is refused through its own code, by a network of ours."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from tests.agent.target_chain import target_chain
from tests.ecosystem.fresh import fresh, wheel
from tests.node.running import running, wallet_with_agent

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]

HERE = Path(__file__).parent
VAULT = "0x" + "02" * 20
"""Where the test's policy lets money go."""


@dataclass(frozen=True)
class World:
    """What the frameworks find: a network, an agent's credential, our wheel."""

    url: str
    credential: Path
    address: str
    wheel: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run one network for all of them."""
    folder = tmp_path_factory.mktemp("world")
    built = wheel(tmp_path_factory.mktemp("wheel"))
    with running(folder / "node") as node:
        _, credential, account = wallet_with_agent(node, node.owner())
        credential.save(folder / "agent.json")
        yield World(node.url, folder / "agent.json", account.address, built)


def _spoken(world: World, folder: Path, script: str, *packages: str) -> tuple[Any, list[str]]:
    """Install, run, and give what was printed and what reached the target chain."""
    made = fresh(folder / "env")
    made.install(str(world.wheel), *packages)
    with target_chain() as (url, sent):
        done = made.run(
            str(HERE / script),
            url,
            VAULT,
            KEYMOOT_URL=world.url,
            KEYMOOT_CREDENTIAL=str(world.credential),
        )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["address"] == world.address
    assert all(EthAccount.recover_transaction(raw) == world.address for raw in sent)
    return told, sent


def test_agentkit_sends_and_is_refused(world: World, tmp_path: Path) -> None:
    # AgentKit 0.7 imports what solana 0.37 has dropped, with us or without.
    packages = ("coinbase-agentkit", "solana<0.37")
    told, sent = _spoken(world, tmp_path, "speak_agentkit.py", *packages)
    assert (len(sent), told["refused"]) == (1, "METHOD_NOT_ALLOWED")


def test_goat_sends_and_is_refused(world: World, tmp_path: Path) -> None:
    packages = ("goat-sdk", "goat-sdk-wallet-web3")
    told, sent = _spoken(world, tmp_path, "speak_goat.py", *packages)
    assert (len(sent), told["refused"]) == (1, "METHOD_NOT_ALLOWED")


def test_x402_is_refused_by_the_policy(world: World, tmp_path: Path) -> None:
    told, sent = _spoken(world, tmp_path, "speak_x402.py", "x402[evm]")
    assert (sent, told["refused"]) == ([], "PERMIT")


def test_hyperliquids_hashes_are_refused(world: World, tmp_path: Path) -> None:
    told, sent = _spoken(world, tmp_path, "speak_hyperliquid.py", "hyperliquid-python-sdk")
    assert (sent, told["refused"]) == ([], ["NOT_SIGNABLE", "NOT_SIGNABLE"])


def test_a_langchain_tool_signs_and_is_refused(world: World, tmp_path: Path) -> None:
    told, _ = _spoken(world, tmp_path, "speak_langchain.py", "langchain-core")
    assert EthAccount.recover_transaction(told["signed"]) == world.address
    assert told["refused"] == "NO_RULE"
