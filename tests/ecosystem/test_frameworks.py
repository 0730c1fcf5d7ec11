"""Each framework of today signs or is refused through its own code, by a network of ours."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account as EthAccount

from keymoot.agent.credential import Credential
from keymoot.agent.owner import Owner
from keymoot.base.strict_json import canonical
from keymoot.base.units import UnixSeconds, Wei
from tests.agent.target_chain import target_chain
from tests.ecosystem.fresh import fresh, wheel
from tests.node.running import RECOVERY, running, wallet_with_agent
from tests.policy.chains.evm.hyperliquid.actions import perps
from tests.policy.chains.evm.typed.payments import RULED_DOMAIN, payment_rule
from tests.runtime.people import policy

pytestmark = [pytest.mark.ecosystem, pytest.mark.timeout(1_800)]

HERE = Path(__file__).parent
USDC, PAYEE = (
    "0x833589fCD6eDb6E08f4c7C32D4f71b54bdA02913",
    "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
)
VAULT = "0x" + "02" * 20
"""Where the test's policy lets money go."""


@dataclass(frozen=True)
class World:
    """What the frameworks find: a network, credentials of an agent and a trader, our wheel."""

    url: str
    credential: Path
    trader: Path
    address: str
    wheel: Path


def _rules() -> dict[str, Any]:
    """Give the test's policy, and a rule for x402 of 1,000 units of USDC a day."""
    start = policy(10**6)
    rule = payment_rule(
        domain=RULED_DOMAIN | {"verifyingContract": {"eq": USDC}},
        fields={"to": {"eq": PAYEE}},
    )
    limit = {"id": "usdc-day", "max": "1000", "window": "24h", "kind": "rolling"}
    return start | {"rules": [*start["rules"], rule], "limits": [*start["limits"], limit]}


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Run one network for all of them."""
    folder = tmp_path_factory.mktemp("world")
    built = wheel(tmp_path_factory.mktemp("wheel"))
    with running(folder / "node") as node:
        owner = node.owner()
        wallet, credential, account = wallet_with_agent(node, owner)
        owner.set_policy(wallet.wallet, canonical(_rules()), 1)
        credential.save(folder / "agent.json")
        _trader(owner).save(folder / "trader.json")
        yield World(node.url, folder / "agent.json", folder / "trader.json", account.address, built)


def _trader(owner: Owner) -> Credential:
    """Make a wallet that may trade on the exchange's testnet."""
    document = perps()
    rules = [rule | {"network": "testnet"} for rule in document["rules"][:-1]]
    wallet = owner.create("perps", RECOVERY, Wei(100 * 10**18))
    owner.set_policy(wallet.wallet, canonical(document | {"rules": rules}), 0)
    return owner.grant(wallet.wallet, "perps", UnixSeconds(int(time.time()) + 3_600))


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


def test_x402s_own_facilitator_takes_what_the_policy_allows(world: World, tmp_path: Path) -> None:
    told, sent = _spoken(world, tmp_path, "speak_x402.py", "x402[evm]")
    assert told == {
        "address": world.address,
        "paid": True,
        "claimed more": False,
        "again": "LIMIT_EXCEEDED",
        "other payee": "CONDITION_FAILED",
    }
    assert sent == []


def test_hyperliquids_sdk_trades_under_the_policy(world: World, tmp_path: Path) -> None:
    made = fresh(tmp_path / "env")
    made.install(str(world.wheel), "hyperliquid-python-sdk")
    done = made.run(
        str(HERE / "speak_hyperliquid.py"),
        str(HERE.parents[1] / "examples/perps"),
        KEYMOOT_URL=world.url,
        KEYMOOT_CREDENTIAL=str(world.trader),
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    # 1. What was taken was signed by the wallet, as the SDK itself recovers.
    assert told["senders"] == [told["address"]]
    kinds = ["order", "updateLeverage", "cancel", "batchModify", "order", "usdSend"]
    assert (told["taken"], told["answers"]) == (kinds, ["ok"] * 6)
    # 2. The rest was refused, and never reached the exchange.
    assert told["blind"] == ["NOT_SIGNABLE", "NOT_SIGNABLE"]
    assert told["refused"] == [
        ["LIMIT_EXCEEDED", "orders[0].notional", "usd-day"],
        ["CONDITION_FAILED", "action.destination", None],
        ["UNKNOWN_ACTION", "action.type", None],
        ["CONDITION_FAILED", "action.leverage", None],
    ]
    assert told["packed"]


def test_a_langchain_tool_signs_and_is_refused(world: World, tmp_path: Path) -> None:
    told, _ = _spoken(world, tmp_path, "speak_langchain.py", "langchain-core")
    assert EthAccount.recover_transaction(told["signed"]) == world.address
    policy_said, no_document, text = told["refused"]
    assert (policy_said["code"], policy_said["data"]["reason"]) == (4100, "NO_RULE")
    assert "EIP-712" in no_document["message"]
    assert text["data"]["reason"] == "METHOD_NOT_ALLOWED"
