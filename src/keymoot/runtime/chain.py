"""A ledger in memory: one block for each transaction, for trying contracts out.

```python
chain = MemoryChain([Deployment("Counter", Counter)])
receipt = chain.send(transaction)
```
A small honest implementation: the same journal, trie and runtime as a node's, without
consensus, disk or enclave. The keys are made of zeros: nothing here is secret.
"""

from collections.abc import Iterable
from dataclasses import replace

from keymoot.base.fixed import Address, Hash32, NetworkId
from keymoot.base.secret import Secret
from keymoot.base.units import LEDGER_CHAIN_ID, Height, Seconds, UnixSeconds, Wei
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.context import BlockEnvironment
from keymoot.contracts.framework.registry import Deployment
from keymoot.crypto.keccak import keccak256
from keymoot.runtime.block import Block, Executed, NetworkConstants, Tip
from keymoot.runtime.query import Query, call
from keymoot.runtime.receipt import Receipt
from keymoot.runtime.state_transition import StateTransition
from keymoot.store.journal import Journal
from keymoot.store.keys import StateKeys
from keymoot.store.state import State, StateChanges
from keymoot.store.table import MemoryTable
from keymoot.store.trie import EMPTY_ROOT, NodeCache

GENESIS_TIME = UnixSeconds(1_800_000_000)


class MemoryChain:
    """A chain of blocks in memory."""

    def __init__(
        self,
        contracts: Iterable[Deployment] = (),
        balances: dict[Address, Wei] | None = None,
    ) -> None:
        self.table = MemoryTable()
        self.cache = NodeCache()
        self.contracts = built_in_registry().plus(*contracts)
        network = NetworkId(keccak256(b"a chain in memory"))
        self.keys = StateKeys(Secret(bytes(32)), network)
        self.blocks: list[Executed] = []
        """What executing each block gave, from block 1 on."""
        self.root: Hash32 = EMPTY_ROOT
        self.chain = NetworkConstants(network, LEDGER_CHAIN_ID, Wei(1_000_000_000))
        self._time = GENESIS_TIME
        journal = Journal(self.state())
        for address, balance in (balances or {}).items():
            journal.set_balance(address, balance)
        self.alter(journal.changes())

    @property
    def tip(self) -> Tip:
        if not self.blocks:
            return Tip.of_genesis(self.chain.network, GENESIS_TIME, self.root)
        return replace(self.blocks[-1].tip, state_root=self.root)

    @property
    def transition(self) -> StateTransition:
        return StateTransition(self.chain, self.contracts, self.keys)

    @property
    def block(self) -> BlockEnvironment:
        """The environment that queries see: the newest block's, dated as the next one may be."""
        tip, chain = self.tip, self.chain
        return BlockEnvironment(
            chain.network, chain.chain_id, tip.height, self._time, tip.hash, chain.base_fee
        )

    def state(self) -> State:
        return State(self.table, self.root, self.cache)

    def pass_time(self, seconds: Seconds) -> None:
        self._time = UnixSeconds(self._time + seconds)

    def send(self, raw: bytes) -> Receipt:
        """Put one signed transaction into a block of its own."""
        return self.send_together([raw])[0]

    def send_together(self, raws: list[bytes]) -> list[Receipt]:
        """Put signed transactions into one block, in their order."""
        tip = self.tip
        self._time = UnixSeconds(self._time + 1)
        block = Block(Height(tip.height + 1), self._time, tuple(raws))
        done = self.transition.execute(self.state(), tip, block)
        self.table.apply(done.writes)
        self.root = done.header.state_root
        self.blocks.append(done)
        return list(done.receipts)

    def ask(self, to: Address, data: bytes, claimed: Address | None = None) -> bytes:
        """Run a query, `claimed` to come from somebody."""
        query = Query(to, data, claimed=claimed)
        return call(self.state(), self.block, self.contracts, self.keys, query)

    def alter(self, changes: StateChanges) -> None:
        """Change the newest state past all rules: for tests that begin in the middle."""
        self.root, batch = self.state().updated(changes)
        self.table.apply(batch)
