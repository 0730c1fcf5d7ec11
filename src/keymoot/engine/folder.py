"""Open a data folder: begin a network, or continue where it stands.

A folder is believed as far as it proves itself: the genesis names the network, all founders
signed the record, and the newest header has a certificate under the verifying key in it.
"""

from keymoot.base.errors import Malformed, Refused
from keymoot.base.fixed import Hash32
from keymoot.base.units import Height, seconds_of
from keymoot.committee.certified import CertifiedHeader, NotCertified, verify
from keymoot.committee.founding_record import FoundingRecord, NotFounded
from keymoot.committee.genesis import Genesis
from keymoot.contracts.builtin.registry import BUILT_IN
from keymoot.engine.chain_store import (
    FIRST_ROOT,
    GENESIS,
    NEWEST,
    RECORD,
    ChainStore,
    certificate_in,
    newest_in,
)
from keymoot.engine.lmdb_table import LmdbSnapshot, LmdbStore
from keymoot.engine.stored_block import header_in
from keymoot.runtime.block import Tip
from keymoot.runtime.committee_pages import committee_in
from keymoot.runtime.first_state import first_state
from keymoot.store.header import Header
from keymoot.store.state import STATE_PREFIXES, State
from keymoot.store.table import Batch


class BrokenArchive(Refused, code="BROKEN_ARCHIVE"):
    """The data folder holds something that this network's nodes never wrote."""


class AlreadyFounded(Refused, code="ALREADY_FOUNDED"):
    message = "the data folder belongs to a network already: choose another --data"


def stored_genesis(store: LmdbStore) -> Genesis | None:
    """Give the genesis with which a folder began, or None for an empty one."""
    with store.snapshot() as table:
        raw = table.get(GENESIS)
    return None if raw is None else Genesis.decode(raw)


def founded(store: LmdbStore) -> bool:
    """Tell whether a folder has a founding record; until then its network may be begun anew."""
    with store.snapshot() as table:
        return table.get(RECORD) is not None


def members_in(store: LmdbStore, genesis: Genesis) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Give the seats of those who keep the keys, as a folder's newest state has them.

    Gives also the seats of former members, as long as a recovery may go back to them.
    """
    with store.snapshot() as table:
        height = newest_in(table)
        header = None if not height else header_in(table, height)
        if header is None:
            return tuple(range(1, len(genesis.members) + 1)), ()
        machine = committee_in(State(table, header.state_root), genesis.network)
        members = machine.state.record.members
        return members, tuple(sorted(machine.epochs.previous.seats().keys() - set(members)))


def begin(store: LmdbStore, genesis: Genesis) -> None:
    """Write a new network's genesis and first state, over one whose founding never ended."""
    root, first = first_state(genesis)
    batch: Batch = {}
    with store.snapshot() as table:
        if table.get(RECORD) is not None:
            raise AlreadyFounded
        for prefix in STATE_PREFIXES:
            batch.update((key, None) for key, _ in table.scan(prefix, prefix))
    batch.update(first)
    batch[GENESIS], batch[FIRST_ROOT] = genesis.encode(), root
    batch[NEWEST] = bytes(8)
    store.write(batch)


def open_chain(store: LmdbStore, genesis: Genesis, *, keeps_dealings: bool = False) -> ChainStore:
    """Give the chain where the folder stands; write the first state if it is new."""
    known = stored_genesis(store)
    if known is None:
        begin(store, genesis)
    elif known != genesis:
        raise BrokenArchive("the data folder belongs to another network: choose another --data")
    snapshot = store.snapshot()
    try:
        return _open(store, genesis, snapshot, keeps_dealings=keeps_dealings)
    except BaseException:
        snapshot.close()
        raise


def _open(
    store: LmdbStore, genesis: Genesis, table: LmdbSnapshot, *, keeps_dealings: bool
) -> ChainStore:
    height, root = newest_in(table), table.get(FIRST_ROOT)
    if height is None or root is None:
        raise BrokenArchive("the folder's first state is missing: restore the folder whole")
    first_root = Hash32(root)
    # 1. The record is signed by all founders.
    record = _record(table, genesis)
    if (record is None) != (height == 0):
        raise BrokenArchive("blocks without a founding record: restore the folder whole")
    if record is None:
        tip = Tip.of_genesis(genesis.network, seconds_of(genesis.time), first_root)
    else:
        # 2. The newest block is the record's own, or certified.
        header = _newest(table, height, record)
        tip = Tip.of(header)
    # 3. The root that was certified is the root of the state.
    State(table, tip.state_root).account(BUILT_IN[0].address)
    return ChainStore(store, genesis, first_root, tip, record, table, keeps_dealings)


def _record(table: LmdbSnapshot, genesis: Genesis) -> FoundingRecord | None:
    raw = table.get(RECORD)
    if raw is None:
        return None
    try:
        record = FoundingRecord.decode(raw)
        record.check(genesis)
    except (Malformed, NotFounded) as error:
        raise BrokenArchive(f"the founding record is not good: {error}") from error
    return record


def _newest(table: LmdbSnapshot, height: Height, record: FoundingRecord) -> Header:
    header = header_in(table, height)
    if header is None or header.height != height:
        raise BrokenArchive("the newest block is missing: restore the folder whole")
    if height == record.height:
        if header.hash != record.block:
            raise BrokenArchive("the founders signed another block: restore the folder whole")
        return header
    try:
        verify(
            record.verifying_key,
            record.network,
            CertifiedHeader(header, certificate_in(table, height)),
        )
    except (Malformed, NotCertified) as error:
        raise BrokenArchive(f"the newest block is not certified: {error}") from error
    return header
