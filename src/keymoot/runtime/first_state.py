"""What the ledger's state is before the first block."""

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, seconds_of
from keymoot.contracts.nodes import Nodes, assembly_on
from keymoot.contracts.registry import BUILT_IN, CODE_HASH
from keymoot.moot.genesis import Genesis
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import Changes, State
from keymoot.store.table import Batch, MemoryTable
from keymoot.store.trie import EMPTY_ROOT


def first_state(genesis: Genesis) -> tuple[Hash32, Batch]:
    """Give the state root of a genesis, and the entries behind it."""
    empty = State(MemoryTable(), EMPTY_ROOT)
    return empty.updated(first_changes(genesis, empty))


def first_changes(genesis: Genesis, empty: State) -> Changes:
    """Give what the empty state becomes: balances, the built-in contracts, the founders' seats."""
    journal = Journal(empty)
    for address, wei in genesis.allocations:
        journal.set_balance(address, wei)
    for kind in BUILT_IN:
        journal.set_code_hash(kind.ADDRESS, CODE_HASH)
    founders = genesis.founders()
    if founders:
        store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
        assembly_on(store, genesis.network).found(
            founders,
            Height(0),
            seconds_of(genesis.time),
            genesis.epoch_seconds,
            genesis.attestation,
        )
    return journal.changes()
