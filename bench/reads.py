"""An enclave on its host's reads: what one costs between two processes, and what a block does."""

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.row import Row, median_seconds
from keymoot.base.units import Height
from keymoot.enclave.remote import Remote
from keymoot.engine.reads import serve_reads
from keymoot.store.state import State
from keymoot.store.table import MemoryTable
from keymoot.store.trie import NodeCache
from tests.enclave.blocks import Blocks, Socket, state_keys, transition_with
from tests.runtime.people import OWNER, Scenario, payment

REQUESTS, RUNS = 60, 1_000


def measure() -> list[Row]:
    blocks, begun = requests()
    with host(blocks) as remote:
        return [*_reads(blocks, remote), *_execution(blocks, begun, remote)]


def requests() -> tuple[Blocks, Height]:
    """Give blocks with one request each, and the height before the first of them."""
    blocks = Blocks()
    scenario = Scenario(blocks).ready(10**6)
    begun = blocks.height
    for value in range(REQUESTS):
        wish, _ = scenario.request(payment(value).unsigned_bytes())
        assert blocks.send(wish).status == 1
    return blocks, begun


@contextmanager
def host(blocks: Blocks) -> Iterator[Remote]:
    """Serve the blocks' states from another process."""
    near, far = socket.socketpair()
    child = os.fork()
    if child == 0:
        near.close()
        try:
            asyncio.run(serve_reads(far, Socket(blocks)))
        finally:
            os._exit(0)
    far.close()
    try:
        yield Remote(near)
    finally:
        near.close()
        os.waitpid(child, 0)


def _reads(blocks: Blocks, remote: Remote) -> list[Row]:
    height, address = blocks.height, OWNER.address
    far, near = remote.table(height), blocks.tables[height]
    root = blocks.tips[height].state_root
    trip = median_seconds(remote.newest, RUNS)
    cold, beside = (
        median_seconds(lambda table=table: State(table, root, NodeCache(64)).account(address), RUNS)
        for table in (far, near)
    )
    return [
        Row("a read's way from an enclave to its host and back", trip * 1e6, "µs"),
        Row("an account that an enclave reads cold", cold * 1e6, "µs"),
        Row("the same / from a table beside", cold / beside, "ratio"),
    ]


def _execution(blocks: Blocks, begun: Height, remote: Remote) -> list[Row]:
    replica, cache = blocks.replica(remote, begun), NodeCache()
    transition = transition_with(state_keys())
    table, tip = MemoryTable(dict(blocks.tables[begun].items())), blocks.tips[begun]
    enclave, plain, walls = [], [], []
    for height in range(begun + 1, blocks.height + 1):
        block = blocks.blocks[Height(height)]
        wall, start = time.perf_counter(), time.process_time()
        executed = replica.execute(block)
        enclave.append(time.process_time() - start)
        walls.append(time.perf_counter() - wall)
        replica.certified(Height(height), executed.header.hash)
        start = time.process_time()
        state = State(table, tip.state_root, cache)
        done = transition.execute(state, tip, block)
        plain.append(time.process_time() - start)
        table.apply(done.writes)
        tip = done.tip
        assert tip == executed.tip
    return [
        Row("a block of one request, executed in an enclave", median(walls) * 1e3, "ms"),
        # By the processor's time: blocks after the first wait for no read, and others run beside.
        Row("the same / by the runtime alone, work", median(enclave) / median(plain), "ratio", 1.5),
        Row("its first block, all of it cold", walls[0] * 1e3, "ms"),
    ]
