"""The ledger as an ABCI application: check, prepare, process, finalize, commit, query.

ABCI's snapshots are in `snapshot`.

Pure of I/O. It is handed the table of the newest committed state, and what it writes it
returns as a batch; the clock's readings are arguments. Whoever drives it (the local
engine, CometBFT) persists the batch and then says `commit`.
"""

from dataclasses import dataclass, replace

from keymoot.attest.block import Block, TxResult, results_hash
from keymoot.base.errors import BrokenStorage, Defect, KeymootError, Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import (
    NANOS_PER_SECOND,
    Height,
    Nonce,
    UnixNanos,
    UnixSeconds,
    seconds_of,
)
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.registry import built_in_registry
from keymoot.engine.opened import Opened
from keymoot.engine.rules import MAX_LAG_SECONDS
from keymoot.engine.whereabouts import arose
from keymoot.moot.genesis import Genesis
from keymoot.runtime import gas
from keymoot.runtime.admit import admit
from keymoot.runtime.execute import execute
from keymoot.runtime.first_state import first_changes
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt, result_of
from keymoot.runtime.rules import MAX_BLOCK_BYTES, MAX_BLOCK_TRANSACTIONS
from keymoot.runtime.transactions import LedgerTransaction, open_transaction
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import Batch, Table
from keymoot.store.trie import NodeCache


class BadProposal(Refused):
    """A proposed block breaks a rule that every validator checks."""

    code = "BAD_PROPOSAL"


@dataclass(frozen=True, slots=True)
class Committed:
    """Where the ledger stands: the newest block whose effects are in the state."""

    height: Height
    root: Hash32
    block: BlockEnvironment
    results_hash: bytes


@dataclass(frozen=True, slots=True)
class Finalized:
    """What executing a block gave; nothing of it counts before `commit`."""

    block: Block
    environment: BlockEnvironment
    app_hash: Hash32
    receipts: tuple[Receipt, ...]
    results: tuple[TxResult, ...]
    batch: Batch
    faults: tuple[str, ...] = ()
    """Transactions that were refused over a fault of ours, and where it arose: for the log."""


class CannotExecute(Defect):
    """A decided block cannot be executed here, whatever its transactions are refused for."""

    code = "CANNOT_EXECUTE"

    def __init__(self, height: Height, position: int, name: Hash32, what: str) -> None:
        """Name the transaction, and what arose where."""
        super().__init__(
            f"block {height} cannot be executed: transaction {name.hex0x}, number {position} in "
            f"it, met a defect of ours ({what}). Nothing of the block is written. "
            "Report these words; start this node again with a version that can execute the block, "
            "or on a machine with more memory if it was a MemoryError"
        )


class Application:
    """One replica's state machine."""

    def __init__(self, genesis: Genesis, keys: StateKeys | None, committed: Committed) -> None:
        """Continue from `committed`; see `first_block` for a new network."""
        self.genesis = genesis
        self.keys = keys
        self.contracts = built_in_registry()
        self.cache = NodeCache()
        self.committed = committed
        self._pending: Finalized | None = None
        self._opened = Opened(self._open_fresh)

    def state(self, table: Table) -> State:
        """Give the newest committed state, read from `table`."""
        return State(table, self.committed.root, self.cache)

    def open(self, raw: bytes) -> LedgerTransaction:
        """Read and authenticate a transaction; the result is remembered.

        Raises:
            Malformed: not a transaction.
            WrongNetwork: signed for another ledger.
        """
        return self._opened.open(raw)

    def check(
        self, state: State, tx: LedgerTransaction, now: UnixSeconds, nonce: Nonce | None
    ) -> None:
        """ABCI's CheckTx: raise unless `tx` may wait for a block.

        Args:
            state: The newest committed state.
            tx: From `open`.
            now: The node's clock; the ledger's own time counts where it is later.
            nonce: The sender's next one, counting what waits already.

        Raises:
            Refused: it may not; the message says why.
        """
        block = self.committed.block
        later = replace(block, time=UnixSeconds(max(now, block.time)))
        admit(Journal(state), tx, later, nonce)

    def prepare(self, waiting: list[bytes], time: UnixNanos, now: UnixNanos) -> list[bytes]:
        """ABCI's PrepareProposal: choose from what waits, in its order.

        Args:
            waiting: Transactions that passed `check`.
            time: What the block will be dated.
            now: The clock.
        """
        if lags(time, now):
            return []
        chosen: list[bytes] = []
        size = gas_wanted = 0
        for raw in waiting:
            wanted = self._gas_wanted(raw)
            fits = size + len(raw) <= MAX_BLOCK_BYTES and gas_wanted + wanted <= gas.BLOCK_LIMIT
            if len(chosen) >= MAX_BLOCK_TRANSACTIONS or not fits:
                break
            chosen.append(raw)
            size, gas_wanted = size + len(raw), gas_wanted + wanted
        return chosen

    def process(self, block: Block, now: UnixNanos) -> None:
        """ABCI's ProcessProposal: raise unless a validator may vote for `block`.

        Raises:
            BadProposal: too large, out of order, dated wrongly, or not transactions.
        """
        raws = block.transactions
        # 1. A block that lags the clock is empty (no request lives by yesterday's time).
        if raws and lags(block.header.time, now):
            raise BadProposal("a block dated over five seconds ago must be empty")
        # 2. It keeps the bounds.
        if len(raws) > MAX_BLOCK_TRANSACTIONS or sum(map(len, raws)) > MAX_BLOCK_BYTES:
            raise BadProposal("the block has too many transactions or bytes")
        if len(set(raws)) != len(raws):
            raise BadProposal("a transaction stands twice in the block")
        # 3. All of it are transactions of this network, within the gas of a block.
        try:
            wanted = sum(self._gas_wanted(raw) for raw in raws)
        except KeymootError as error:
            raise BadProposal(f"the block holds something else: {error}") from error
        if wanted > gas.BLOCK_LIMIT:
            raise BadProposal(f"the block wants {wanted} gas, at most {gas.BLOCK_LIMIT} fit")
        # 4. It speaks of our state.
        header = block.header
        if header.app_hash != self.committed.root:
            raise BadProposal("the block was built on another state")
        if header.last_results_hash != self.committed.results_hash:
            raise BadProposal("the block was built on other results")

    def query(self, table: Table, query: Query) -> bytes:
        """ABCI's Query: call a contract on the newest committed state, without effect.

        Raises:
            Refused: the contract said no, or the call needs a key or randomness.
        """
        return call(self.state(table), self.committed.block, self.contracts, self.keys, query)

    def finalize(self, table: Table, block: Block) -> Finalized:
        """ABCI's FinalizeBlock: execute a decided block.

        Raises:
            Defect: blocks come out of order.
            Fault: the state on disk is broken.
        """
        if block.header.height != self.committed.height + 1 or self._pending is not None:
            raise Defect(f"block {block.header.height} comes out of order")
        environment = replace(
            self.committed.block,
            height=block.header.height,
            time=seconds_of(block.header.time),
            seed=block.header.hash(),
        )
        state = self.state(table)
        journal = Journal(state)
        told = [
            self._execute(journal, raw, environment, position)
            for position, raw in enumerate(block.transactions)
        ]
        faults = tuple(
            f"transaction {one.transaction_hash.hex0x} in block {environment.height}: "
            f"{arose(one.fault)}"
            for one in told
            if one.fault is not None
        )
        receipts = tuple(replace(one, fault=None) if one.fault else one for one in told)
        root, batch = state.updated(journal.changes())
        results = tuple(result_of(receipt) for receipt in receipts)
        self._pending = Finalized(block, environment, root, receipts, results, batch, faults)
        return self._pending

    def commit(self, results_hash: bytes) -> None:
        """ABCI's Commit: the batch of `finalize` is on disk; its state is the newest now.

        Raises:
            Defect: nothing was finalized.
        """
        done = self._pending
        if done is None:
            raise Defect("commit without finalize")
        self._pending = None
        self.committed = Committed(
            done.environment.height, done.app_hash, done.environment, results_hash
        )

    def _execute(
        self, journal: Journal, raw: bytes, block: BlockEnvironment, position: int
    ) -> Receipt:
        try:
            tx = self.open(raw)
        except (Malformed, Refused) as error:
            raise Defect(f"a decided block holds no transaction at {position}: {error}") from error
        try:
            return execute(journal, tx, block, self.contracts, self.keys, position)
        except BrokenStorage:
            raise
        except Exception as error:
            why = f": {error}" if isinstance(error, Defect) else ""
            raise CannotExecute(block.height, position, tx.hash, f"{arose(error)}{why}") from error

    def _gas_wanted(self, raw: bytes) -> int:
        tx = self.open(raw)
        if tx.message is not None:
            return gas.MESSAGE
        return (
            gas.REQUEST_LIMIT // 8
            if tx.ethereum is None
            else min(tx.ethereum.gas, gas.TRANSACTION_LIMIT)
        )

    def _open_fresh(self, raw: bytes) -> LedgerTransaction:
        block = self.committed.block
        return open_transaction(raw, block.chain_id, block.network)


def lags(time: UnixNanos, now: UnixNanos) -> bool:
    """Tell whether a block dated `time` is too old to carry transactions."""
    return now - time > MAX_LAG_SECONDS * NANOS_PER_SECOND


def first_block(genesis: Genesis, empty: State) -> tuple[Committed, Batch]:
    """Give the state of a new network, as of height 0, and the entries to write."""
    root, batch = empty.updated(first_changes(genesis, empty))
    return Committed(Height(0), root, environment_at_genesis(genesis), NO_RESULTS_HASH), batch


def environment_at_genesis(genesis: Genesis) -> BlockEnvironment:
    """Give what stands for the block before the first."""
    return BlockEnvironment(
        network=genesis.network,
        chain_id=genesis.chain_id,
        height=Height(0),
        time=seconds_of(genesis.time),
        seed=Hash32(genesis.network),
        base_fee=genesis.base_fee,
    )


NO_RESULTS_HASH = results_hash([])
"""What the first header carries as its last results (RFC 6962's empty hash, as CometBFT's)."""
