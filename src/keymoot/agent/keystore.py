"""The owner's key on disk: an ordinary Ethereum keystore (Web3 Secret Storage, V3)."""

import json
import os
from pathlib import Path
from typing import ClassVar

from eth_keyfile.keyfile import create_keyfile_json, decode_keyfile_json

from keymoot.base.errors import Malformed, Refused
from keymoot.base.secret import Secret
from keymoot.crypto import secp256k1

MAX_FILE_BYTES = 16_384
MODE = 0o600


class KeystoreUnusable(Refused):
    """The keystore is missing, no keystore, or the password does not open it."""

    code: ClassVar[str] = "KEYSTORE_UNUSABLE"


def load(path: Path, password: str) -> Secret:
    """Open a keystore.

    Args:
        path: The file, made by `keymoot key new`, geth, or any wallet.
        password: From a prompt or a file, never from the command line.

    Raises:
        KeystoreUnusable: the message says which of the three it is.
    """
    try:
        with path.open("rb") as file:
            document = json.loads(file.read(MAX_FILE_BYTES))
    except OSError as error:
        raise KeystoreUnusable(
            f"{path} cannot be read ({error.strerror}): make one with `keymoot key new {path}`"
        ) from error
    except ValueError as error:
        raise KeystoreUnusable(f"{path} is no keystore: it is not JSON") from error
    try:
        opened = decode_keyfile_json(document, password.encode())
        return secp256k1.check_private_key(Secret(opened))
    except ValueError as error:
        why = "the password is wrong" if "MAC mismatch" in str(error) else str(error)
        raise KeystoreUnusable(f"{path} does not open: {why}") from error
    except (Malformed, KeyError, TypeError, NotImplementedError, AttributeError) as error:
        raise KeystoreUnusable(f"{path} is no keystore of version 3") from error


def save(path: Path, key: Secret, password: str) -> None:
    """Write a new keystore with mode 0600; never overwrites. Takes about a second (scrypt).

    Raises:
        KeystoreUnusable: the file exists, or cannot be written.
    """
    document = create_keyfile_json(key.expose(), password.encode(), kdf="scrypt")
    document["address"] = secp256k1.address_of_secret(key).hex()
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE)
    except OSError as error:
        raise KeystoreUnusable(f"{path} cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w") as file:
        json.dump(document, file)
        file.flush()
        os.fsync(file.fileno())
