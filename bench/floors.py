"""What nothing of ours can be faster than: one signature, one synced write, one process start."""

import subprocess
import sys
import tempfile
from pathlib import Path

import lmdb
from coincurve import PrivateKey

from bench.row import Row, median_seconds


def measure() -> list[Row]:
    key = PrivateKey(b"\x01" * 32)
    signature = median_seconds(lambda: key.sign_recoverable(b"\x02" * 32, hasher=None), 2_000)
    rows = [Row("floor: coincurve signature", signature * 1e6, "µs")]
    with tempfile.TemporaryDirectory() as folder:
        env = lmdb.open(folder, map_size=1 << 26)
        count = iter(range(10**9))

        def write() -> None:
            with env.begin(write=True) as transaction:
                transaction.put(next(count).to_bytes(8, "big"), b"x" * 100)

        rows.append(Row("floor: LMDB commit, synced", median_seconds(write, 300) * 1e3, "ms"))
        env.close()
    command = [str(Path(sys.executable).with_name("keymoot")), "--help"]

    def show_help() -> None:
        subprocess.run(command, capture_output=True, check=True)

    rows.append(Row("keymoot --help", median_seconds(show_help, 9) * 1e3, "ms", 300))
    return rows
