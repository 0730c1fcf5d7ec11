"""Blocks on a scenario's tip, and replicas that share nothing with it but bytes."""

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.contracts.builtin.wallets.contract import Wallets
from keymoot.contracts.framework.registry import Registry
from keymoot.runtime.block import (
    Block,
    Executed,
    Tip,
)
from keymoot.runtime.chain import MemoryChain
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.contracts.toys import TOYS
from tests.runtime.people import (
    AGENT,
    OWNER,
    RECOVERY,
    STRANGER,
    Scenario,
    calldata,
)


def following(scenario: Scenario, *raws: bytes, seconds: int = 1) -> Block:
    tip = scenario.chain.tip
    return Block(Height(tip.height + 1), UnixSeconds(tip.time + seconds), raws)


def run(
    scenario: Scenario, block: Block, tip: Tip | None = None, keys: StateKeys | None = None
) -> Executed:
    """Execute as a replica would that shares nothing with the scenario's but the table's bytes."""
    chain, tip = scenario.chain, tip or scenario.chain.tip
    state = State(MemoryTable(dict(chain.table.items())), chain.root)
    # A registry of its own, from the same rows.
    contracts = Registry(chain.contracts.deployments)
    keys = keys or StateKeys(Secret(bytes(32)), chain.chain.network)
    return StateTransition(chain.chain, contracts, keys).execute(state, tip, block)


def toys() -> Scenario:
    rich = {one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)}
    return Scenario(MemoryChain(TOYS, rich))


def birth(scenario: Scenario, salt: bytes = b"n") -> bytes:
    """Sign the making of a wallet: draws its key, and seals it."""
    data = calldata(Wallets, "create", salt.ljust(32, b"."), RECOVERY)
    return scenario.raw(STRANGER, Wallets.ADDRESS, data, 10**20)
