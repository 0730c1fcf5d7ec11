"""Search a folder for the private key of an address, in every form it could take.

Every 32 bytes of every file, forwards and backwards, and everything that looks like hex,
base64 or a decimal number, is tried as a private key. Whoever finds the key controls the
address: no file format can hide it, only encryption.
"""

import base64
import binascii
import re
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from keymoot.base.fixed import Address
from keymoot.base.secret import Secret
from keymoot.crypto.keccak import keccak256_raw
from keymoot.crypto.secp256k1 import ORDER
from keymoot.threshold.secp256k1 import SECP256K1

KEY_BYTES = 32
PAGE_BYTES = 4_096
MIN_DISTINCT_BYTES = 12
"""Windows with fewer different bytes are no random key (chance below 2**-100)."""

_HEX = re.compile(rb"(?:0x)?([0-9a-fA-F]{64})")
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{43}=?")
_DECIMAL = re.compile(rb"[0-9]{60,78}")


def find_key(folder: Path, account: Address, workers: int = 2) -> tuple[bool, int]:
    """Tell whether the key of `account` is in the folder, and how many candidates were tried."""
    chunks = sorted(set(_chunks(folder)))
    tried = 0
    found = False
    step = max(1, len(chunks) // (8 * workers))
    parts = [chunks[at : at + step] for at in range(0, len(chunks), step)]
    with ProcessPoolExecutor(workers) as pool:
        for hit, count in pool.map(_try, parts, [account] * len(parts)):
            found = found or hit
            tried += count
    return found, tried


def _chunks(folder: Path) -> Iterator[bytes]:
    """Give pieces of files that overlap by a key's length in its longest form."""
    overlap = 96
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            content = path.read_bytes()
            for at in range(0, len(content), PAGE_BYTES):
                piece = content[at : at + PAGE_BYTES + overlap].strip(b"\0")
                if len(piece) >= KEY_BYTES:
                    yield piece


def _try(chunks: list[bytes], account: Address) -> tuple[bool, int]:
    seen: set[bytes] = set()
    for chunk in chunks:
        for candidate in candidates(chunk):
            if candidate not in seen:
                seen.add(candidate)
                if _controls(candidate, account):
                    return True, len(seen)
    return False, len(seen)


def candidates(chunk: bytes) -> Iterator[bytes]:
    """Give everything in `chunk` that could be a private key."""
    for at in range(len(chunk) - KEY_BYTES + 1):
        window = chunk[at : at + KEY_BYTES]
        if len(set(window)) >= MIN_DISTINCT_BYTES:
            yield window
            yield window[::-1]
    for match in _HEX.finditer(chunk):
        key = bytes.fromhex(match[1].decode())
        yield key
        yield key[::-1]
    for match in _BASE64.finditer(chunk):
        text = match[0].rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        try:
            yield base64.b64decode(text + b"=")
        except binascii.Error:
            continue
    for match in _DECIMAL.finditer(chunk):
        number = int(match[0])
        if number < 1 << 256:
            yield number.to_bytes(KEY_BYTES, "big")


def _controls(candidate: bytes, account: Address) -> bool:
    if len(candidate) != KEY_BYTES or not 0 < int.from_bytes(candidate, "big") < ORDER:
        return False
    public = SECP256K1.encode_uncompressed(SECP256K1.base(Secret(candidate)))
    return keccak256_raw(public)[12:] == account
