"""Ten minutes of load: what rate holds, and whose processor time a signature takes.

python -m bench load [MINUTES]
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from bench.row import Row
from bench.version import bytes_on_disk, processor_seconds
from tests.node.running import Running, running, wallet_with_agent

MINUTES = 10.0
REQUESTERS = 16
SHOW_SECONDS = 30
SETTLE_SECONDS = 10
"""So that the stock is there, as in a network that has run for a while."""

WORKER = """
import json, sys, threading, time
from pathlib import Path
from keymoot.agent.account import Account
from keymoot.agent.credential import Credential
from tests.node.running import pay
url, path, seconds, threads, show = sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:])
account = Account(Credential.load(path), url)
account.sign_transaction(pay(1))
took, errors, lock, numbers = [], [], threading.Lock(), iter(range(2, 10**9))
end = time.monotonic() + seconds
def work():
    while time.monotonic() < end:
        with lock:
            number = next(numbers)
        begin = time.perf_counter()
        try:
            account.sign_transaction(pay(number))
        except Exception as error:
            errors.append(type(error).__name__)
        else:
            took.append(time.perf_counter() - begin)
cpu, begin = time.process_time(), time.monotonic()
crew = [threading.Thread(target=work) for _ in range(int(threads))]
for one in crew: one.start()
done = 0
while any(one.is_alive() for one in crew):
    for one in crew: one.join(show / len(crew))
    if time.monotonic() < end:
        print(json.dumps({"rate": (len(took) - done) / show}), flush=True)
    done = len(took)
print(json.dumps({"took": took, "errors": errors, "cpu": time.process_time() - cpu,
                  "seconds": time.monotonic() - begin}), flush=True)
"""


def measure(minutes: float = MINUTES) -> list[Row]:
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "node") as node:
        _, credential, _ = wallet_with_agent(node, node.owner(), limit=10**15)
        credential.save(Path(folder) / "bench.cred")
        time.sleep(SETTLE_SECONDS)
        before, size = processor_seconds(node), bytes_on_disk(node)
        told, rates = _work(node, Path(folder) / "bench.cred", 60 * minutes)
        spent = [after - one for after, one in zip(processor_seconds(node), before, strict=True)]
        size = bytes_on_disk(node) - size
    took = sorted(told["took"])
    count = len(took)
    name = f"{minutes:g} minutes, {REQUESTERS} requesters"
    return [
        Row(f"{name}: signatures", count / told["seconds"], "per second", 100, "higher"),
        Row(f"{name}: the slowest {SHOW_SECONDS} seconds", min(rates, default=0), "per second"),
        Row(f"{name}: signatures in all", count, ""),
        Row(f"{name}: errors", len(told["errors"]), "", 0),
        Row(f"{name}: p50", statistics.median(took) * 1e3, "ms"),
        Row(f"{name}: p95", took[int(0.95 * count)] * 1e3, "ms"),
        Row("kept on disk for a signature", size / count / 1e3, "KB"),
        Row("processor time of a signature: the node", spent[0] / count * 1e3, "ms"),
        Row(
            "the same: all enclaves, next presignature included", sum(spent[1:]) / count * 1e3, "ms"
        ),
        Row("the same: the requester", told["cpu"] / count * 1e3, "ms"),
    ]


def _work(node: Running, credential: Path, seconds: float) -> tuple[dict, list[float]]:
    """Let requesters work in a process of their own; give what they found, and rates by the way."""
    arguments = [node.url, str(credential), str(seconds), str(REQUESTERS), str(SHOW_SECONDS)]
    rates: list[float] = []
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, *arguments], stdout=subprocess.PIPE, text=True
    ) as worker:
        for line in worker.stdout:
            told = json.loads(line)
            if "took" in told:
                return told, rates
            rates.append(told["rate"])
            Console().print(f"  {told['rate']:.1f} signatures a second")
    raise RuntimeError("the requesters ended before they were done")
