"""What the ledger's state is before the first block."""

from keymoot.attest.vendors import checked_chain, checked_lists
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, seconds_of
from keymoot.committee.genesis import Genesis
from keymoot.contracts.builtin.apps.cells import posted_on
from keymoot.contracts.builtin.apps.contract import Apps
from keymoot.contracts.builtin.nodes import Nodes, committee_on
from keymoot.contracts.builtin.registry import built_in_registry
from keymoot.contracts.framework.registry import CODE_HASH, GENESIS
from keymoot.store.journal import Journal
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State, StateChanges
from keymoot.store.table import Batch, MemoryTable
from keymoot.store.trie import EMPTY_ROOT


def first_state(genesis: Genesis) -> tuple[Hash32, Batch]:
    """Give the state root of a genesis, and the entries behind it."""
    empty = State(MemoryTable(), EMPTY_ROOT)
    return empty.updated(first_changes(genesis, empty))


def first_changes(genesis: Genesis, empty: State) -> StateChanges:
    """Give what the empty state becomes: balances, the built-in contracts, the founders' seats.

    Raises:
        Malformed, ChainRefused, CollateralStale: what vendors publish is none of theirs, or out
            of its dates when the genesis was made.
    """
    journal = Journal(empty)
    for address, wei in genesis.allocations:
        journal.set_balance(address, wei)
    for at in built_in_registry().starting_at(GENESIS):
        journal.set_code_hash(at, CODE_HASH)
    _post(genesis, PublicStore(journal, Apps.ADDRESS, FreeMeter()))
    founders = genesis.founders()
    if founders:
        store = PublicStore(journal, Nodes.ADDRESS, FreeMeter())
        committee_on(store, genesis.network).found(
            founders,
            Height(0),
            seconds_of(genesis.time),
            genesis.epoch_seconds,
            genesis.attestation,
        )
    return journal.changes()


def _post(genesis: Genesis, store: PublicStore) -> None:
    """Keep what the genesis has of vendors where anybody may post newer, by the same rules."""
    posted, now = posted_on(store), seconds_of(genesis.time)
    for chain in genesis.admission.amd_chains:
        Apps.amd_chains.set(store, checked_chain(chain, posted.chain, now), chain)
    for lists in genesis.admission.intel_lists:
        Apps.intel_lists.set(store, checked_lists(lists, posted.lists, now), lists)
