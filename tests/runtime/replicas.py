"""Blocks on a play's tip, and replicas that share nothing with it but bytes."""

from keymoot.base.secret import Secret
from keymoot.base.units import Height, UnixSeconds, Wei
from keymoot.contracts.registry import built_in_registry
from keymoot.contracts.wallets import Wallets
from keymoot.runtime.block import (
    Block,
    Executed,
    Tip,
    execute_block,
)
from keymoot.runtime.chain import MemoryChain
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.contracts.toys import TOYS
from tests.runtime.people import (
    AGENT,
    OWNER,
    RECOVERY,
    STRANGER,
    Play,
    calldata,
)


def following(play: Play, *raws: bytes, seconds: int = 1) -> Block:
    tip = play.chain.tip
    return Block(Height(tip.height + 1), UnixSeconds(tip.time + seconds), raws)


def run(
    play: Play, block: Block, tip: Tip | None = None, keys: StateKeys | None = None
) -> Executed:
    """Execute as a replica would that shares nothing with the play's but the table's bytes."""
    chain, tip = play.chain, tip or play.chain.tip
    state = State(MemoryTable(dict(chain.table.items())), chain.root)
    contracts = chain.contracts if chain.contracts.keys() - built_in_registry() else None
    return execute_block(
        state,
        tip,
        block,
        chain.chain,
        contracts or built_in_registry(),
        keys or StateKeys(Secret(bytes(32)), chain.chain.network),
        chain._open,
    )


def toys() -> Play:
    rich = {one.address: Wei(10**24) for one in (OWNER, AGENT, STRANGER)}
    return Play(MemoryChain(TOYS, rich))


def birth(play: Play, salt: bytes = b"n") -> bytes:
    """Sign the making of a wallet: draws its key, and seals it."""
    data = calldata(Wallets, "create", salt.ljust(32, b"."), RECOVERY)
    return play.raw(STRANGER, Wallets.ADDRESS, data, 10**20)
