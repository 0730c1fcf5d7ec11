"""A ledger in memory: one block for each transaction, for trying contracts out.

```python
chain = MemoryChain({Counter.ADDRESS: Counter()})
receipt = chain.send(transaction)
```
A small honest implementation: the same journal, trie and runtime as a node's, without
consensus, disk or enclave. The keys are made of zeros: nothing here is secret.
"""

from dataclasses import replace

from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, Seconds, UnixSeconds, Wei
from keymoot.contracts.context import BlockEnvironment
from keymoot.contracts.contract import Contract
from keymoot.contracts.registry import built_in_registry
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.execute import execute
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.transactions import open_transaction
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.state import Changes, State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT, NodeCache

GENESIS_TIME = UnixSeconds(1_800_000_000)


class MemoryChain:
    """A chain of blocks in memory."""

    def __init__(
        self,
        contracts: dict[Address, Contract] | None = None,
        balances: dict[Address, Wei] | None = None,
    ) -> None:
        """Start with built-in contracts, more contracts, and balances."""
        self.table = MemoryTable()
        self.cache = NodeCache()
        self.root: Hash32 = EMPTY_ROOT
        self.contracts = built_in_registry() | (contracts or {})
        network = NetworkId(keccak256(b"a chain in memory"))
        self.keys = StateKeys(Secret(bytes(32)), network, 0)
        self.block = BlockEnvironment(
            network, LEDGER_CHAIN_ID, Height(0), GENESIS_TIME, keccak256(b"0"), Wei(1_000_000_000)
        )
        journal = Journal(self.state())
        for address, balance in (balances or {}).items():
            journal.set_balance(address, balance)
        self._commit(journal.changes())

    def state(self) -> State:
        """Give the newest committed state."""
        return State(self.table, self.root, self.cache)

    def pass_time(self, seconds: Seconds) -> None:
        """Date the next blocks later."""
        self.block = replace(self.block, time=UnixSeconds(self.block.time + seconds))

    def send(self, raw: bytes) -> Receipt:
        """Put one signed transaction into a block of its own."""
        return self.send_together([raw])[0]

    def send_together(self, raws: list[bytes]) -> list[Receipt]:
        """Put signed transactions into one block, in their order.

        Raises:
            Malformed: one of them is not a transaction.
        """
        height = Height(self.block.height + 1)
        time = UnixSeconds(self.block.time + 1)
        name = keccak256(self.root + height.to_bytes(8, "big"))
        self.block = replace(self.block, height=height, time=time, hash=name)
        journal = Journal(self.state())
        receipts = []
        for position, raw in enumerate(raws):
            tx = open_transaction(raw, LEDGER_CHAIN_ID, self.block.network)
            receipts.append(execute(journal, tx, self.block, self.contracts, self.keys, position))
        self._commit(journal.changes())
        return receipts

    def ask(self, to: Address, data: bytes, claimed: Address | None = None) -> bytes:
        """Run a query, `claimed` to come from somebody.

        Raises:
            Refused: the contract said no.
        """
        query = Query(to, data, claimed=claimed)
        return call(self.state(), self.block, self.contracts, self.keys, query)

    def _commit(self, changes: Changes) -> None:
        self.root, batch = self.state().updated(changes)
        self.table.apply(batch)
