"""Executing a policy-checked request, and the messages that refill the stock behind it.

A chain of a committee is taken down once and executed again and again, as an enclave's replica
does it: signatures recovered, policy decided, presignature bound, state and receipts hashed.
"""

import tempfile
import time
from pathlib import Path

from bench.row import Row
from keymoot.committee.presign.ledger import BATCH_SIZE
from keymoot.runtime.block import Block
from tests.enclave.network import Network
from tests.enclave.recorded import REQUESTS, Replay, record

BLOCKS, RUNS = 16, 15


def measure() -> list[Row]:
    with tempfile.TemporaryDirectory() as folder:
        network = Network(Path(folder)).found()
        taken = record(network, network.play(10**9), BLOCKS)
    requests, others = [], []
    for _ in range(RUNS):
        replay = Replay(taken)
        spent: dict[bool, float] = {True: 0, False: 0}
        for block in taken.blocks:
            begin = time.process_time()
            executed = replay.execute(block)
            spent[_asks(block)] += time.process_time() - begin
            replay.keep(executed)
        requests.append(spent[True] / (BLOCKS * REQUESTS))
        others.append(spent[False] / (BLOCKS * REQUESTS // BATCH_SIZE))
    return [
        # The least of all runs: whatever else the machine does only adds.
        Row("executing a policy-checked request, of ten in a block", min(requests) * 1e3, "ms"),
        Row(f"executing what {BATCH_SIZE} presignatures take", min(others) * 1e3, "ms"),
    ]


def _asks(block: Block) -> bool:
    """Tell a block of requests from one of what members say."""
    return len(block.transactions) == REQUESTS
