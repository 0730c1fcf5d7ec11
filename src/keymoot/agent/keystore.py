"""The owner's key on disk: an ordinary Ethereum keystore (Web3 Secret Storage, V3)."""

import json
import os
import stat
from pathlib import Path
from typing import Any

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from keymoot.agent.new_file import write_new
from keymoot.base.errors import Malformed, Refused
from keymoot.base.secret import Secret
from keymoot.base.storage import CannotWrite
from keymoot.crypto import secp256k1

MAX_FILE_BYTES = 16_384

MAX_SCRYPT_BYTES = 1 << 30
"""Memory that a keystore may make us use, 128·n·r; geth's own take a quarter of it."""

MAX_PBKDF2_ROUNDS = 10_000_000
"""Rounds that a keystore may make us do, some ten seconds; usual are 262,144."""

MIN_DERIVED_BYTES, MAX_DERIVED_BYTES = 32, 64
"""What a keystore may derive of a password. Wallets derive 32 bytes, of which the last 16 prove the
password; each 32 more take all the rounds again."""

_MAX_PARALLEL = 16
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")


class KeystoreUnusable(Refused, code="KEYSTORE_UNUSABLE"):
    """The keystore is missing, no keystore, or the password does not open it."""


class Keystore:
    """A keystore that was read; its password may be asked for now."""

    def __init__(self, path: Path) -> None:
        """Read the file, made by `keymoot key new`, geth, or any wallet."""
        self._path = path
        self._document = _read(path)
        _check(self._document, path)

    def open(self, password: str) -> Secret:
        """Give the key. The password is from a prompt or a file, never from the command line."""
        try:
            raw = password.encode()
        except UnicodeEncodeError as error:
            raise KeystoreUnusable("the password is no text: type it again") from error
        try:
            opened = decode_keyfile_json(self._document, raw)
            key = secp256k1.check_private_key(Secret(opened))
        except ValueError as error:
            if "MAC mismatch" in str(error):
                raise KeystoreUnusable(
                    f"{self._path} does not open: the password is wrong"
                ) from error
            raise _damaged(self._path) from error
        except (Malformed, *_OF_OTHERS) as error:
            raise _damaged(self._path) from error
        address = self._document.get("address")
        if address and address.lower().removeprefix("0x") != secp256k1.address_of_secret(key).hex():
            raise KeystoreUnusable(
                f"{self._path} says that it is of another address than its key's: it was altered"
            )
        return key


_OF_OTHERS = (
    KeyError,
    TypeError,
    NotImplementedError,
    AttributeError,
    AssertionError,
    OverflowError,
    MemoryError,
)
"""What eth-keyfile raises, beside ValueError, where a field is something else."""


def load(path: Path, password: str) -> Secret:
    return Keystore(path).open(password)


def save(path: Path, key: Secret, password: str) -> None:
    """Write a new keystore with mode 0600; never overwrites. Takes about a second (scrypt)."""
    document = create_keyfile_json(key.expose(), password.encode(), kdf="scrypt")
    document["address"] = secp256k1.address_of_secret(key).hex()
    try:
        write_new(path, json.dumps(document).encode())
    except CannotWrite as error:
        raise KeystoreUnusable(str(error)) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                raise KeystoreUnusable(f"{path} is no keystore: it is not a file")
            raw = file.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError as error:
        raise KeystoreUnusable(
            f"{path} is not there: name your keystore, or make one with `keymoot key new {path}`"
        ) from error
    except IsADirectoryError as error:
        raise KeystoreUnusable(f"{path} is no keystore: it is a folder") from error
    except OSError as error:
        raise KeystoreUnusable(
            f"{path} cannot be read ({error.strerror}): it has to be a file that you may read"
        ) from error
    if len(raw) > MAX_FILE_BYTES:
        raise KeystoreUnusable(f"{path} is no keystore: it has over {MAX_FILE_BYTES} bytes")
    try:
        document = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise KeystoreUnusable(f"{path} is no keystore: it is not JSON") from error
    if not isinstance(document, dict):
        raise _no_keystore(path)
    return document


def _check(document: dict[str, Any], path: Path) -> None:
    """Refuse, before a password is asked for, what no password opens, or what takes for ever."""
    crypto = document.get("crypto", document.get("Crypto"))
    if document.get("version") != 3 or not isinstance(crypto, dict):
        raise _no_keystore(path)
    parameters = crypto.get("kdfparams")
    kind = crypto.get("kdf")
    if kind not in ("scrypt", "pbkdf2") or not isinstance(parameters, dict):
        raise _no_keystore(path)
    names = ("n", "r", "p", "dklen") if kind == "scrypt" else ("c", "dklen")
    numbers: list[Any] = [parameters.get(name) for name in names]
    if not all(
        isinstance(number, int) and not isinstance(number, bool) and number > 0
        for number in numbers
    ):
        raise _damaged(path)
    if numbers[-1] < MIN_DERIVED_BYTES:
        raise _damaged(path)
    costly = numbers[-1] > MAX_DERIVED_BYTES
    if kind == "scrypt":
        n, r, p, _ = numbers
        costly = costly or 128 * n * r > MAX_SCRYPT_BYTES or p > _MAX_PARALLEL
    else:
        costly = costly or numbers[0] > MAX_PBKDF2_ROUNDS
    if costly:
        raise KeystoreUnusable(
            f"{path} would take more memory or time than any wallet's keystore does: "
            "it was altered, or made to do that"
        )
    if crypto.get("cipher") != "aes-128-ctr":
        raise _damaged(path)
    cipher = crypto.get("cipherparams")
    texts = [crypto.get("ciphertext"), crypto.get("mac"), parameters.get("salt")]
    texts.append(cipher.get("iv") if isinstance(cipher, dict) else None)
    if not all(
        isinstance(text, str) and _HEX_DIGITS.issuperset(text.removeprefix("0x")) for text in texts
    ):
        raise _damaged(path)
    if not isinstance(document.get("address", ""), str | None):
        raise _damaged(path)


def _no_keystore(path: Path) -> KeystoreUnusable:
    return KeystoreUnusable(f"{path} is no keystore of version 3: name another file")


def _damaged(path: Path) -> KeystoreUnusable:
    return KeystoreUnusable(
        f"{path} does not open: the keystore is damaged; use a copy of it, or name another file"
    )
