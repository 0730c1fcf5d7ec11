"""The ledger's file, when it is not what was written."""

import os
from pathlib import Path

import pytest

from keymoot.engine.lmdb_table import LedgerDamaged, LmdbStore

PAGE = 4_096


def test_a_damaged_file_says_so(tmp_path: Path) -> None:
    store = LmdbStore(tmp_path)
    keys = [number.to_bytes(4, "big") for number in range(2_000)]
    store.write({key: os.urandom(200) for key in keys})
    store.close()
    path = tmp_path / "ledger.mdb"
    raw = bytearray(path.read_bytes())
    # Pages 0 and 1 say where the tree begins; what is behind them is written over.
    raw[2 * PAGE :] = b"\xff" * len(raw[2 * PAGE :])
    path.write_bytes(raw)
    with LmdbStore(tmp_path).snapshot() as table, pytest.raises(LedgerDamaged, match="damaged"):
        for key in keys:
            table.get(key)
