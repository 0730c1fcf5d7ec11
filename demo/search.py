"""Search a copy of a data folder for a private key, in whatever form it could stand there.

Whoever finds the key controls the address: no file format can hide it, only encryption.

`find_key` is a thief's, who knows the address only. The ledger is read as the product reads it:

1. Each cell of Vault, where keys are kept: every 32 bytes, in both orders, tried as the key.
2. Likewise everything else in the ledger that is short, lists and compressed blocks taken apart.
3. Likewise every other file. And everywhere, what looks like hex, base64 or a decimal number.

What is long (dealings, pages of the committee) is left out there: a million keys to try, a
minute for every two million bytes. So `places` looks for a key that is known, in every byte.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

from keymoot.base import rlp
from keymoot.base.errors import Malformed
from keymoot.base.fixed import Address
from keymoot.base.secret import Secret
from keymoot.contracts.builtin.vault import Vault
from keymoot.crypto.keccak import keccak256_raw
from keymoot.crypto.secp256k1 import ORDER, address_of_secret
from keymoot.engine.lmdb_file import FILE_NAME
from keymoot.engine.lmdb_table import LmdbStore

KEY_BYTES = 32
PIECE_BYTES = 128
"""Longest value of the ledger that is tried byte by byte; a sealed key has 84."""

MIN_DISTINCT_BYTES = 12
"""Windows with fewer different bytes are no random key (chance below 2**-100)."""

VAULTS_CELLS = b"b" + keccak256_raw(Vault.ADDRESS)
"""First bytes of the ledger's keys under which Vault's cells stand."""

_HEX = re.compile(rb"[0-9a-fA-F]{64}")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43}")
_DECIMAL = re.compile(rb"[0-9]{60,78}")


def find_key(folder: Path, account: Address) -> tuple[Secret | None, int]:
    """Give the key of `account` if the folder tells it, and how many candidates were tried."""
    seen: set[bytes] = set()
    for content, short in contents(folder):
        for candidate in candidates(content, windows=short):
            if candidate not in seen:
                seen.add(candidate)
                if _controls(candidate, account):
                    return Secret(candidate), len(seen)
    return None, len(seen)


def places(folder: Path, key: Secret) -> list[str]:
    """Name what in the folder has a known key in any of its bytes, in any form."""
    wanted = _forms(key.expose())
    found = [
        path.relative_to(folder).as_posix()
        for path in _files(folder)
        if any(form in path.read_bytes() for form in wanted)
    ]
    entries = (unpacked(value) for _, value in _ledger(folder))
    if any(form in entry for entry in entries for form in wanted):
        found.append("the ledger's entries")
    return found


def contents(folder: Path) -> Iterator[tuple[bytes, bool]]:
    """Give all that the folder has, likely places first, and whether each 32 bytes are tried."""
    rest = []
    for key, value in _ledger(folder):
        if key.startswith(VAULTS_CELLS):
            yield value, True
        else:
            rest.append(unpacked(value))
    for entry in rest:
        for piece in _pieces(entry):
            yield piece, len(piece) <= PIECE_BYTES
    for path in _files(folder):
        content = path.read_bytes()
        yield content, path.name != FILE_NAME and not content.isascii()


def candidates(content: bytes, *, windows: bool) -> Iterator[bytes]:
    """Give what in `content` could be a private key: as text, and every 32 bytes if `windows`."""
    for at in range(len(content) - KEY_BYTES + 1 if windows else 0):
        window = content[at : at + KEY_BYTES]
        if len(set(window)) >= MIN_DISTINCT_BYTES:
            yield window
            yield window[::-1]
    for match in _HEX.finditer(content):
        key = bytes.fromhex(match[0].decode())
        yield key
        yield key[::-1]
    for match in _BASE64.finditer(content):
        text = match[0].translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield base64.b64decode(text + b"=")
        except binascii.Error:
            continue
    for match in _DECIMAL.finditer(content):
        number = int(match[0])
        if number < 1 << 256:
            yield number.to_bytes(KEY_BYTES, "big")


def unpacked(value: bytes) -> bytes:
    """Give a value of the ledger; one that is compressed as it was before."""
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def _pieces(value: bytes) -> Iterator[bytes]:
    """Take lists apart, as far as they are some."""
    try:
        parts = rlp.decode(value)
    except Malformed:
        parts = value
    waiting = [parts]
    while waiting:
        part = waiting.pop()
        if isinstance(part, bytes):
            yield part
        else:
            waiting += part


def _ledger(folder: Path) -> Iterator[tuple[bytes, bytes]]:
    if not (folder / FILE_NAME).exists():
        return
    store = LmdbStore(folder)
    try:
        with store.snapshot() as table:
            yield from table.scan(b"", b"")
    finally:
        store.close()


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _forms(key: bytes) -> list[bytes]:
    """Give the forms in which a program would write 32 bytes."""
    forms = [str(int.from_bytes(key, order)).encode() for order in ("big", "little")]
    for raw in (key, key[::-1]):
        forms += [raw, raw.hex().encode(), raw.hex().upper().encode()]
        # Within a longer text its base64 depends on how many bytes came before.
        for before in range(3):
            text = base64.b64encode(bytes(before) + raw)[4 if before else 0 : -4]
            forms += [text, text.translate(bytes.maketrans(b"+/", b"-_"))]
    return forms


def _controls(candidate: bytes, account: Address) -> bool:
    if len(candidate) != KEY_BYTES or not 0 < int.from_bytes(candidate, "big") < ORDER:
        return False
    return address_of_secret(Secret(candidate)) == account
