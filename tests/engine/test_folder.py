"""A folder is believed as far as it proves itself."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from keymoot.base.fixed import Hash32
from keymoot.base.units import Height
from keymoot.committee.founding_record import FoundingRecord
from keymoot.engine.chain_store import NEWEST, RECORD
from keymoot.engine.folder import (
    AlreadyFounded,
    BrokenArchive,
    begin,
    founded,
    members_in,
    open_chain,
    stored_genesis,
)
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.engine.stored_block import StoredBlock
from keymoot.store.state import STATE_PREFIXES
from keymoot.store.table import Batch
from keymoot.store.trie import BrokenState
from tests.engine.committee import genesis_of
from tests.engine.house import House
from tests.engine.parts import transfer
from tests.runtime.people import OWNER


def number(height: int) -> bytes:
    return height.to_bytes(8, "big")


@pytest.fixture
async def folder(tmp_path: Path) -> Path:
    """A folder with three blocks."""
    house = House(tmp_path / "data")
    await house.found()
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
        await house.include(transfer(OWNER, 1))
    house.close()
    return tmp_path / "data"


def altered(folder: Path, change: Callable[[LmdbStore], Batch]) -> LmdbStore:
    store = LmdbStore(folder, map_bytes=1 << 28)
    store.write(change(store))
    return store


def get(store: LmdbStore, key: bytes) -> bytes:
    with store.snapshot() as table:
        found = table.get(key)
    assert found is not None
    return found


def another_certificate(store: LmdbStore) -> Batch:
    return {b"C" + number(3): get(store, b"C" + number(2))}


def junk_for_a_certificate(store: LmdbStore) -> Batch:
    del store
    return {b"C" + number(3): b"junk"}


def no_certificate(store: LmdbStore) -> Batch:
    del store
    return {b"C" + number(3): None}


def another_header(store: LmdbStore) -> Batch:
    block = StoredBlock.decode(get(store, b"B" + number(3)))
    forged = replace(block, header=replace(block.header, gas_used=0))
    return {b"B" + number(3): forged.encode()}


def no_block(store: LmdbStore) -> Batch:
    del store
    return {b"B" + number(3): None}


def another_height(store: LmdbStore) -> Batch:
    return {b"B" + number(3): get(store, b"B" + number(2))}


def no_record(store: LmdbStore) -> Batch:
    del store
    return {RECORD: None}


def a_record_of_one(store: LmdbStore) -> Batch:
    record = FoundingRecord.decode(get(store, RECORD))
    return {RECORD: replace(record, signatures={1: record.signatures[1]}).encode()}


def another_record(store: LmdbStore) -> Batch:
    record = FoundingRecord.decode(get(store, RECORD))
    return {RECORD: replace(record, height=Height(3)).encode()}


def begun_again(store: LmdbStore) -> Batch:
    del store
    return {NEWEST: number(0)}


@pytest.mark.parametrize(
    "change",
    [
        another_certificate,
        junk_for_a_certificate,
        no_certificate,
        another_header,
        no_block,
        another_height,
        no_record,
        a_record_of_one,
        another_record,
        begun_again,
    ],
)
async def test_what_does_not_prove_itself_is_not_opened(
    folder: Path, change: Callable[[LmdbStore], Batch]
) -> None:
    store = altered(folder, change)
    with pytest.raises(BrokenArchive):
        open_chain(store, genesis_of())
    store.close()


async def test_a_state_that_is_not_the_certified_one_is_not_opened(folder: Path) -> None:
    def stale(store: LmdbStore) -> Batch:
        batch: Batch = {}
        with store.snapshot() as table:
            for prefix in STATE_PREFIXES:
                batch.update((key, b"x" + value) for key, value in table.scan(prefix, prefix))
        return batch

    store = altered(folder, stale)
    with pytest.raises(BrokenState):
        open_chain(store, genesis_of())
    store.close()


async def test_another_networks_folder_is_not_opened(folder: Path) -> None:
    store = LmdbStore(folder, map_bytes=1 << 28)
    with pytest.raises(BrokenArchive, match="another network"):
        open_chain(store, genesis_of(5))
    store.close()


async def test_a_founded_folder_is_never_begun_anew(folder: Path) -> None:
    store = LmdbStore(folder, map_bytes=1 << 28)
    assert founded(store)
    with pytest.raises(AlreadyFounded, match="another --data"):
        begin(store, genesis_of(5))
    chain = open_chain(store, genesis_of())
    assert chain.tip.height == 3
    assert members_in(store, genesis_of()) == ((1, 2, 3, 4), ())
    chain.close()
    store.close()


def test_a_folder_whose_founding_never_ended_is_begun_anew(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path, map_bytes=1 << 28)
    assert stored_genesis(store) is None
    begin(store, genesis_of(5))
    assert stored_genesis(store) == genesis_of(5)
    assert members_in(store, genesis_of(5)) == ((1, 2, 3, 4, 5), ())
    assert not founded(store)
    begin(store, genesis_of())
    chain = open_chain(store, genesis_of())
    assert chain.tip.height == 0
    assert chain.tip.hash == Hash32(genesis_of().network)
    assert chain.state().root == chain.first_root
    chain.close()
    # Nothing is left of the other one.
    other = LmdbStore(tmp_path / "other", map_bytes=1 << 28)
    open_chain(other, genesis_of()).close()
    with store.snapshot() as one, other.snapshot() as fresh:
        assert list(one.scan(b"", b"")) == list(fresh.scan(b"", b""))
    other.close()
    store.close()
