"""The same blocks give the same headers, whatever the process hashes by."""

import os
import subprocess
import sys

SCRIPT = """
from tests.runtime.people import *
scenario = Scenario().ready(limit=10_000)
for n in range(5):
    names = [bytes([n, i]) * 16 for i in range(8)]
    raws = [scenario.request(payment(i + n, nonce=i).unsigned_bytes(), name=name)[0]
            for i, name in enumerate(names)]
    scenario.chain.send_together(raws)
    scenario.rule(policy(10_000 + n))
    scenario.send(STRANGER, "create", bytes([n]) * 32, RECOVERY, value=10**20)
print("".join(one.header.hash.hex() for one in scenario.chain.blocks))
"""


def test_two_processes_with_different_hash_seeds_agree() -> None:
    found = set()
    for seed in ("0", "1", "4242"):
        done = subprocess.run(
            [sys.executable, "-c", SCRIPT],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        )
        found.add(done.stdout)
    assert len(found) == 1
    assert len(found.pop().strip()) == (3 + 5 * 3) * 64
