"""Base58 with Bitcoin's alphabet: how Solana writes keys, hashes and signatures."""

from keymoot.base.errors import Malformed

ALPHABET = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

MAX_TEXT = 128
"""Longest text that is read; 64 bytes make at most 88 digits."""

_PAIRS = {
    high + low: 58 * at + value
    for at, high in enumerate(ALPHABET)
    for value, low in enumerate(ALPHABET)
}
"""Values of two digits at once: a long policy has hundreds of addresses."""

_WRITTEN = list(_PAIRS)


def encode(raw: bytes) -> str:
    """Each leading zero byte becomes a leading 1."""
    number, pairs = int.from_bytes(raw, "big"), []
    while number:
        number, pair = divmod(number, 3_364)
        pairs.append(_WRITTEN[pair])
    digits = "".join(reversed(pairs)).lstrip(ALPHABET[0])
    return ALPHABET[0] * (len(raw) - len(raw.lstrip(b"\0"))) + digits


def decode(text: str, length: int) -> bytes:
    if len(text) > MAX_TEXT:
        raise Malformed(f"base58 of {length} bytes is shorter, got {len(text)} characters")
    number = 0
    try:
        for at in range(0, len(text) - 1, 2):
            number = number * 3_364 + _PAIRS[text[at : at + 2]]
        if len(text) % 2:
            number = number * 58 + _PAIRS[ALPHABET[0] + text[-1]]
    except KeyError as error:
        raise Malformed("base58 has digits and letters, without 0, O, I and l") from error
    zeros = len(text) - len(text.lstrip(ALPHABET[0]))
    body = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if zeros + len(body) != length:
        raise Malformed(f"{length} bytes are expected, got {zeros + len(body)}")
    return bytes(zeros) + body
