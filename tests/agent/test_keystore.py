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
