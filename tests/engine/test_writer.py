"""The one write of a block.

Nobody hears before it, a full disk is waited for, readers see whole.
"""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.engine import writer
from keymoot.engine.chain_store import HELD_SNAPSHOTS
from keymoot.engine.lmdb_table import MAX_READERS, LmdbStore
from keymoot.store.table import Batch
from tests.engine.committee import message
from tests.engine.house import PATIENCE_SECONDS, House
from tests.engine.parts import transfer
from tests.runtime.people import AGENT, OWNER, STRANGER

BEFORE = 10**24
PEOPLE = (OWNER, AGENT, STRANGER)


class Disk:
    """A store whose disk is full while it says so, and counts who knocks."""

    def __init__(self, store: LmdbStore) -> None:
        self.full = False
        self.knocks = 0
        self._store, self._write = store, store.write
        store.write = self.write  # type: ignore[method-assign]

    def write(self, batch: Batch) -> None:
        if self.full:
            self.knocks += 1
            self._store.shortage = CannotWrite("the ledger", 28)
            raise self._store.shortage
        self._write(batch)


@pytest.fixture
async def house(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(writer, "WRITE_AGAIN_SECONDS", 0.01)
    made = House(tmp_path / "data")
    await made.found()
    yield made
    made.close()


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not true():  # noqa: ASYNC110  no event tells it
            await asyncio.sleep(0.01)


def balance(house: House) -> int:
    return house.ledger.state().account(STRANGER.address).balance


async def test_nobody_hears_of_a_block_before_it_is_on_disk(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, write, told = threading.Event(), house.store.write, []
    monkeypatch.setattr(
        house.store, "write", lambda batch: (gate.wait(PATIENCE_SECONDS), write(batch))
    )
    house.sequencer.on_written(lambda covered: told.append(covered.newest.height))
    async with house.at_work():
        name = await house.ledger.submit(transfer(OWNER, 0))
        waiting = asyncio.create_task(house.ledger.wait(name, PATIENCE_SECONDS))
        block = asyncio.create_task(house.ledger.new_block())
        await until(lambda: all(one.certified == 2 for one in house.replicas.values()))
        other = await house.ledger.submit(transfer(AGENT, 0))
        # While it is written, replicas execute the next one; nothing is said of either.
        await until(lambda: all(one.executed == 3 for one in house.replicas.values()))
        assert not any(one.certified == 3 for one in house.replicas.values())
        assert house.ledger.height() == house.ledger.block_environment().height == 1
        assert house.ledger.block(Height(2)) is None
        assert house.ledger.transaction(name) is None
        assert house.ledger.waiting(name).hash == name
        assert await house.ledger.submit(transfer(OWNER, 0)) == name
        assert balance(house) == BEFORE
        assert {height for _, height, _ in house.answers} <= {1}
        assert not waiting.done()
        assert not block.done()
        assert not told
        gate.set()
        assert (await waiting).block.height == 2
        assert (await block).height == 2
        assert (await house.included(other)).block.height == 3
        await until(lambda: len([1 for _, height, _ in house.answers if height == 2]) == 4)
    assert told == [2, 3]


async def test_the_same_senders_next_transaction_waits_for_the_write(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, write = threading.Event(), house.store.write
    monkeypatch.setattr(
        house.store, "write", lambda batch: (gate.wait(PATIENCE_SECONDS), write(batch))
    )
    async with house.at_work():
        first = await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: all(one.certified == 2 for one in house.replicas.values()))
        second = await house.ledger.submit(transfer(OWNER, 1))
        third = await house.ledger.submit(transfer(AGENT, 0))
        await until(lambda: house.sequencer.tail.top == 3)
        assert house.sequencer.tail.names() == {first, third}
        gate.set()
        assert (await house.included(second)).block.height == 4
    assert balance(house) == BEFORE + 3


async def test_a_certified_block_is_held_while_the_disk_is_full_and_goes_on_by_itself(
    house: House,
) -> None:
    disk = Disk(house.store)
    name = await house.ledger.submit(transfer(OWNER, 0))
    disk.full = True
    async with house.at_work() as running:
        await until(lambda: disk.knocks > 2)
        assert not running.done()
        # Reads see the block before; what was acknowledged waits, as far as anybody can tell.
        assert house.ledger.height() == 1
        assert balance(house) == BEFORE
        assert house.ledger.transaction(name) is None
        assert house.ledger.waiting(name).hash == name
        assert await house.ledger.submit(transfer(OWNER, 0)) == name
        with pytest.raises(CannotWrite, match="To do: free some space"):
            await house.ledger.submit(transfer(AGENT, 0))
        # What enclaves say is not said again: it is taken all the same.
        said = await house.ledger.submit(message(house.genesis, 2, body=b"1"))
        disk.full = False
        assert (await house.included(name)).block.height == 2
        await house.included(said)
        await house.include(transfer(AGENT, 0))
    assert balance(house) == BEFORE + 2
    assert all(list(one.signed) == [2, 3, 4] for one in house.replicas.values())


async def test_a_crash_while_a_block_is_held_loses_nothing_that_was_acknowledged(
    house: House,
) -> None:
    async with house.at_work():
        await house.include(transfer(OWNER, 0))
    disk = Disk(house.store)
    await house.ledger.submit(transfer(OWNER, 1))
    disk.full = True
    async with house.at_work():
        await until(lambda: disk.knocks > 2)
    house.reopen()
    assert house.ledger.height() == 2
    assert balance(house) == BEFORE + 1
    async with house.at_work():
        await house.include(transfer(OWNER, 1))
    assert balance(house) == BEFORE + 2


async def test_a_network_is_founded_once_the_disk_takes_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "WRITE_AGAIN_SECONDS", 0.01)
    house = House(tmp_path / "data")
    disk = Disk(house.store)
    disk.full = True
    async with house.at_work() as running:
        await house.ledger.submit(house.word())
        await until(lambda: disk.knocks > 2)
        assert not running.done()
        assert not any(one.certificates for one in house.replicas.values())
        disk.full = False
        await until(lambda: house.ledger.height() == 1)
    house.close()


async def test_who_is_cancelled_in_a_write_waits_for_its_end(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, write, ended = threading.Event(), house.store.write, []

    def slow(batch: Batch) -> None:
        gate.wait(PATIENCE_SECONDS)
        write(batch)
        ended.append(True)

    monkeypatch.setattr(house.store, "write", slow)
    async with house.at_work() as running:
        await house.ledger.submit(transfer(OWNER, 0))
        await until(lambda: all(one.certified == 2 for one in house.replicas.values()))
        running.cancel()
        await asyncio.sleep(0)
        assert not running.done()
        gate.set()
        await asyncio.wait([running])
    assert ended
    # It was written and nobody was told: whoever opens the folder sees it.
    house.reopen()
    assert house.ledger.height() == 2


async def test_readers_see_one_blocks_whole_state_whatever_comes_meanwhile(house: House) -> None:
    seen: list[int] = []

    async def read() -> None:
        while True:
            state, height = house.ledger.state(), house.ledger.height()
            balances = []
            for one in PEOPLE:
                balances.append(state.account(one.address).balance)
                await asyncio.sleep(0.001)
            # A payment of 1 has a fee of 21000 gwei, burned; both are in the state or none.
            assert balances[2] - BEFORE == height - 1
            assert sum(balances) == 3 * BEFORE - (height - 1) * 21_000 * 10**9
            again = house.ledger.state_at(Height(height))
            assert again.root == state.root
            seen.append(height)

    async with house.at_work(), asyncio.TaskGroup() as group:
        readers = [group.create_task(read()) for _ in range(4)]
        for nonce in range(30):
            await house.include(transfer(OWNER, nonce))
        for one in readers:
            one.cancel()
    assert len(set(seen)) > 5


async def test_states_that_are_read_for_long_never_stop_the_chain(house: House) -> None:
    held = []
    async with house.at_work():
        for nonce in range(HELD_SNAPSHOTS + 2 * MAX_READERS + 4):
            held.append((house.ledger.height(), house.ledger.state()))
            await house.include(transfer(OWNER, nonce))
    # The last of them are whole. LMDB rounds the room for its readers up, not to twice as many.
    for height, state in held[-HELD_SNAPSHOTS:]:
        assert state.account(OWNER.address).nonce == height - 1
        assert state.account(STRANGER.address).balance == BEFORE + height - 1
    held.clear()
    assert balance(house) == BEFORE + HELD_SNAPSHOTS + 2 * MAX_READERS + 4
