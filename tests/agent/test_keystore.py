"""Owners' keys live in ordinary Ethereum keystores."""

import json
from pathlib import Path

import pytest
from eth_account import Account as EthAccount
from eth_keyfile.keyfile import create_keyfile_json

from keymoot.agent import keystore
from keymoot.agent.keystore import KeystoreUnusable
from keymoot.crypto import secp256k1
from tests.agent.fake_network import secret_of
from tests.engine.disks import fill, small_disk

KEY = secret_of("owner")


def _write(path: Path) -> None:
    """Write a keystore that opens quickly."""
    made = create_keyfile_json(KEY.expose(), b"password", kdf="pbkdf2", iterations=1_000)
    path.write_text(json.dumps(made))


def test_opens_anyones_keystore(tmp_path: Path) -> None:
    _write(tmp_path / "owner.json")
    assert keystore.load(tmp_path / "owner.json", "password").expose() == KEY.expose()


def test_writes_a_keystore_that_others_open(tmp_path: Path) -> None:
    path = tmp_path / "owner.json"
    keystore.save(path, KEY, "pässword")
    assert path.stat().st_mode & 0o777 == 0o600
    document = json.loads(path.read_text())
    assert EthAccount.decrypt(document, "pässword") == KEY.expose()
    assert document["address"] == secp256k1.address_of_secret(KEY).hex()
    # Whoever finds the file tries passwords: as slowly as geth's default has it.
    cost = document["crypto"]["kdfparams"]
    assert cost["n"] * cost["r"] * cost["p"] >= 1 << 21
    with pytest.raises(KeystoreUnusable, match="exists"):
        keystore.save(path, KEY, "password")


def test_says_which_of_the_three_is_wrong(tmp_path: Path) -> None:
    path = tmp_path / "owner.json"
    with pytest.raises(KeystoreUnusable, match="keymoot key new"):
        keystore.load(path, "password")
    _write(path)
    with pytest.raises(KeystoreUnusable, match="does not open"):
        keystore.load(path, "other")
    path.write_text("{")
    with pytest.raises(KeystoreUnusable, match="not JSON"):
        keystore.load(path, "password")


@pytest.mark.parametrize(
    "text", ["{}", "[]", "5", '{"version":3}', '{"version":3,"crypto":{}}', '{"version":9}']
)
def test_what_is_no_keystore_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "owner.json").write_text(text)
    with pytest.raises(KeystoreUnusable):
        keystore.load(tmp_path / "owner.json", "password")


def _keystore() -> dict:
    return create_keyfile_json(KEY.expose(), b"password", kdf="pbkdf2", iterations=1_000)


def _set(document: dict, path: str, value: object) -> dict:
    *outer, last = path.split(".")
    at = document
    for name in outer:
        at = at[name]
    at[last] = value
    return document


@pytest.mark.parametrize("value", [None, 5, "", "zz", [], {}, "00", -1, 2**70, "é"])
@pytest.mark.parametrize(
    "field",
    [
        "version",
        "crypto",
        "crypto.kdf",
        "crypto.cipher",
        "crypto.ciphertext",
        "crypto.mac",
        "crypto.kdfparams",
        "crypto.kdfparams.c",
        "crypto.kdfparams.dklen",
        "crypto.kdfparams.prf",
        "crypto.kdfparams.salt",
        "crypto.cipherparams",
        "crypto.cipherparams.iv",
    ],
)
def test_whatever_is_damaged_is_a_clear_error(tmp_path: Path, field: str, value: object) -> None:
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(_set(_keystore(), field, value)))
    with pytest.raises(KeystoreUnusable, match=str(path)):
        keystore.load(path, "password")


@pytest.mark.parametrize(
    "changes",
    [
        {"kdfparams.c": 10**12},
        {"kdfparams.dklen": 5_000_000},
        {"kdfparams.dklen": 65},
        {"kdf": "scrypt", "kdfparams": {"n": 2**30, "r": 8, "p": 1, "dklen": 32, "salt": "00"}},
        {"kdf": "scrypt", "kdfparams": {"n": 2, "r": 8, "p": 2**40, "dklen": 32, "salt": "00"}},
    ],
)
def test_a_keystore_that_would_take_for_ever_is_refused(tmp_path: Path, changes: dict) -> None:
    made = _keystore()
    for name, value in changes.items():
        _set(made, f"crypto.{name}", value)
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(made))
    with pytest.raises(KeystoreUnusable, match="more memory or time"):
        keystore.Keystore(path)


@pytest.mark.parametrize("length", [1, 16, 31])
def test_a_keystore_whose_password_proves_nothing_is_damaged(tmp_path: Path, length: int) -> None:
    """The check value is made with bytes 16 to 31 of what the password gives."""
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(_set(_keystore(), "crypto.kdfparams.dklen", length)))
    with pytest.raises(KeystoreUnusable, match="is damaged"):
        keystore.Keystore(path)


def test_a_keystore_of_another_address_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "owner.json"
    path.write_text(json.dumps(_keystore() | {"address": "0x" + "11" * 20}))
    with pytest.raises(KeystoreUnusable, match="another address"):
        keystore.load(path, "password")


def test_a_full_disk_leaves_no_half_keystore(tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk", 8_192) as disk:
        fill(disk)
        path = disk / "owner.json"
        with pytest.raises(KeystoreUnusable, match="the disk is full"):
            keystore.save(path, KEY, "password")
        assert not path.exists()
