"""A disk that takes nothing for a while: what was acknowledged is there, and all goes on."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from keymoot.attest.ballot import Ballot, Votes
from keymoot.base.errors import Refused
from keymoot.base.storage import CannotWrite
from keymoot.base.units import Height
from keymoot.engine import local
from keymoot.engine.lmdb_table import LmdbStore
from keymoot.store.table import Batch
from tests.engine.parts import Machine, MemorySigner, transfer
from tests.runtime.people import AGENT, OWNER, STRANGER

BEFORE = 10**24


class Disk:
    """A store whose disk is full while it says so, and counts who knocks."""

    def __init__(self, store: LmdbStore) -> None:
        self.full = False
        self.knocks = 0
        self._store = store
        self._write = store.write
        store.write = self.write  # type: ignore[method-assign]

    def write(self, batch: Batch) -> None:
        if self.full:
            self.knocks += 1
            self._store.shortage = CannotWrite("the ledger", 28)
            raise self._store.shortage
        self._write(batch)


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machine]:
    monkeypatch.setattr(local, "WRITE_AGAIN_SECONDS", 0.01)
    made = Machine(tmp_path / "data")
    yield made
    made.close()


@asynccontextmanager
async def at_work(machine: Machine):
    running = asyncio.create_task(machine.engine.run())
    try:
        yield running
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def balance(machine: Machine) -> int:
    return machine.ledger.state().account(STRANGER.address).balance


async def knocked(disk: Disk, running: asyncio.Task) -> None:
    while disk.knocks < 3:
        assert not running.done(), running
        await asyncio.sleep(0.01)


async def test_a_decided_block_is_held_and_goes_on_by_itself(machine: Machine) -> None:
    await machine.settle()
    disk = Disk(machine.store)
    name = await machine.ledger.submit(transfer(OWNER, 0))
    machine.engine._propose()  # The proposal is on disk, what the block does will not be.
    height = machine.height
    disk.full = True
    async with at_work(machine) as running:
        await knocked(disk, running)
        # Reads see the block before; what was acknowledged waits, as far as anybody can tell.
        assert machine.height == machine.ledger.height() == height
        assert balance(machine) == BEFORE
        assert machine.ledger.transaction(name) is None
        waiting = machine.ledger.waiting(name)
        assert waiting is not None
        assert waiting.hash == name
        assert await machine.ledger.submit(transfer(OWNER, 0)) == name
        assert not machine.engine.waits_for_votes
        with pytest.raises(CannotWrite, match="To do: free some space"):
            await machine.ledger.submit(transfer(AGENT, 0))
        disk.full = False
        assert await machine.ledger.wait_final(name, 60)
        assert balance(machine) == BEFORE + 1
        # It goes on: who was refused asks again.
        again = await machine.ledger.submit(transfer(AGENT, 0))
        assert await machine.ledger.wait_final(again, 60)
    assert balance(machine) == BEFORE + 2
    # One ballot a height: nothing was voted for twice.
    heights = [ballot.height for ballot in machine.signer.signed]
    assert heights == sorted(set(heights))


async def test_a_crash_while_a_block_is_held_signs_the_same_block_again(machine: Machine) -> None:
    await machine.settle()
    disk = Disk(machine.store)
    name = await machine.ledger.submit(transfer(OWNER, 0))
    machine.engine._propose()
    disk.full = True
    async with at_work(machine) as running:
        await knocked(disk, running)
    machine.reopen()
    async with at_work(machine):
        assert await machine.ledger.wait_final(name, 60)
    assert balance(machine) == BEFORE + 1
    by_height: dict[int, set[bytes]] = {}
    for ballot in machine.signer.signed:
        by_height.setdefault(ballot.height, set()).add(ballot.block_id.hash)
    assert all(len(found) == 1 for found in by_height.values())
    assert machine.ledger.block(Height(machine.height)) is not None


async def test_what_waits_when_the_disk_fills_up_is_not_lost(machine: Machine) -> None:
    await machine.settle()
    disk = Disk(machine.store)
    names = [await machine.ledger.submit(transfer(OWNER, nonce)) for nonce in range(3)]
    disk.full = True
    async with at_work(machine) as running:
        await knocked(disk, running)
        assert machine.engine.shortage is not None
        assert all(machine.ledger.waiting(name) for name in names)
        disk.full = False
        for name in names:
            assert await machine.ledger.wait_final(name, 60)
        assert machine.engine.shortage is None
    assert balance(machine) == BEFORE + 3


async def test_a_network_that_begins_on_a_full_disk_waits(machine: Machine) -> None:
    disk = Disk(machine.store)
    disk.full = True
    async with at_work(machine) as running:
        await knocked(disk, running)
        disk.full = False
        async with asyncio.timeout(60):
            assert (await machine.ledger.new_block()).height == 1


class Poor(MemorySigner):
    """A voter whose disk does not take its vote."""

    def __init__(self, signer: MemorySigner, error: Refused) -> None:
        super().__init__(signer.seed)
        self.refusals = 0
        self.error: Refused | None = error

    async def sign(self, ballot: Ballot) -> Votes:
        if self.error is not None:
            self.refusals += 1
            raise self.error
        return await super().sign(ballot)


async def test_voters_whose_disk_is_full_are_waited_for(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.engine.signer.RETRY_SECONDS", 0.0)
    monkeypatch.setattr("keymoot.engine.signer.MAX_ROUNDS", 3)
    await machine.settle()
    poor = Poor(machine.signer, CannotWrite("votes.sealed", 28))
    machine.engine.seat_signer(poor)
    name = await machine.ledger.submit(transfer(OWNER, 0))
    async with at_work(machine) as running:
        while poor.refusals < 9:
            assert not running.done(), running
            await asyncio.sleep(0.01)
        poor.error = None
        assert await machine.ledger.wait_final(name, 60)
    assert balance(machine) == BEFORE + 1


async def test_voters_who_refuse_for_another_reason_stop_the_node(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("keymoot.engine.signer.RETRY_SECONDS", 0.0)
    monkeypatch.setattr("keymoot.engine.signer.MAX_ROUNDS", 3)
    await machine.settle()
    machine.engine.seat_signer(Poor(machine.signer, Refused("no")))
    await machine.ledger.submit(transfer(OWNER, 0))
    with pytest.raises(Refused, match=r"^no$"):
        await machine.engine.run()
