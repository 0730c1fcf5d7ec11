"""The committee's pages between ledger and enclave: gathered here, believed there.

`gather_pages` runs beside the ledger and gives the nodes and blobs behind every page;
`read_pages` runs in an enclave and believes none of them until each has led up to a root
that it has checked against a header and its commit.
"""

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.committee.machine import CommitteeMachine
from keymoot.committee.page_store import MemoryPages
from keymoot.contracts.builtin.nodes import Nodes, committee_on, state_version
from keymoot.store.journal import Journal
from keymoot.store.keys import Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable, RecordingTable, Table
from keymoot.store.trie import NodeCache


def committee_in(state: State, network: NetworkId) -> CommitteeMachine:
    """Give the committee as a state has it; it cannot be changed."""
    store = PublicStore(Journal(state), Nodes.ADDRESS, FreeMeter(), writable=False)
    return committee_on(store, network)


def version_of(state: State) -> Version:
    """Give which state secret opens a state, and the blocks after it are sealed under."""
    return state_version(PublicStore(Journal(state), Nodes.ADDRESS, FreeMeter(), writable=False))


def gather_pages(
    table: Table, root: Hash32, network: NetworkId, cache: NodeCache | None = None
) -> dict[bytes, bytes]:
    """Give the witness for all pages of the committee in the state under `root`.

    Nodes of the cache were checked before; they go into the witness all the same.
    """
    recording, visited = RecordingTable(table), set[bytes]()
    machine = committee_in(State(recording, root, cache, visited), network)
    store = machine.state.pages
    for name in machine.names():
        store.get(name)
    for entry in visited - recording.seen.keys():
        recording.get(entry)
    return recording.seen


def read_pages(witness: dict[bytes, bytes], root: Hash32, network: NetworkId) -> MemoryPages:
    """Give the committee's pages, each checked up to `root`."""
    machine = committee_in(State(MemoryTable(witness), root), network)
    pages = MemoryPages()
    for name in machine.names():
        pages.set(name, machine.state.pages.get(name))
    return pages
