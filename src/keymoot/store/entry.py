"""How a value of any length lives in a 32-byte slot.

    0x01 ‖ value                     up to 31 bytes, in the slot itself
    0x02 ‖ keccak256(blob)[:31]      longer: the blob has a table entry of its own

So `eth_getProof` proves every slot, and a blob is proved by its hash. The first byte
is never zero: no slot has leading zeros, and none is taken for absent.
"""

from keymoot.base.errors import Malformed
from keymoot.crypto.keccak import keccak256_raw

INLINE_BYTES = 31
"""Longest value that fits into a slot beside its tag."""

MAX_BLOB_BYTES = 262_144
"""Longest value of one cell."""

_INLINE, _BLOB = 0x01, 0x02


def pack(value: bytes) -> tuple[bytes, bytes]:
    """Give the slot's bytes, and the blob beside it (empty if there is none)."""
    if len(value) <= INLINE_BYTES:
        return b"\x01" + value, b""
    check_length(value)
    return b"\x02" + keccak256_raw(value)[:INLINE_BYTES], value


def check_length(value: bytes) -> None:
    if len(value) > MAX_BLOB_BYTES:
        raise Malformed(f"a cell holds at most {MAX_BLOB_BYTES} bytes, got {len(value)}")


def has_blob(slot: bytes) -> bool:
    return slot[:1] == b"\x02"


def unpack(slot: bytes, blob: bytes) -> bytes:
    """Give the value back; a blob that is not the slot's is Malformed."""
    tag = slot[0] if slot else 0
    if tag == _INLINE:
        return slot[1:]
    if tag == _BLOB and keccak256_raw(blob)[:INLINE_BYTES] == slot[1:]:
        return blob
    raise Malformed("a slot does not hold a cell's value, or its blob is another one")
