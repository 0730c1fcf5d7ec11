"""A node that keeps dealings: its whole chain is executed again.

One that does not lets go of them.
"""

from pathlib import Path

import pytest

from keymoot.agent.errors import NetworkRefused
from keymoot.base.units import seconds_of
from keymoot.runtime.block import Tip
from keymoot.runtime.first_state import first_state
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from tests.node.forgetful import KEPT
from tests.node.replaying import Replaying
from tests.node.running import Running, pay, until, wallet_with_agent


def replayed(node: Running) -> int:
    """Execute every block of a stopped node again from the genesis; compare headers, receipts."""
    disk = Replaying.of(node, keeps_dealings=True)
    genesis, chain = disk.genesis, disk.chain
    root, batch = first_state(genesis)
    table = MemoryTable()
    table.apply(batch)
    tip = Tip.of_genesis(genesis.network, seconds_of(genesis.time), root)
    for height in range(1, chain.tip.height + 1):
        executed = disk.again(height, State(table, tip.state_root), tip)
        table.apply(executed.writes)
        tip = executed.tip
    assert tip == chain.tip
    disk.close()
    return tip.height


@pytest.mark.timeout(900)
def test_all_is_executed_again_where_dealings_are_kept_and_nowhere_else(tmp_path: Path) -> None:
    node = Running(tmp_path / "node", "tests.node.forgetful", ["--keep-dealings"], anew=True)
    try:
        node.start()
        _, _, account = wallet_with_agent(node, node.owner())
        for nonce in range(KEPT):
            account.sign_transaction(pay(nonce))
        whole = [_block(node, height) for height in range(1, 9)]
        assert all(one["transactions"] for one in whole)
        node.kill()
        assert replayed(node) > 2 * KEPT
        # The same folder without it: what is old is erased with the next blocks, and named.
        node.options.clear()
        node.start()
        for nonce in range(KEPT, 2 * KEPT):
            account.sign_transaction(pay(nonce))
        until(lambda: _gone(node, whole))
    finally:
        if node.process is not None:
            node.kill()


def _block(node: Running, height: int) -> dict:
    return node.network.call("eth_getBlockByNumber", hex(height), True)


def _gone(node: Running, whole: list[dict]) -> bool:
    """Tell whether a block that had dealings is not given whole any more."""
    for one in whole:
        try:
            assert _block(node, int(one["number"], 16)) == one
        except NetworkRefused as error:
            assert "--keep-dealings" in str(error)
            return True
    return False
