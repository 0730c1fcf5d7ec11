"""How long a start takes: what an enclave and the server import, and a node's first signature.

Imports are told beside an interpreter that imports nothing: a ratio of processor time, which
other work on the machine changes little.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.row import Row
from bench.version import processor_seconds
from tests.node.running import Running, pay, running, wallet_with_agent

RUNS = 7
PASS, ENCLAVE, SERVER = (
    "pass",
    "import keymoot.enclave.process",
    "import keymoot.cli.main, keymoot.node.server",
)


def measure() -> list[Row]:
    nothing, enclave, server = map(_importing, (PASS, ENCLAVE, SERVER))
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "node") as node:
        restarted = _restart(node)
    return [
        Row("an interpreter that imports nothing: processor time", nothing * 1e3, "ms"),
        Row("what an enclave imports / nothing", enclave / nothing, "ratio"),
        Row("what the server imports / nothing", server / nothing, "ratio"),
        *restarted,
    ]


def _importing(code: str) -> float:
    """Give the median processor seconds of a process; once before, so that all is compiled."""
    times = []
    for _ in range(RUNS + 1):
        before = _children()
        subprocess.run([sys.executable, "-c", code], check=True)
        times.append(_children() - before)
    return statistics.median(times[1:])


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _restart(node: Running) -> list[Row]:
    """Stop a node and start it, to its first answer and its first signature."""
    _, _, account = wallet_with_agent(node, node.owner(), limit=10**12)
    account.sign_transaction(pay(0))
    found = []
    for run in range(1, 4):
        node.stop()
        begin = time.perf_counter()
        node.start()
        answered = time.perf_counter() - begin
        account.sign_transaction(pay(run))
        server, *enclaves = processor_seconds(node)
        found.append((answered, time.perf_counter() - begin, server, sum(enclaves)))
    account.close()
    answer, signature, server, enclaves = (
        statistics.median(one) for one in zip(*found, strict=True)
    )
    name = "keymoot up on a network that is there"
    return [
        Row(f"{name}: to its first answer", answer * 1e3, "ms"),
        Row(f"{name}: to its first signature", signature * 1e3, "ms", 4_000),
        Row("the same: processor time of the server", server * 1e3, "ms"),
        Row("the same: of all enclaves", enclaves * 1e3, "ms"),
    ]
