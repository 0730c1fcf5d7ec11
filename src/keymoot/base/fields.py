"""Read one field of decoded RLP, or say which field is wrong.

Every parser of ledger bytes is made of these, so that their errors look alike.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from keymoot.base.errors import Malformed
from keymoot.base.fixed import Fixed, Signature65
from keymoot.base.rlp import Decoded

F = TypeVar("F", bound=Fixed)
K = TypeVar("K", int, str, bytes)

UINT256_BYTES = 32


def list_of(item: Decoded, length: int | None, path: str) -> list[Decoded]:
    """The list has exactly `length` items where that is given."""
    if isinstance(item, bytes):
        raise Malformed("a list was expected, got bytes", path)
    if length is not None and len(item) != length:
        raise Malformed(f"{length} fields were expected, got {len(item)}", path)
    return item


def bytes_of(item: Decoded, path: str, max_length: int | None = None) -> bytes:
    if not isinstance(item, bytes):
        raise Malformed("bytes were expected, got a list", path)
    if max_length is not None and len(item) > max_length:
        raise Malformed(f"at most {max_length} bytes are accepted, got {len(item)}", path)
    return item


def uint_of(item: Decoded, path: str, max_bytes: int = UINT256_BYTES) -> int:
    """Big-endian, without leading zeros."""
    raw = bytes_of(item, path, max_bytes)
    if raw[:1] == b"\x00":
        raise Malformed("an integer has a leading zero byte", path)
    return int.from_bytes(raw, "big")


def fixed_of(item: Decoded, kind: type[F], path: str) -> F:
    raw = bytes_of(item, path)
    if len(raw) != kind.LENGTH:
        raise Malformed(f"{kind.__name__} is {kind.LENGTH} bytes, got {len(raw)}", path)
    return kind(raw)


def optional_fixed_of(item: Decoded, kind: type[F], path: str) -> F | None:
    """Empty bytes for None."""
    return None if item == b"" else fixed_of(item, kind, path)


def text_of(item: Decoded, path: str, max_length: int) -> str:
    """UTF-8 of at most `max_length` bytes."""
    raw = bytes_of(item, path, max_length)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("text is not UTF-8", path) from error


def flag_of(item: Decoded, path: str) -> bool:
    """A yes or no: 1 or 0, and no other number."""
    number = uint_of(item, path, 1)
    if number > 1:
        raise Malformed("a flag is 0 or 1", path)
    return number == 1


def rising(keys: Sequence[K], path: str) -> Sequence[K]:
    """Give the keys of a set or a map back; each stands once, and higher than the one before.

    If they do not rise, the same set would have a second form.
    """
    if any(low >= high for low, high in pairwise(keys)):
        raise Malformed("the entries do not rise, or one stands twice", path)
    return keys


def uint(value: int) -> bytes:
    """Big-endian, shortest, empty for zero."""
    return value.to_bytes((value.bit_length() + 7) // 8, "big")


def signature_fields(signature: Signature65) -> tuple[bytes, bytes]:
    """Give r and s as a transaction ends with them, after the parity."""
    return signature[:32].lstrip(b"\0"), signature[32:64].lstrip(b"\0")


def signature_of(parity: int, fields: Sequence[Decoded]) -> Signature65:
    """Put a parity, and the r and s of a transaction's last two fields, together."""
    if parity not in (0, 1):
        raise Malformed(f"yParity is 0 or 1, got {parity}", "yParity")
    r, s = uint_of(fields[0], "r"), uint_of(fields[1], "s")
    return Signature65(r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes((parity,)))
