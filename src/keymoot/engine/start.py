"""Open a data folder: begin a network, or continue where it stands."""

from keymoot.attest.commit import SignedHeader
from keymoot.attest.quorum import verify_commit
from keymoot.base.errors import Refused
from keymoot.contracts.registry import BUILT_IN
from keymoot.engine import archive
from keymoot.engine.application import Application, Committed, environment_at_genesis, first_block
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.moot.genesis import Genesis
from keymoot.runtime.assembly import assembly_in
from keymoot.runtime.members import validators_at
from keymoot.store.keys import StateKeys
from keymoot.store.state import State
from keymoot.store.table import Batch
from keymoot.store.trie import EMPTY_ROOT


class BrokenArchive(Refused):
    """The data folder holds something that this network's nodes never wrote."""

    code = "BROKEN_ARCHIVE"


def stored_genesis(store: LmdbStore) -> Genesis | None:
    """Give the genesis with which a folder began, or None for an empty one."""
    with store.snapshot() as table:
        raw = archive.genesis_of(table)
    return None if raw is None else Genesis.decode(raw)


def members_in(store: LmdbStore, genesis: Genesis) -> tuple[int, ...]:
    """Give the seats of those who keep the keys, as a folder's newest state has them."""
    with store.snapshot() as table:
        committed = archive.committed_of(table, environment_at_genesis(genesis))
        if committed is None:
            return tuple(range(1, len(genesis.members) + 1))
        return assembly_in(State(table, committed.root), genesis.network).hall.head.members


def begin(store: LmdbStore, genesis: Genesis) -> None:
    """Write a new network's genesis and first state.

    Enclaves join after that, for good: a crash in between leaves a folder that goes on.
    """
    _begin(store, genesis)


def open_application(store: LmdbStore, genesis: Genesis, keys: StateKeys) -> Application:
    """Give the application where the folder stands; write the first state if it is new.

    Raises:
        BrokenArchive: another network's folder, or a newest block without its commit.
        BrokenState: the state does not have the root that was committed.
    """
    start = environment_at_genesis(genesis)
    with store.snapshot() as table:
        known = archive.genesis_of(table)
        if known is not None and known != genesis.encode():
            raise BrokenArchive("the data folder belongs to another network: choose another --data")
        committed = archive.committed_of(table, start)
        if committed is not None:
            _check(table, genesis, committed)
    if committed is None:
        committed = _begin(store, genesis)
    return Application(genesis, keys, committed)


def _begin(store: LmdbStore, genesis: Genesis) -> Committed:
    with store.snapshot() as table:
        committed, state = first_block(genesis, State(table, EMPTY_ROOT))
    batch: Batch = dict(state)
    archive.put_genesis(batch, genesis.encode())
    archive.put_committed(batch, committed)
    store.write(batch)
    return committed


def _check(table: archive.ScanTable, genesis: Genesis, committed: Committed) -> None:
    # 1. The root that was committed is the root of the state.
    State(table, committed.root).account(BUILT_IN[0].ADDRESS)
    if not committed.height:
        return
    # 2. The newest block is there, is the one that was committed, and is final.
    block = archive.block_at(table, committed.height)
    commit = archive.commit_at(table, committed.height)
    if block is None or commit is None or block.header.hash() != committed.block.seed:
        raise BrokenArchive("the newest block or its commit is missing: restore the folder whole")
    assembly = assembly_in(State(table, committed.root), genesis.network)
    signers = validators_at(assembly, genesis, committed.height)
    verify_commit(SignedHeader(block.header, commit), signers, genesis.chain_text)
    # 3. A block that waits to be signed was built on this state.
    proposal = archive.proposal_of(table)
    if proposal is not None and proposal.block.header.app_hash != committed.root:
        raise BrokenArchive(
            "the waiting block was built on another state: restore the folder whole"
        )
