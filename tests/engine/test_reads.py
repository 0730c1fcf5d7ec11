"""The host answers an enclave's reads from what is on its disk."""

import asyncio
import socket
from contextlib import closing

import pytest

from keymoot.base.errors import BrokenStorage, Malformed, Refused
from keymoot.base.fixed import Address
from keymoot.base.units import Height, Wei
from keymoot.enclave.remote import BrokenRead, Remote
from keymoot.engine.reads import answer, serve_reads
from keymoot.store.journal import Journal
from keymoot.store.questions import NewestQuestion
from keymoot.store.state import State
from keymoot.store.table import MemoryTable, Table
from keymoot.store.trie import EMPTY_ROOT
from tests.enclave.blocks import Socket as Served
from tests.enclave.blocks import busy

PEOPLE = [Address(bytes((n,)) * 20) for n in range(1, 120)]


class Disk:
    """Two states: at height 8 everybody is a wei richer than at 7."""

    def __init__(self) -> None:
        self.tables: dict[int, MemoryTable] = {}
        self.roots = {}
        table, root = MemoryTable(), EMPTY_ROOT
        for height in (7, 8):
            journal = Journal(State(table, root))
            for at, address in enumerate(PEOPLE):
                journal.set_balance(address, Wei(at + height))
            root, batch = State(table, root).updated(journal.changes())
            table = MemoryTable(dict(table.items()))
            table.apply(batch)
            self.tables[height], self.roots[height] = table, root

    def newest(self) -> Height:
        return Height(8)

    def view(self, height: Height) -> Table:
        if height not in self.tables:
            raise Refused("not on this disk")
        return self.tables[height]


async def test_a_state_is_read_at_each_height_that_is_there() -> None:
    near, far = socket.socketpair()
    disk = Disk()
    with closing(near):
        serving = asyncio.create_task(serve_reads(far, disk))
        remote = Remote(near)

        def read() -> None:
            assert remote.newest() == 8
            for height in (7, 8):
                state = State(remote.table(Height(height)), disk.roots[height])
                for at, address in enumerate(PEOPLE):
                    assert state.account(address).balance == at + height
            gone = State(remote.table(Height(6)), disk.roots[7])
            with pytest.raises(Exception, match="missing"):
                gone.account(PEOPLE[0])

        await asyncio.to_thread(read)
    await serving


async def test_an_enclave_executes_blocks_over_a_real_channel() -> None:
    near, far = socket.socketpair()
    source = busy(12)
    disk = Served(source)
    with closing(near):
        serving = asyncio.create_task(serve_reads(far, disk))
        replica = source.replica(Remote(near))

        def run() -> None:
            for height, block in source.blocks.items():
                executed = replica.execute(block)
                assert executed.header == source.done[height].header
                replica.certified(height, executed.header.hash)

        await asyncio.to_thread(run)
        assert replica.tip == source.tips[source.height]
    await serving


async def test_the_channel_ends_with_the_task() -> None:
    near, far = socket.socketpair()
    with closing(near):
        serving = asyncio.create_task(serve_reads(far, Disk()))
        await asyncio.sleep(0)
        serving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await serving
        with pytest.raises(BrokenRead, match="channel"):
            await asyncio.to_thread(Remote(near).newest)


@pytest.mark.parametrize(
    "raw", [b"\xff\xff\xff\xff", b"\0\0\0\1\1", b"\0\0\0\0", b"\0\0\0\1\xc0" * 2]
)
async def test_what_is_no_question_ends_the_channel(raw: bytes) -> None:
    near, far = socket.socketpair()
    with closing(near):
        near.sendall(raw)
        with pytest.raises(Malformed):
            await serve_reads(far, Disk())


async def test_a_question_may_come_in_parts() -> None:
    near, far = socket.socketpair()
    with closing(near):
        near.setblocking(False)
        serving = asyncio.create_task(serve_reads(far, Disk()))
        loop = asyncio.get_running_loop()
        for byte in b"\0\0\0\1\xc0":
            await loop.sock_sendall(near, bytes((byte,)))
            await asyncio.sleep(0.01)
        assert await loop.sock_recv(near, 100) == b"\0\0\0\2\xc1\x08"
    await serving


async def test_a_disk_that_fails_is_told_to_who_serves() -> None:
    class Failing(Disk):
        def newest(self) -> Height:
            raise BrokenStorage("the disk is gone")

    near, far = socket.socketpair()
    with closing(near):
        near.sendall(b"\0\0\0\1\xc0")
        with pytest.raises(BrokenStorage, match="gone"):
            await serve_reads(far, Failing())


def test_a_new_network_is_at_height_0() -> None:
    class New(Disk):
        def newest(self) -> Height:
            return Height(0)

    assert answer(New(), NewestQuestion()) == []
