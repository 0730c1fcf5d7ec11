"""The search for keys finds what is there, and says where."""

import base64
import zlib
from pathlib import Path

import pytest

from demo.search import VAULTS_CELLS, find_key, places
from keymoot.base import rlp
from keymoot.base.secret import Secret
from keymoot.crypto.secp256k1 import address_of_secret
from keymoot.engine.lmdb_table import LmdbStore

KEY = bytes(range(60, 92))
ACCOUNT = address_of_secret(Secret(KEY))
NOISE = b"noise" * 900

FORMS = {
    "raw": KEY,
    "reversed": KEY[::-1],
    "hex": KEY.hex().encode(),
    "reversed hex": KEY[::-1].hex().upper().encode(),
    "base64": base64.b64encode(KEY),
    "base64 for URLs": base64.urlsafe_b64encode(KEY),
    "decimal": str(int.from_bytes(KEY, "big")).encode(),
}


def _ledger(folder: Path, entries: dict[bytes, bytes | None]) -> None:
    store = LmdbStore(folder, 1 << 24)
    store.write(entries)
    store.close()


@pytest.mark.parametrize("form", FORMS)
def test_a_key_in_a_file_is_found_in_every_form(tmp_path: Path, form: str) -> None:
    around = b"\xff and \xfe" if "ersed" in form or form == "raw" else b" and "
    (tmp_path / "file").write_bytes(NOISE + around + FORMS[form] + around + NOISE)
    key, tried = find_key(tmp_path, ACCOUNT)
    assert key is not None
    assert key.expose() == KEY
    assert tried >= 1
    assert places(tmp_path, key) == ["file"]


@pytest.mark.parametrize("before", range(3))
def test_a_known_key_is_found_within_longer_base64(tmp_path: Path, before: int) -> None:
    (tmp_path / "file").write_bytes(base64.b64encode(b"x" * (30 + before) + KEY + b"y" * 40))
    assert places(tmp_path, Secret(KEY)) == ["file"]


def test_where_there_is_no_key_none_is_found(tmp_path: Path) -> None:
    other = bytes(range(160, 192))
    (tmp_path / "file").write_bytes(NOISE + other + NOISE)
    _ledger(tmp_path, {VAULTS_CELLS + b"cell": other})
    found, tried = find_key(tmp_path, ACCOUNT)
    assert found is None
    assert tried > 2
    assert places(tmp_path, Secret(KEY)) == []


def test_vaults_cells_are_tried_first(tmp_path: Path) -> None:
    others = {b"a%d" % at: bytes(range(at, at + 40)) for at in range(100)}
    _ledger(tmp_path, {**others, VAULTS_CELLS + b"cell": b"\1" * 20 + KEY + bytes(4)})
    key, tried = find_key(tmp_path, ACCOUNT)
    assert key is not None
    assert tried < 100


def test_lists_and_compressed_entries_are_taken_apart(tmp_path: Path) -> None:
    block = rlp.encode([b"\2" * 900, [b"head", [b"\3", b"\4" * 30 + KEY]], b"\5" * 900])
    _ledger(tmp_path, {b"B1": zlib.compress(block)})
    key, _ = find_key(tmp_path, ACCOUNT)
    assert key is not None
    assert places(tmp_path, key) == ["the ledger's entries"]


def test_what_is_too_long_to_be_tried_is_still_looked_at_for_a_known_key(tmp_path: Path) -> None:
    _ledger(tmp_path, {b"D1": b"\6" * 500 + KEY + b"\7" * 500})
    assert find_key(tmp_path, ACCOUNT)[0] is None
    assert "the ledger's entries" in places(tmp_path, Secret(KEY))
