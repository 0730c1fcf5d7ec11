"""What may wait for a block, and what goes into the next one."""

from collections.abc import Iterable
from dataclasses import replace

from keymoot.base.units import Nonce, UnixSeconds
from keymoot.committee.genesis import Genesis
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.engine.sender_cache import SenderCache
from keymoot.runtime import gas
from keymoot.runtime.admit import admit
from keymoot.runtime.block import gas_wanted
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from keymoot.runtime.transactions import LedgerTransaction, open_transaction
from keymoot.store.journal import Journal
from keymoot.store.state import State


class Checks:
    """Opens and checks a network's transactions; ABCI's CheckTx and PrepareProposal."""

    def __init__(self, genesis: Genesis) -> None:
        self._genesis = genesis
        self._opened = SenderCache(self._open_fresh)

    def open(self, raw: bytes) -> LedgerTransaction:
        """Read and authenticate a transaction; the result is remembered."""
        return self._opened.open(raw)

    def check(
        self,
        state: State,
        block: BlockEnvironment,
        tx: LedgerTransaction,
        now: UnixSeconds,
        nonce: Nonce | None,
    ) -> None:
        """Raise unless a transaction may wait for a block.

        The block is that of `state`, the newest certified one; its time counts where it is later
        than the node's clock. The nonce is the sender's next one, counting what waits already.
        """
        later = replace(block, time=UnixSeconds(max(now, block.time)))
        admit(Journal(state), tx, later, nonce)

    def choose(self, waiting: Iterable[LedgerTransaction]) -> tuple[bytes, ...]:
        """Choose the next block's transactions from what waits, in its order."""
        chosen: list[bytes] = []
        size = wanted = 0
        for tx in waiting:
            size, wanted = size + len(tx.raw), wanted + gas_wanted(tx)
            fits = size <= MAX_BLOCK_BYTES and wanted <= gas.BLOCK_LIMIT
            if len(chosen) >= MAX_BLOCK_TRANSACTIONS or not fits:
                break
            chosen.append(tx.raw)
        return tuple(chosen)

    def _open_fresh(self, raw: bytes) -> LedgerTransaction:
        return open_transaction(raw, self._genesis.chain_id, self._genesis.network)
