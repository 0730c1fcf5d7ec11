"""The assembly's pages between ledger and enclave: gathered here, believed there.

`gather_pages` runs beside the ledger and gives the nodes and blobs behind every page;
`read_pages` runs in an enclave and believes none of them until each has led up to a root
that it has checked against a header and its commit.
"""

from keymoot.base.fixed import Hash32, NetworkId
from keymoot.contracts.nodes import Nodes, assembly_on, state_version
from keymoot.moot.assembly import Assembly
from keymoot.moot.pages import MemoryPages
from keymoot.store.journal import Journal
from keymoot.store.keys import Version
from keymoot.store.meter import FreeMeter
from keymoot.store.public import PublicStore
from keymoot.store.state import State
from keymoot.store.table import MemoryTable, RecordingTable, Table
from keymoot.store.trie import NodeCache


def assembly_in(state: State, network: NetworkId) -> Assembly:
    """Give the assembly as a state has it; it cannot be changed."""
    store = PublicStore(Journal(state), Nodes.ADDRESS, FreeMeter(), writable=False)
    return assembly_on(store, network)


def version_of(state: State) -> Version:
    """Give which state secret opens a state, and the blocks after it are sealed under."""
    return state_version(PublicStore(Journal(state), Nodes.ADDRESS, FreeMeter(), writable=False))


def gather_pages(
    table: Table, root: Hash32, network: NetworkId, cache: NodeCache | None = None
) -> dict[bytes, bytes]:
    """Give the witness for all pages of the assembly.

    Args:
        table: The ledger's table, as of `root`.
        root: The state root that the newest final header carries.
        network: The network's id.
        cache: Nodes that were checked before; they go into the witness all the same.
    """
    recording, visited = RecordingTable(table), set[bytes]()
    assembly = assembly_in(State(recording, root, cache, visited), network)
    store = assembly.hall.pages
    for name in assembly.names():
        store.get(name)
    for entry in visited - recording.seen.keys():
        recording.get(entry)
    return recording.seen


def read_pages(witness: dict[bytes, bytes], root: Hash32, network: NetworkId) -> MemoryPages:
    """Give the assembly's pages, each checked up to `root`.

    Raises:
        BrokenState: the witness does not lead to the root, or lacks a part.
    """
    assembly = assembly_in(State(MemoryTable(witness), root), network)
    pages = MemoryPages()
    for name in assembly.names():
        pages.set(name, assembly.hall.pages.get(name))
    return pages
