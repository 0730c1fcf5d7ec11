"""What one version of the node does with requests: a script that runs in either version's place.

It is started with the interpreter and in the folder of the version that it measures, so it uses
only what both have. It prints one JSON object; times in milliseconds, seconds where it says so.

PYTHONPATH=. python -P bench/version.py [SECONDS]
"""

import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from keymoot.agent.account import Account
from keymoot.agent.credential import Credential
from keymoot.agent.owner import Owner
from tests.node.running import Running, pay, running, wallet_with_agent

SECONDS = 30.0
REQUESTERS = 16
ALONE = 200
PAUSES = 5
SETTLE_SECONDS = 10


def main() -> None:
    """Measure, and say what was found."""
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "node") as node:
        owner = node.owner()
        _, credential, account = wallet_with_agent(node, owner, limit=10**15)
        account.sign_transaction(pay(0))
        time.sleep(SETTLE_SECONDS)
        found = _alone(node, account) | _together(node, credential, seconds)
        found["pause idle"] = _pauses(owner, credential)
        crew = Crew(node, credential)
        time.sleep(2)
        found["pause under load"] = _pauses(owner, credential)
        crew.end()
        node.stop()
        begin = time.monotonic()
        node.start()
        Account(credential, node.url).sign_transaction(pay(10**9))
        found["restart seconds"] = time.monotonic() - begin
    print(json.dumps(found))


class Crew:
    """Requesters that ask one after the other until they are told to end."""

    def __init__(self, node: Running, credential: Credential) -> None:
        """Begin."""
        self.took: list[float] = []
        self.refused = 0
        self._account = Account(credential, node.url)
        self._number, self._over, self._lock = 10**6, False, threading.Lock()
        self._crew = [threading.Thread(target=self._work) for _ in range(REQUESTERS)]
        for one in self._crew:
            one.start()

    def end(self) -> None:
        """Let all end what they have begun."""
        self._over = True
        for one in self._crew:
            one.join()

    def _work(self) -> None:
        while not self._over:
            with self._lock:
                self._number += 1
                number = self._number
            begin = time.perf_counter()
            try:
                self._account.sign_transaction(pay(number))
            except Exception:  # noqa: BLE001
                # A wallet that is paused says no.
                self.refused += 1
                time.sleep(0.01)
            else:
                self.took.append((time.perf_counter() - begin) * 1e3)


def _alone(node: Running, account: Account) -> dict[str, float]:
    times, before, own = [], processor_seconds(node), time.process_time()
    for number in range(1, ALONE + 1):
        begin = time.perf_counter()
        account.sign_transaction(pay(number))
        times.append((time.perf_counter() - begin) * 1e3)
    own = time.process_time() - own
    return {
        "alone p50": statistics.median(times),
        "alone p95": sorted(times)[int(0.95 * ALONE)],
        **_spent("alone", before, processor_seconds(node), own, ALONE),
    }


def _together(node: Running, credential: Credential, seconds: float) -> dict[str, float]:
    before, size, own = processor_seconds(node), bytes_on_disk(node), time.process_time()
    begin = time.monotonic()
    crew = Crew(node, credential)
    time.sleep(seconds)
    crew.end()
    passed, own = time.monotonic() - begin, time.process_time() - own
    count = len(crew.took)
    return {
        "rate": count / passed,
        "refused": crew.refused,
        "together p50": statistics.median(crew.took),
        "together p95": sorted(crew.took)[int(0.95 * count)],
        "disk bytes": (bytes_on_disk(node) - size) / count,
        **_spent("together", before, processor_seconds(node), own, count),
    }


def _pauses(owner: Owner, credential: Credential) -> float:
    """Give the median milliseconds from a pause that is asked for to its being certified."""
    times = []
    for _ in range(PAUSES):
        begin = time.perf_counter()
        owner.pause(credential.wallet)
        times.append((time.perf_counter() - begin) * 1e3)
        owner.resume(credential.wallet)
    return statistics.median(times)


def _spent(
    name: str, before: list[float], after: list[float], own: float, count: int
) -> dict[str, float]:
    """Give what a signature took of the processors, in all processes and in one machine's."""
    node, *enclaves = (b - a for a, b in zip(before, after, strict=True))
    one = sum(enclaves) / len(enclaves)
    return {
        f"{name} processor": (node + sum(enclaves) + own) / count * 1e3,
        f"{name} processor, one enclave": (node + one + own) / count * 1e3,
        f"{name} node": node / count * 1e3,
        f"{name} enclave": one / count * 1e3,
        f"{name} requester": own / count * 1e3,
    }


def processor_seconds(node: Running) -> list[float]:
    """Give the seconds that the node, and each enclave, has used of the processors."""
    assert node.process is not None
    found = []
    for pid in (node.process.pid, *sorted(node.enclaves())):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        found.append((int(fields[11]) + int(fields[12])) / 100)
    return found


def bytes_on_disk(node: Running) -> int:
    """Give what the data folder takes."""
    return sum(one.stat().st_blocks * 512 for one in node.data.rglob("*") if one.is_file())


if __name__ == "__main__":
    main()
