"""Base58 with Bitcoin's alphabet: how Solana writes keys, hashes and signatures."""

from keymoot.base.errors import Malformed

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

MAX_TEXT = 128
"""Longest text that is read; 64 bytes make at most 88 digits."""

_DIGITS = {digit: value for value, digit in enumerate(ALPHABET)}


def encode(raw: bytes) -> str:
    """Write bytes; each leading zero byte becomes a leading 1."""
    number, digits = int.from_bytes(raw, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        digits = ALPHABET[digit] + digits
    return ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def decode(text: str, length: int) -> bytes:
    """Read exactly `length` bytes.

    Raises:
        Malformed: a character that base58 does not have, or another length.
    """
    if len(text) > MAX_TEXT:
        raise Malformed(f"base58 of {length} bytes is shorter, got {len(text)} characters")
    number = 0
    for digit in text:
        if digit not in _DIGITS:
            raise Malformed("base58 has digits and letters, without 0, O, I and l")
        number = number * 58 + _DIGITS[digit]
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if zeros + len(body) != length:
        raise Malformed(f"{length} bytes are expected, got {zeros + len(body)}")
    return bytes(zeros) + body
